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
import sys
import threading
import time
from pathlib import Path
from typing import Any, Dict, NoReturn, Optional, Sequence

if not __package__:
    # Run by path, as `blender --python` does: make it the package's module that it is, whatever the package is called.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    __package__ = Path(__file__).resolve().parent.name

from . import undo
from .application import Blender
from .lifetime import Lifetime, end_process
from .listener import new_boot
from .policy import policy_from_environment, set_policy
from .pump import BlockingPump
from .server import FAREWELL_SECONDS, Door, Server, private_door
from .sockets import AddressRefused
from .wire.address import Address, parse_address

# A command that runs when the end comes may finish in this time, is interrupted then, and is left behind at last.
FINISH_SECONDS = 5.0
INTERRUPT_SECONDS = 2.0

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
        set_policy(policy_from_environment())
        door = _door(options.listen, _read_token(options.token_file))
        blender = _open_blender(options.file, factory=forked)
    except (OSError, ValueError, RuntimeError) as error:
        _log.error("%s", error)
        return 2
    except ImportError as error:
        _log.error("this Python has no Blender: install bpy-bridge[embedded], or use blender -b (%s)", error)
        return 3
    _say(out, {"phase": "listening", "pid": os.getpid()})
    return _serve(door, options.announce, blender, lifetime, out)


def _serve(door: Door, announce: Optional[str], blender: Blender, lifetime: Lifetime, out: int) -> int:
    try:
        server = Server(blender, door, name=announce)
        end = _End(server, blender)
        lifetime.watch(orphaned=end.at_once, told=end.in_order)
        server.start()
    except (AddressRefused, OSError) as error:
        _log.error("%s", error)
        return 2
    _say(out, {"ready": True, "address": server.address, "pid": os.getpid(), "blender": blender.version})
    os.close(out)
    BlockingPump(server.pump, server.perform).run()
    server.stop("told to end")
    blender.remove_temporary_files()
    end.reached.set()
    return 0


def _open_blender(file: Optional[str], *, factory: bool) -> Blender:
    """Open the file, or the factory scene, which `factory` says is open already.

    Raises ImportError where there is no Blender, else RuntimeError.
    """
    import bpy  # noqa: PLC0415  a Python without Blender gets an exit code, not a traceback

    if file is not None:
        bpy.ops.wm.open_mainfile(filepath=os.path.abspath(file))
    elif not factory:
        bpy.ops.wm.read_homefile(use_factory_startup=True)
    undo.begin()
    return Blender(bpy)


class _End:
    """The two ways to end, both called off the main thread."""

    def __init__(self, server: Server, blender: Blender) -> None:
        self.reached = threading.Event()
        self._server = server
        self._blender = blender

    def in_order(self) -> None:
        """Finish what runs, briefly; refuse the rest; the main thread then returns from `main`."""
        pump = self._server.pump
        running = self._server.leave("told to end")
        if running is not None:
            ended = pump.ending(running)
            until = time.monotonic() + FINISH_SECONDS + INTERRUPT_SECONDS
            if not ended.wait(FINISH_SECONDS):
                pump.stop(running, "cancelled")
            while not ended.wait(0.1) and time.monotonic() < until:
                pump.strike(running)
        if not self.reached.wait(2 * FAREWELL_SECONDS):
            self.at_once()

    def at_once(self) -> NoReturn:
        """The main thread may be in C code for an hour: end without it."""
        self._server.vanish()
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
    return private_door(token) if listen is None else Door(listen, token, new_boot())


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


def leave(code: int) -> NoReturn:
    """End this process: in Blender's program by Blender's own way out, else without it.

    The module has none that works everywhere: at the interpreter's end 4.5 waits for ever, and 4.2 crashes.
    """
    bpy = sys.modules.get("bpy")
    if bpy is not None and not bpy.app.binary_path:
        end_process(code)
    sys.exit(code)


if __name__ == "__main__":
    leave(main(_script_arguments()))
