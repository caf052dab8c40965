"""Every command and flag."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from bridge import __version__

_ADDRESS = "unix:/path or tcp:HOST:PORT"
_EXIT_CODES = (
    "exit codes: 0 done, 2 usage or configuration, 3 no Blender, 4 the request failed, 5 busy or timed out, "
    "6 no bridge running"
)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command and its options. Exits with 2 and a usage line where they are wrong."""
    parser = _parser()
    options, rest = parser.parse_known_args(argv)
    # argparse takes positionals in one run only; `call METHOD --timeout 5 NAME=VALUE` has two.
    unknown = [word for word in rest if word.startswith("-") or options.command != "call"]
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if options.command == "call":
        options.arguments += rest
    return options


def command(options: argparse.Namespace) -> int:
    """Run the command that was parsed; its exit code."""
    run = import_module(f"bridge.cli.{options.command}").run
    code: int = run(options)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bpy-bridge",
        description="A fair, bounded, cancellable bridge between tools and Blender.",
        epilog=_EXIT_CODES,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"bpy-bridge {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = _command(commands, "demo", "start Blender, build a scene with many concurrent callers and render it")
    demo.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where the picture goes (default: here)")

    serve = _command(commands, "serve", "run the bridge until SIGTERM or Ctrl-C")
    serve.add_argument("--listen", action="append", metavar="ADDR", help=f"a door to open: {_ADDRESS}; repeatable")
    serve.add_argument(
        "--instance",
        action="append",
        default=[],
        metavar="NAME=ADDR",
        help="a running Blender to connect to; repeatable",
    )
    serve.add_argument("--worker", action="append", default=[], metavar="NAME", help="a Blender to start; repeatable")
    serve.add_argument("--config", type=Path, metavar="FILE", help="the configuration, a TOML file")

    call = _command(commands, "call", "call a method and print its result as JSON")
    call.add_argument("method", metavar="METHOD", help="such as scene.summary; `bpy-bridge methods` lists them")
    call.add_argument(
        "arguments", nargs="*", metavar="NAME=VALUE", help="a parameter: JSON where it parses, else a string"
    )
    call.add_argument("--json", metavar="OBJECT", help="parameters as a JSON object; NAME=VALUE wins over it")
    call.add_argument("--instance", metavar="NAME", help="which Blender, where the bridge has several")
    call.add_argument("--timeout", type=_seconds, metavar="S", help="how many seconds it may take (default: 300)")
    call.add_argument(
        "--save", action="append", default=[], metavar="PART=FILE", help="write a binary part of the result; repeatable"
    )
    _bridge(call)

    status = _command(commands, "status", "show the running bridge, its Blenders and their queues")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    _bridge(status)

    methods = _command(commands, "methods", "list what can be called, or describe one method")
    methods.add_argument("name", nargs="?", metavar="NAME", help="the method to describe")
    methods.add_argument("--json", action="store_true", help="print a JSON list of objects, as bridge.methods answers")
    _bridge(methods)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    purpose: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".", epilog=_EXIT_CODES, allow_abbrev=False
    )
    parser.set_defaults(parser=parser)
    return parser


def _bridge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bridge", metavar="ADDR", help=f"the bridge's address, {_ADDRESS} (default: the one that runs here)"
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, such as 30, not {text!r}")
    return value
