"""How a Blender announces itself to the bridges of its user: a descriptor file that is there while it is.

The directory is its owner's alone (0700), and so is each file in it (0600): what it says is where to connect, and the
token that lets one in. A file appears, changes and goes in one step. Where its process was killed it stays, and the
next bridge to look removes it: pid and start time say that it is stale. The bridge imports this module too, so that
both have one rule for the place and for what a file says.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import stat
import sys
import tempfile
import threading
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

from .wire.address import parse_address

_log = logging.getLogger(__name__)

FORMAT = 1
SUFFIX = ".json"
LARGEST = 65_536

_OPEN = "others may use it"
_LONGEST_SOCKET_PATH = 103 if sys.platform == "darwin" else 107


class Descriptor(NamedTuple):
    """What a file says.

    `started` is `process_start` of its process, `announced` the Unix time at which it was first written, `boot` the
    one of the welcome, `file` the open .blend file or "". `name` is what the person called it, else None.
    """

    address: str
    token: Optional[str]
    pid: int
    started: Optional[float]
    announced: float
    boot: str
    blender: str
    file: str
    name: Optional[str] = None

    @property
    def identity(self) -> Tuple[object, ...]:
        """What stays the same for as long as it is the same Blender behind the same address."""
        return self.pid, self.started, self.boot, self.address, self.token

    def __repr__(self) -> str:
        """Without the token: this may get into a log."""
        return f"<Descriptor {self.boot} of process {self.pid} at {self.address}>"


def directory() -> str:
    """Where this user's Blenders announce themselves; it need not exist.

    `blenders` in BPY_BRIDGE_HOME, else in our directory in the user's runtime directory.
    """
    home = os.environ.get("BPY_BRIDGE_HOME", "")
    base = os.path.abspath(os.path.expanduser(home)) if home else os.path.join(_runtime_directory(), "bpy-bridge")
    return os.path.join(base, "blenders")


def _runtime_directory() -> str:
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA") or os.path.expanduser(os.path.join("~", "AppData", "Local"))
        return os.path.join(local, "Temp")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches/TemporaryItems")
    for candidate in (os.environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{os.getuid()}"):
        if os.path.isabs(candidate) and os.path.isdir(candidate) and os.stat(candidate).st_uid == os.getuid():
            return candidate
    return os.path.join(tempfile.gettempdir(), f"runtime-{os.getuid()}")


def process_start(pid: int) -> Optional[float]:
    """When the process was started, for comparison only; None where there is none, or the platform does not tell.

    On Linux clock ticks since boot. A process that has ended and was not waited for yet is none.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The second field is the program's name in parentheses, and may hold anything.
            fields = file.read().rpartition(b")")[2].split()
        return None if fields[0] in (b"Z", b"X") else float(fields[19])
    except (OSError, IndexError, ValueError):
        return None


def parse(text: bytes) -> Descriptor:
    """What a file says. Raises ValueError that says what is wrong with it, and never shows its token."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise ValueError(f"it is no descriptor of format {FORMAT}")
    descriptor = Descriptor(
        address=_field(said, "address", str),
        token=_field(said, "token", str, optional=True),
        pid=_field(said, "pid", int),
        started=_field(said, "started", (int, float), optional=True),
        announced=_field(said, "announced", (int, float)),
        boot=_field(said, "boot", str),
        blender=_field(said, "blender", str),
        file=_field(said, "file", str),
        name=_field(said, "name", str, optional=True),
    )
    address = parse_address(descriptor.address)
    if not address.is_loopback:
        raise ValueError(f"its address {address} is not on this machine")
    if address.kind == "tcp" and not descriptor.token:
        raise ValueError(f"its address {address} has no token")
    if descriptor.pid <= 0 or not descriptor.boot:
        raise ValueError("its pid or its boot is none")
    return descriptor


def _field(said: Any, name: str, kind: Any, *, optional: bool = False) -> Any:
    value = said.get(name)
    if value is None and optional:
        return None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"its {name} is missing or wrong")
    return value


class Announcement:
    """One Blender's descriptor file: published, kept up to date, withdrawn. From any thread."""

    def __init__(self, descriptor: Descriptor, place: Optional[str] = None) -> None:
        self._descriptor = descriptor
        self._path = os.path.join(place or directory(), f"{stem(descriptor.pid, descriptor.boot)}{SUFFIX}")
        self._lock = threading.Lock()
        self._withdrawn = False
        self._watched: List[Tuple[Any, Callable[..., None]]] = []

    def publish(self) -> None:
        """Write the file. Raises OSError where it, or a directory for it that is this user's alone, cannot be had."""
        with self._lock:
            if self._withdrawn:
                return
            make_private(os.path.dirname(self._path))
            _write(self._path, json.dumps({"format": FORMAT, **self._descriptor._asdict()}))

    def watch(self, bpy: Any) -> None:
        """Have that Blender's own events keep the file up to date until `unwatch`. Main thread."""

        @bpy.app.handlers.persistent  # type: ignore[untyped-decorator]  # bpy has no types
        def follow(*_: object) -> None:
            try:
                self.follow(str(bpy.data.filepath))
            except OSError as error:
                _log.warning("%s", error)

        for handlers in (bpy.app.handlers.load_post, bpy.app.handlers.save_post):
            handlers.append(follow)
            self._watched.append((handlers, follow))

    def unwatch(self) -> None:
        """Leave no handler. Main thread."""
        for handlers, follow in self._watched:
            with contextlib.suppress(ValueError):
                handlers.remove(follow)
        self._watched.clear()

    def follow(self, file: str) -> None:
        """Another file is open from now on. Raises as `publish`."""
        with self._lock:
            before, self._descriptor = self._descriptor, self._descriptor._replace(file=file)
        if file != before.file:
            self.publish()

    def withdraw(self) -> None:
        """Take the file away, for good."""
        with self._lock:
            self._withdrawn = True
            with contextlib.suppress(OSError):
                os.unlink(self._path)


def stem(pid: int, boot: str) -> str:
    """The name, without its ending, of the files of one Blender: its descriptor, and its socket where it has one."""
    return f"{pid}-{boot[:8]}"


def private_socket(boot: str, place: Optional[str] = None) -> Optional[str]:
    """The address of a Unix socket beside the descriptor, its directory made; None where there can be none.

    Raises OSError as `Announcement.publish`.
    """
    path = os.path.join(place or directory(), f"{stem(os.getpid(), boot)}.sock")
    if sys.platform == "win32" or len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        return None
    make_private(os.path.dirname(path))
    return f"unix:{path}"


def make_private(place: str) -> None:
    """Make the directory, and those above it that are missing, for this user alone. Raises OSError."""
    if sys.platform == "win32":
        os.makedirs(place, exist_ok=True)
        return
    above = os.path.dirname(place)
    if not os.path.isdir(above):
        make_private(above)
    with contextlib.suppress(FileExistsError):
        os.mkdir(place, 0o700)
    problem = why_not_safe(place)
    if problem == _OPEN:
        os.chmod(place, 0o700)
    elif problem is not None:
        raise PermissionError(f"{place} cannot be used to announce this Blender: {problem}")


def why_not_safe(place: str) -> Optional[str]:
    """What keeps others from being shut out of the directory; None where nothing does. Raises OSError."""
    problem = why_not_private(os.lstat(place), directory=True)
    if problem is not None or sys.platform == "win32":
        return problem
    above = os.path.dirname(place)
    owner = os.stat(above).st_uid
    # Whoever owns the directory above could put another one in its place.
    return None if owner in (os.getuid(), 0) else f"{above} belongs to another user (uid {owner})"


def why_not_private(found: os.stat_result, *, directory: bool) -> Optional[str]:
    """What keeps a file or directory, seen by `lstat` or `fstat`, from being this user's alone; None where it is."""
    if directory and not stat.S_ISDIR(found.st_mode):
        return "it is no directory"
    if not directory and not stat.S_ISREG(found.st_mode):
        return "it is no file"
    if sys.platform == "win32":
        return None
    if found.st_uid != os.getuid():
        return f"it belongs to another user (uid {found.st_uid})"
    return _OPEN if stat.S_IMODE(found.st_mode) & 0o077 else None


def _write(path: str, text: str) -> None:
    new = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}-{os.urandom(4).hex()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.replace(new, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(new)
        raise
