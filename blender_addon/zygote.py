"""Forks workers: a process that has Blender in memory and does nothing with it.

    python -m blender_addon.zygote        standard input is a Unix socket of packets, SOCK_SEQPACKET

It imports bpy, says {"ready": true, "pid", "blender"} on that socket, or {"error"} and ends, and from then on forks a
headless worker for each request. Every packet is a JSON object:

    ──▶ {"arguments": [...]}   with three descriptors: the worker's standard input, its standard output and error, and
                               a socket of packets for what is said of this worker alone:
    ◀── {"pid"}                with its pidfd, once it is forked; or {"error"}
    ◀── {"status"}             when it has ended, and its process group with it: its exit code, or minus the signal

It is the workers' parent and reaps them. It ends at the end of its standard input; workers go on, since each follows
a standard input of its own and not its parent. One whose own has ended too, and that has not ended with it because it
is stopped or hangs, is killed before.

Beyond the factory scene it opens, evaluates and renders nothing, and never touches the GPU: the threads and contexts
that come of that do not survive a fork. Linux only.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import selectors
import shutil
import signal
import socket
import sys
import time
import traceback
import warnings
from typing import Any, Callable, Dict, List, NamedTuple, NoReturn, Sequence

from . import headless
from .image_threads import stop_image_threads
from .lifetime import end_process

_LONGEST_PACKET = 65_536
_ORPHAN_SECONDS = 1.0

Work = Callable[[Sequence[str]], int]
"""What a forked process does with its arguments; returns its exit code."""


def main() -> int:
    """Fork workers until standard input ends. Returns the exit code: 0; 2 usage; 3 no Blender that can be forked."""
    try:
        control = _control()
    except OSError:
        print("blender_addon.zygote: standard input must be a Unix socket of packets", file=sys.stderr)  # noqa: T201
        return 2
    try:
        ready = {"ready": True, "pid": os.getpid(), "blender": _load_blender()}
    except (ImportError, RuntimeError) as error:
        _say(control, {"error": str(error)})
        return 3
    # Python warns of forking beside threads: bpy's, and what is left of those is looked after here.
    warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*fork")
    # What exists now is never collected, so that collecting in a worker does not copy it.
    gc.collect()
    gc.freeze()
    if _say(control, ready):
        Zygote(control, _work).run()
    return 0


class _Worker(NamedTuple):
    pid: int
    pidfd: int
    stdin: int
    report: socket.socket


class Zygote:
    """Forks at each request on `control`, and reports each child's end. One thread."""

    def __init__(self, control: socket.socket, work: Work) -> None:
        self._control = control
        self._work = work
        self._workers: Dict[int, _Worker] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)

    def run(self) -> None:
        """Until `control` is closed at its other end."""
        serving = True
        while serving:
            for key, _ in self._selector.select():
                if key.fileobj is not self._control:
                    self._reap(self._workers[key.fd])
                else:
                    serving = self._serve()
        self._selector.unregister(self._control)
        self._end_orphans()

    def _end_orphans(self) -> None:
        """See the workers end whose standard input has ended, and kill those that don't: stopped, nobody sees that."""
        until = time.monotonic() + _ORPHAN_SECONDS
        while self._workers and (left := until - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                self._reap(self._workers[key.fd])
        for worker in self._workers.values():
            if _has_ended(worker.stdin):
                os.kill(worker.pid, signal.SIGKILL)
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(worker.pid, signal.SIGKILL)

    def _serve(self) -> bool:
        packet, descriptors, _, _ = socket.recv_fds(self._control, _LONGEST_PACKET, 3, socket.MSG_CMSG_CLOEXEC)
        if not packet:
            return False
        stdin, output, reporting = descriptors
        with socket.socket(fileno=reporting) as report:
            self._fork(json.loads(packet)["arguments"], stdin, output, report)
        os.close(stdin)
        os.close(output)
        return True

    def _fork(self, arguments: List[str], stdin: int, output: int, report: socket.socket) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            _say(report, {"error": f"no process could be forked: {error}"})
            return
        if pid == 0:
            self._leave(report)
            _live(self._work, arguments, stdin, output)
        worker = _Worker(pid, os.pidfd_open(pid), os.dup(stdin), report.dup())
        self._workers[worker.pidfd] = worker
        self._selector.register(worker.pidfd, selectors.EVENT_READ)
        if not _say(report, {"pid": pid}, worker.pidfd):
            os.kill(pid, signal.SIGKILL)  # nobody waits for it any more

    def _leave(self, report: socket.socket) -> None:
        """In the child: let go of what is the zygote's, or others would wait in vain for the end of it."""
        self._selector.close()
        self._control.close()
        report.close()
        for worker in self._workers.values():
            os.close(worker.pidfd)
            os.close(worker.stdin)
            worker.report.close()

    def _reap(self, worker: _Worker) -> None:
        self._selector.unregister(worker.pidfd)
        del self._workers[worker.pidfd]
        # What it has started goes with it; until it is reaped nobody else can have its number.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, signal.SIGKILL)
        _, status = os.waitpid(worker.pid, 0)
        os.close(worker.pidfd)
        os.close(worker.stdin)
        with worker.report:
            _say(worker.report, {"status": os.waitstatus_to_exitcode(status)})


def _live(work: Work, arguments: Sequence[str], stdin: int, output: int) -> NoReturn:
    """The whole life of a forked process: it never returns into the zygote's loop."""
    code = 1
    try:
        os.setsid()
        for ours, standard in ((stdin, 0), (output, 1), (output, 2)):
            os.dup2(ours, standard)
        os.close(stdin)
        os.close(output)
        code = work(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001, ASYNC103  the boundary of this process: its last words are its output
        traceback.print_exc()
    finally:
        # Not the interpreter's own way out: at it Blender would wait for threads that the fork has lost.
        end_process(code)


def _load_blender() -> str:
    """Import it, and make it fit to be forked. Returns its version. Raises ImportError, RuntimeError."""
    import bpy  # noqa: PLC0415  only the zygote's own process loads Blender

    stop_image_threads()
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    # Each worker makes its own; one that all share would go with the first that ends.
    shutil.rmtree(bpy.app.tempdir, ignore_errors=True)
    return str(bpy.app.version_string)


def _work(arguments: Sequence[str]) -> int:
    import bpy  # noqa: PLC0415  it is loaded already

    _seed()
    # Setting it, even to what it is, makes a new directory for this process.
    paths = bpy.context.preferences.filepaths
    paths.temporary_directory = paths.temporary_directory
    temporary = str(bpy.app.tempdir)
    try:
        return headless.main(arguments, forked=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _seed() -> None:
    """Chance of its own: what was seeded before the fork is seeded again; Python sees to its own."""
    import mathutils.noise  # noqa: PLC0415  part of bpy

    mathutils.noise.seed_set(int.from_bytes(os.urandom(3), "big") + 1)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


def _control() -> socket.socket:
    control = socket.socket(fileno=os.dup(0))
    if control.family != socket.AF_UNIX or control.type != socket.SOCK_SEQPACKET:
        raise OSError("not a Unix socket of packets")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return control


def _has_ended(pipe: int) -> bool:
    """Whether nobody can write to it any more."""
    poll = select.poll()
    poll.register(pipe, select.POLLHUP)
    return any(events & select.POLLHUP for _, events in poll.poll(0))


def _say(to: socket.socket, message: Dict[str, Any], *descriptors: int) -> bool:
    """Send it, without waiting. False where nobody listens any more."""
    try:
        socket.send_fds(to, [json.dumps(message).encode()], descriptors, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    headless.leave(main())
