"""The door of the bridge that runs, or of one that is started for it."""

from __future__ import annotations

import os
import socket
import sys
import threading

from bridge import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_START_TIMEOUT = 30.0
_BETWEEN_LOOKS = 0.05
_NOT_RUNNING = 6


class NoBridge(Exception):
    """There is no bridge to be had; `exit_code` is that of the cause."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = exit_code


def usual_place() -> str | None:
    """`paths.default_mcp()` on Linux, in a hundredth of the time; None where it is not as usual."""
    name = os.environ.get("BPY_BRIDGE_NAME") or "default"
    home, runtime = os.environ.get("BPY_BRIDGE_HOME"), os.environ.get("XDG_RUNTIME_DIR")
    if home:
        directory = os.path.abspath(os.path.expanduser(home))
    elif runtime and sys.platform == "linux":
        directory = os.path.join(runtime, "bpy-bridge")
    else:
        return None
    try:
        status = os.lstat(directory)
    except OSError:
        return None
    # Of a directory that others may write to, and of a name that is none, `paths` has to judge.
    odd = status.st_uid != os.getuid() or status.st_mode & 0o077 or os.path.basename(name) != name
    return None if odd else os.path.join(directory, "mcp.sock" if name == "default" else f"mcp-{name}.sock")


def connect(place: str | None) -> socket.socket | None:
    """The door there, without a look at anything else; None where nobody answers."""
    if place is None:
        return None
    door = socket.socket(socket.AF_UNIX)
    try:
        door.connect(place)
    except OSError:
        door.close()
        return None
    return door


def start_and_connect(flags: Sequence[str], directory: str | None) -> tuple[socket.socket, str | None]:
    """The door of the bridge that runs, or of one that is started for it, and the token to show. Raises NoBridge."""
    from time import monotonic  # noqa: PLC0415  # none of this is needed where one runs at its usual place

    from bridge import daemon, paths  # noqa: PLC0415  # only where no bridge answers at once
    from bridge.errors import BridgeError  # noqa: PLC0415  # as above

    until = monotonic() + _START_TIMEOUT
    while True:
        try:
            bridge = paths.running()
            if bridge is None or os.name == "posix":
                daemon.start(flags, timeout=_START_TIMEOUT, cwd=directory)
                bridge = paths.running()
            if bridge is not None and bridge.mcp is None and bridge.listen:
                raise NoBridge("the bridge that runs has no MCP door: restart it without BPY_BRIDGE_MCP=off", 2)
            if bridge is not None and bridge.mcp is not None:
                token = None if bridge.mcp.startswith("unix:") else paths.read_token(paths.mcp_token_file())
                return _connect_to(bridge.mcp), token
        except BridgeError as error:
            raise NoBridge(str(error), error.exit_code) from error
        except OSError as error:
            # It has just ended, unless this goes on.
            if monotonic() > until:
                raise NoBridge(f"the bridge's MCP door does not answer: {error}", _NOT_RUNNING) from error
        threading.Event().wait(_BETWEEN_LOOKS)


def _connect_to(address: str) -> socket.socket:
    kind, _, place = address.partition(":")
    if kind == "unix":
        door = socket.socket(socket.AF_UNIX)
        door.connect(place)
        return door
    host, _, port = place.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)))


def preface(tools: str, instance: str | None, token: str | None) -> bytes:
    """The first line on the door: who comes, and what for."""
    # By hand: to import json takes as long as all the rest.
    said = {"tools": tools, "instance": instance, "client_version": __version__, "token": token}
    fields = [f'"{name}": {"null" if text is None else _quoted(text)}' for name, text in said.items()]
    return f'{{"bpy_bridge": 1, {", ".join(fields)}}}\n'.encode()


def _quoted(text: str) -> str:
    plain = "".join(letter if letter.isprintable() else "?" for letter in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
