"""Start the bridge in the background, or find the one that runs or is being started."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, NamedTuple

from bridge import paths
from bridge.errors import EXIT_BUSY, EXIT_FAILED, ConfigurationError, DaemonError

from .doors import is_open
from .logs import lines_since

_BETWEEN_LOOKS = 0.02
_MOST_TAIL = 10
_UNRECORDED = 1.0  # seconds; whoever has the lock writes its record in milliseconds
_pause: Callable[[float], object] = threading.Event().wait


class Running(NamedTuple):
    """The bridge whose doors are open; `started` where this call started it, and `remarks` what else it did then."""

    pid: int
    started: bool
    listen: Sequence[str]
    http: str | None
    log: str | None
    remarks: Sequence[str] = ()


def start(flags: Sequence[str] = (), *, timeout: float, cwd: str | None = None) -> Running:
    """Return once the bridge's doors are open, `timeout` seconds at most.

    `flags` are those of `bpy-bridge serve`; where a bridge runs already, or another process starts one meanwhile, that
    is the one that is returned, with the flags that it has. One that is ending is waited for. Raises DaemonError with
    the reason and the log's last lines, ConfigurationError where there can be no log.
    """
    if os.name != "posix":
        raise ConfigurationError("there is no background here: run `bpy-bridge serve`, for example as a service")
    until = monotonic() + timeout
    recorded = monotonic()
    while True:
        bridge = paths.running()
        if bridge is None or bridge.version:
            recorded = monotonic()
        if bridge is None:
            started = _launch(flags, cwd, until, timeout)
            if started is not None:
                return started
        elif is_open(bridge.listen):
            return Running(bridge.pid, False, bridge.listen, bridge.http, bridge.log)
        elif monotonic() > recorded + _UNRECORDED:
            raise DaemonError(
                f"a bridge runs (process {bridge.pid}), and {paths.record_file()} does not say where, or is not its: "
                "`bpy-bridge stop` ends it, and then it can be started again"
            )
        elif monotonic() > until:
            state = "opened its doors" if not bridge.listen else "ended, and takes no connections,"
            raise DaemonError(f"the bridge (process {bridge.pid}) has not {state} within {timeout:g} s", EXIT_BUSY)
        _pause(_BETWEEN_LOOKS)


def _launch(flags: Sequence[str], cwd: str | None, until: float, timeout: float) -> Running | None:
    """Start a process and wait for its word; None where another one has become the bridge."""
    path = paths.log_file()
    log = _open_log()
    try:
        before = os.fstat(log).st_size
        # -P: what lies in the current directory is not ours to import.
        process = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-P", "-m", "bridge", "serve", "--detached", *_named(), *flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd=_existing(cwd), start_new_session=True,
        )  # fmt: skip
    finally:
        os.close(log)
    assert process.stdout is not None
    with process.stdout as pipe:
        word = _listen(pipe.fileno(), until)
    if word.get("late"):
        # Its pipe was open until now, so it is the one that said this pid, or has not yet gone into the background.
        _kill(word.get("pid", process.pid))
    # It has gone into the background, and this is the process that it left behind.
    process.wait()
    if word.get("taken"):
        return None
    if word.get("ready"):
        bridge = paths.read_record()
        if bridge is not None and bridge.pid == word["pid"]:
            return Running(bridge.pid, True, bridge.listen, bridge.http, bridge.log, word["remarks"])
        word = {"error": f"the bridge (process {word['pid']}) was told to end as soon as its doors were open"}
    elif word.get("late"):
        late = f"the bridge did not open its doors within {timeout:g} s, and was ended"
        word = {"error": late, "exit_code": EXIT_BUSY, **word}
    reason = word.get("error", "the bridge ended before its doors were open")
    said = [line for line in lines_since(path, before)[-_MOST_TAIL:] if reason not in line]
    tail = "".join(f"\n  {line}" for line in [f"{path} ends with:", *said]) if said else ""
    raise DaemonError("\n".join([*word.get("remarks", ()), reason]) + tail, word.get("exit_code", EXIT_FAILED))


def _named() -> list[str]:
    """For whoever lists processes; the environment says it too."""
    name = paths.bridge_name()
    return [] if name == paths.DEFAULT_NAME else ["--name", name]


def _open_log() -> int:
    path = paths.log_file()
    paths.ensure_private(path.parent)
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError(f"the log {path} cannot be written: {error.strerror}") from error


def _listen(pipe: int, until: float) -> dict[str, Any]:
    """All that the new process says until it is ready or has ended; `late` where it does neither in time."""
    said = b""
    word: dict[str, Any] = {}
    while not word.get("ready"):
        readable, _, _ = select.select([pipe], [], [], max(0.0, until - monotonic()))
        if not readable:
            return {**word, "late": True}
        data = os.read(pipe, 65_536)
        if not data:
            return word
        *lines, said = (said + data).split(b"\n")
        for line in lines:
            word.update(json.loads(line))
    return word


def _kill(pid: int) -> None:
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)


def _existing(directory: str | None) -> str | None:
    return directory if directory and os.path.isdir(directory) else None
