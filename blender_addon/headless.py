"""Serves a Blender that has no window.

    python -m blender_addon.headless --listen ADDR            in the bpy wheel
    blender -b --python …/blender_addon/headless.py -- --listen ADDR
    … --announce [NAME]    instead of --listen or beside it: tell this user's bridges, see descriptor.py

Says on standard output how far it is, in JSON lines: {"phase": "importing", "pid"} once Python runs, {"phase":
"listening", "pid"} once Blender and its file are loaded, {"ready": true, "address", "pid", "blender"} when it takes
connections. All else that Blender or a command prints goes to standard error, so that nothing can be mistaken for them.
Ends with its parent, see lifetime.py, and in order at SIGTERM. Exit codes: 0; 2 usage or configuration; 3 no Blender.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import secrets
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any, Dict, NamedTuple, NoReturn, Optional, Sequence

if not __package__:
    # Run by path, as `blender --python` does: make it the package's module that it is.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    __package__ = "blender_addon"

from .changes import Changes
from .commands import CATALOGUE
from .descriptor import Announcement, Descriptor, private_socket, process_start
from .intake import Intake
from .interrupt import best_interrupter
from .lifetime import Lifetime
from .listener import Listener, new_boot
from .pump import BlockingPump, Pump
from .sockets import AddressRefused
from .wire import Peer
from .wire.address import Address, parse_address
from .work import Work

# A command that runs when the end comes may finish in this time, is interrupted then, and is left behind at last.
FINISH_SECONDS = 5.0
INTERRUPT_SECONDS = 2.0
FAREWELL_SECONDS = 1.0

_log = logging.getLogger(__name__)


def main(arguments: Optional[Sequence[str]] = None, *, forked: bool = False) -> int:
    """Serve until told to end. Returns the exit code.

    `forked` by a zygote, which has the factory scene loaded and whose end is not this process's end.
    """
    options = _options(arguments)
    out = _claim_stdout()
    _say(out, {"phase": "importing", "pid": os.getpid()})
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    lifetime = Lifetime(parent_death_signal=options.parent_death_signal, follow_parent=not forked)
    try:
        door = _door(options.listen, _read_token(options.token_file))
        blender = Blender(options.file, factory=forked)
    except (OSError, ValueError, RuntimeError) as error:
        _log.error("%s", error)
        return 2
    except ImportError as error:
        _log.error("this Python has no Blender: install bpy-bridge[embedded], or use blender -b (%s)", error)
        return 3
    _say(out, {"phase": "listening", "pid": os.getpid()})
    return _serve(door, options.announce, blender, lifetime, out)


class Door(NamedTuple):
    """Where to listen, the token that clients must know, and the boot that they are told."""

    address: Address
    token: Optional[str]
    boot: str


def _serve(door: Door, announce: Optional[str], blender: Blender, lifetime: Lifetime, out: int) -> int:
    interrupter = best_interrupter()
    interrupter.install()
    pump = Pump(interrupter)
    intake = Intake(CATALOGUE, pump, door.boot)
    peer = Peer("bpy-bridge add-on", blender.version)
    try:
        listener = Listener(door.address, intake, token=door.token, peer=peer, describe=blender.describe)
    except AddressRefused as error:
        _log.error("%s", error)
        return 2
    announcement = blender.announcement(door._replace(address=listener.address), announce)
    end = _End(pump, listener, blender, announcement)
    lifetime.watch(orphaned=end.at_once, told=end.in_order)
    listener.start()
    try:
        announcement.publish()
    except OSError as error:
        _log.error("%s", error)
        listener.close(0.0)
        return 2
    ready = {"ready": True, "address": str(listener.address), "pid": os.getpid(), "blender": blender.version}
    _say(out, ready)
    os.close(out)
    BlockingPump(pump, blender.perform).run()
    listener.close(FAREWELL_SECONDS)
    end.reached.set()
    return 0


class Blender:
    """What the I/O threads may know of Blender without touching it."""

    def __init__(self, file: Optional[str], *, factory: bool = False) -> None:
        """Open the file, or the factory scene, which `factory` says is open already.

        Raises ImportError where there is no Blender, else RuntimeError.
        """
        import bpy  # noqa: PLC0415  a Python without Blender gets an exit code, not a traceback

        self._bpy: Any = bpy
        if file is not None:
            bpy.ops.wm.open_mainfile(filepath=os.path.abspath(file))
        elif not factory:
            bpy.ops.wm.read_homefile(use_factory_startup=True)
        # A background Blender starts with an empty undo stack, and undo then fails.
        bpy.ops.ed.undo_push(message="start")
        self.version: str = bpy.app.version_string
        self._temporary = str(bpy.app.tempdir)
        self._changes = Changes(bpy)

    def describe(self) -> Dict[str, Any]:
        """The Blender part of a pong. From any thread."""
        return {"blender": self.version, **self._changes.describe()}

    def announcement(self, door: Door, name: Optional[str]) -> Announcement:
        """What it would say of itself; never to be published where `name` is None. Main thread."""
        announcement = Announcement(
            Descriptor(
                address=str(door.address),
                token=door.token,
                pid=os.getpid(),
                started=process_start(os.getpid()),
                announced=time.time(),
                boot=door.boot,
                blender=self.version,
                file=str(self._bpy.data.filepath),
                name=name or None,
            )
        )
        if name is None:
            announcement.withdraw()
        else:
            announcement.watch(self._bpy)
        return announcement

    def perform(self, pump: Pump, work: Work) -> None:
        """Run it, and know afterwards whether there is something that was not saved. Main thread."""
        method, hints = work.call.method, getattr(work.command, "hints", {})
        self._changes.begin()
        pump.run(work)
        self._changes.end(method, read_only=bool(hints.get("read_only")))

    def remove_temporary_files(self) -> None:
        """What Blender does itself when it ends in order."""
        shutil.rmtree(self._temporary, ignore_errors=True)


class _End:
    """The two ways to end, both called off the main thread."""

    def __init__(self, pump: Pump, listener: Listener, blender: Blender, announcement: Announcement) -> None:
        self.reached = threading.Event()
        self._pump = pump
        self._listener = listener
        self._blender = blender
        self._announcement = announcement

    def in_order(self) -> None:
        """Finish what runs, briefly; refuse the rest; the main thread then returns from `main`."""
        self._announcement.withdraw()
        self._listener.leave("told to end")
        running = self._pump.close("told to end")
        if running is not None:
            ended = self._pump.ending(running)
            until = time.monotonic() + FINISH_SECONDS + INTERRUPT_SECONDS
            if not ended.wait(FINISH_SECONDS):
                self._pump.stop(running, "cancelled")
            while not ended.wait(0.1) and time.monotonic() < until:
                self._pump.strike(running)
        if not self.reached.wait(2 * FAREWELL_SECONDS):
            self.at_once()

    def at_once(self) -> NoReturn:
        """The main thread may be in C code for an hour: end without it."""
        self._announcement.withdraw()
        self._listener.unlink()
        self._blender.remove_temporary_files()
        os._exit(0)


def _options(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="blender_addon.headless", description="Serve a Blender that has no window.")
    parser.add_argument("--listen", metavar="ADDR", type=_address, help="unix:/path or tcp:HOST:PORT")
    parser.add_argument(
        "--announce",
        metavar="NAME",
        nargs="?",
        const="",
        help="tell this user's bridges, who call it by this name or its file's; at a private address without --listen",
    )
    parser.add_argument("--token-file", metavar="FILE", help="the file with the token that clients must know")
    parser.add_argument("--file", metavar="FILE", help="the .blend file to open; the factory scene without it")
    parser.add_argument(
        "--parent-death-signal",
        action="store_true",
        help="Linux: have the kernel kill this process with the thread that started it (not from short-lived threads)",
    )
    options = parser.parse_args(arguments)
    if options.listen is None and options.announce is None:
        parser.error("one of these is required: --listen, --announce")
    return options


def _door(listen: Optional[Address], token: Optional[str]) -> Door:
    """Where nothing was said, a place that only bridges are told."""
    boot = new_boot()
    if listen is not None:
        return Door(listen, token, boot)
    private = private_socket(boot)
    if private is not None:
        return Door(parse_address(private), token, boot)
    return Door(Address("tcp", host="127.0.0.1"), token or secrets.token_hex(32), boot)


def _address(text: str) -> Address:
    try:
        return parse_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _read_token(path: Optional[str]) -> Optional[str]:
    if path is None:
        return None
    token = Path(path).read_text(encoding="utf-8").strip()
    if not token:
        raise ValueError(f"{path} is empty: it must hold the token")
    return token


def _claim_stdout() -> int:
    """Keep standard output for the ready line alone, and send all else that is printed to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    return kept


def _say(out: int, said: Dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):  # who does not listen needs not be told
        os.write(out, (json.dumps(said) + "\n").encode())


def _script_arguments() -> Optional[Sequence[str]]:
    # Blender leaves what is behind -- to the script.
    return sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else None


if __name__ == "__main__":
    sys.exit(main(_script_arguments()))
