"""Every command and flag."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from bridge import __version__

_ADDRESS = "unix:/path or tcp:HOST:PORT"
_EXIT_CODES = (
    "exit codes: 0 done, 2 usage or configuration, 3 no Blender, 4 the request failed, 5 busy or timed out, "
    "6 no bridge running"
)
_POOL_ACTIONS = {
    "show": "show every pool, or one instance's",
    "pause": "hold all requests until resume; what runs goes on",
    "resume": "serve requests again, in the order in which they came",
    "drain": "pause, let what runs end, and close every connection until resume",
    "resize": "change how many connections there may be",
    "reconnect": "replace every connection; those in use when their request has ended",
}
_WORKER_ACTIONS = {
    "list": "show every worker, or one",
    "start": "start it, and wait until it is ready; one of a new name, too",
    "stop": "end it, and keep it so until it is started",
    "restart": "replace its process, and wait until the new one is ready",
}
_ADDON_ACTIONS = {
    "build": "write the zips that Blender installs",
    "install": "put the add-on into Blender and enable it, in the place of any other version",
    "uninstall": "disable the add-on and remove it",
    "list": "show every Blender, the add-on that it has, and what is to be done about it",
}


class _Help(argparse.HelpFormatter):
    """argparse's own, which asks `shutil` for the terminal's width at every argument; to import that takes 3 ms."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    try:
        return int(os.environ.get("COLUMNS", "")) or os.get_terminal_size(sys.stdout.fileno()).columns
    except (ValueError, OSError):
        return 80


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command and its options. Exits with 2 and a usage line where they are wrong."""
    asked = next((word for word in argv if not word.startswith("-")), None)
    parser = _parser(asked)
    if asked is not None and asked not in _COMMANDS:
        _refuse(parser, asked)
    options, rest = parser.parse_known_args(argv)
    # argparse takes positionals in one run only; `call METHOD --timeout 5 NAME=VALUE` has two.
    unknown = [word for word in rest if word.startswith("-") or "arguments" not in options]
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if "arguments" in options:
        options.arguments += rest
    return options


def _refuse(parser: argparse.ArgumentParser, asked: str) -> None:
    from difflib import get_close_matches  # noqa: PLC0415  # for start-up time

    nearest = get_close_matches(asked, _COMMANDS, n=1)
    if nearest:
        parser.error(f"there is no command {asked!r}; did you mean {nearest[0]!r}?")


def command(options: argparse.Namespace) -> int:
    """Run the command that was parsed; its exit code."""
    run = import_module(f"bridge.cli.{options.command}").run
    code: int = run(options)
    return code


def _parser(asked: str | None) -> argparse.ArgumentParser:
    """Every command, and the flags of the one that is asked for: to build all flags would be half of a start."""
    parser = argparse.ArgumentParser(
        prog="bpy-bridge",
        description="A fair, bounded, cancellable bridge between tools and Blender.",
        epilog=_EXIT_CODES,
        allow_abbrev=False,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action="version", version=f"bpy-bridge {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (purpose, add_flags) in _COMMANDS.items():
        command = _command(commands, name, purpose)
        if name == asked:
            add_flags(command)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    purpose: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=purpose,
        description=purpose[0].upper() + purpose[1:] + ".",
        epilog=_EXIT_CODES,
        allow_abbrev=False,
        formatter_class=_Help,
    )
    parser.set_defaults(parser=parser)
    return parser


def _serve_flags(parser: argparse.ArgumentParser) -> None:
    """What `serve` can be told; `start` and `service` pass it on, `config` and `doctor` judge it."""
    flags = [
        parser.add_argument(
            "--listen", action="append", metavar="ADDR", help=f"a door to open: {_ADDRESS}; repeatable"
        ),
        parser.add_argument(
            "--instance",
            type=_named_address,
            action="append",
            default=[],
            metavar="NAME=ADDR",
            help="a running Blender to connect to; repeatable",
        ),
        parser.add_argument(
            "--worker", action="append", default=[], metavar="NAME", help="a Blender to start; repeatable"
        ),
        parser.add_argument(
            "--http", metavar="ADDR|off", help="the door for metrics and probes (default: tcp:127.0.0.1:9871)"
        ),
        parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration, a TOML file"),
    ]
    parser.set_defaults(serve_flags=flags)
    _name(parser)


def _demo(demo: argparse.ArgumentParser) -> None:
    demo.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where the picture goes (default: here)")


def _serve(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)
    _serve_flags(serve)


def _start(start: argparse.ArgumentParser) -> None:
    _serve_flags(start)
    _patience(start, 30.0)
    _wait(start)


def _stop(stop: argparse.ArgumentParser) -> None:
    _name(stop)
    _patience(stop, 60.0)
    _force(stop)


def _restart(restart: argparse.ArgumentParser) -> None:
    _name(restart)
    _patience(restart, 60.0)
    _wait(restart)
    _force(restart)


def _patience(parser: argparse.ArgumentParser, seconds: float) -> None:
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=seconds,
        metavar="S",
        help=f"how many seconds it may take (default: {seconds:g})",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wait", action="store_true", help="wait until a Blender is ready, too")


def _force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="kill it, and its Blenders, when the time is up")


def _logs(logs: argparse.ArgumentParser) -> None:
    logs.add_argument("-f", "--follow", action="store_true", help="go on with each new line until Ctrl-C")
    logs.add_argument("-n", "--lines", type=_count, default=50, metavar="N", help="how many lines (default: 50)")
    _name(logs)


def _call(call: argparse.ArgumentParser) -> None:
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


def _status(status: argparse.ArgumentParser) -> None:
    status.add_argument("--json", action="store_true", help="print one JSON object")
    status.add_argument(
        "--watch",
        nargs="?",
        type=_seconds,
        const=1.0,
        metavar="S",
        help="go on showing it every S seconds (default: 1) until Ctrl-C; with --json one object a line",
    )
    _bridge(status)


def _use(use: argparse.ArgumentParser) -> None:
    chosen = use.add_mutually_exclusive_group(required=True)
    chosen.add_argument("instance", nargs="?", metavar="NAME", help="an instance; `bpy-bridge status` lists them")
    chosen.add_argument("--clear", action="store_true", help="choose nobody: what is configured or open is meant again")
    use.add_argument("--json", action="store_true", help="print one JSON object")
    _bridge(use)


def _actions(
    parser: argparse.ArgumentParser, purposes: Mapping[str, str]
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Each action by its name, one of which has to be asked for, and the parser for its flags."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, purpose in purposes.items():
        yield name, _command(actions, name, purpose)


def _pool(pool: argparse.ArgumentParser) -> None:
    for name, action in _actions(pool, _POOL_ACTIONS):
        if name == "resize":
            action.add_argument("max_connections", type=int, metavar="N", help="how many connections at most")
        if name == "drain":
            action.add_argument(
                "--timeout", type=_seconds, metavar="S", help="how many seconds to wait for the last (default: 300)"
            )
        action.add_argument("--instance", metavar="NAME", help="which Blender, where the bridge has several")
        action.add_argument("--json", action="store_true", help="print the pool's numbers as JSON")
        _bridge(action)


def _worker(worker: argparse.ArgumentParser) -> None:
    for name, action in _actions(worker, _WORKER_ACTIONS):
        which = "which one, by its name or the name of several (default: default)"
        shown = "only that one, or those of that name"
        action.add_argument("worker", nargs="?", metavar="NAME", help=shown if name == "list" else which)
        if name != "list":
            action.add_argument(
                "--timeout", type=_seconds, default=60.0, metavar="S", help="how many seconds to wait (default: 60)"
            )
        action.add_argument("--json", action="store_true", help="print a JSON list of what they are now")
        _bridge(action)


def _jobs(jobs: argparse.ArgumentParser) -> None:
    from .job_flags import add_flags  # noqa: PLC0415  # for start-up time

    add_flags(jobs, _command, _bridge, _seconds)


def _addon(addon: argparse.ArgumentParser) -> None:
    for name, action in _actions(addon, _ADDON_ACTIONS):
        if name == "build":
            action.add_argument(
                "--out", type=Path, default=Path(), metavar="DIR", help="where the zips go (default: here)"
            )
        else:
            action.add_argument("--blender", metavar="PATH", help="that Blender alone (default: all that are found)")
        action.add_argument("--json", action="store_true", help="print a JSON list")


def _mcp(mcp: argparse.ArgumentParser) -> None:
    mcp.usage = "bpy-bridge mcp [--tools …] [--instance NAME] [--name NAME] | config CLIENT | token"
    meaning = "without one: MCP on standard input and output"
    actions = mcp.add_subparsers(dest="action", metavar="ACTION", prog="bpy-bridge mcp", help=meaning)
    config = _command(actions, "config", "print an assistant's configuration for this bridge, or put it in place")
    config.add_argument(
        "client", nargs="?", choices=["claude-desktop", "claude-code", "cursor", "vscode"], help="the assistant"
    )
    config.add_argument("--write", action="store_true", help="merge it into that assistant's file, keeping a copy")
    config.add_argument(
        "--tools", metavar="TOOLS", help="which tools are listed: core (default), full, or families: scene,object"
    )
    config.add_argument(
        "--instance",
        metavar="NAME",
        help="the Blender that is meant; default: who serves requests without a name",
    )
    _name(config)
    _name(_command(actions, "token", "print the token of MCP over HTTP, which is at /mcp on the HTTP door"))


def _methods(methods: argparse.ArgumentParser) -> None:
    methods.add_argument("name", nargs="?", metavar="NAME", help="the method to describe")
    form = methods.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON list of objects, as bridge.methods answers")
    form.add_argument("--markdown", action="store_true", help="print all with their documentation and parameters")
    _bridge(methods)


def _monitoring(monitoring: argparse.ArgumentParser) -> None:
    monitoring.add_argument(
        "file",
        choices=["rules", "dashboard", "prometheus"],
        help="alert rules (YAML), Grafana dashboard (JSON), or an example of Prometheus' configuration (YAML)",
    )


def _trace(trace: argparse.ArgumentParser) -> None:
    trace.add_argument("--payloads", action="store_true", help="show what the frames carry; it may be confidential")
    trace.add_argument("--instance", metavar="NAME", help="only what passes between the bridge and this Blender")
    trace.add_argument("--connection", metavar="ID", help="only this connection, such as c1 or default-1")
    trace.add_argument("--method", metavar="METHOD", help="only requests of this method, and their answers")
    trace.add_argument("--errors", action="store_true", help="only failed answers and what is no frame")
    trace.add_argument("--json", action="store_true", help="print one JSON object a line")
    _bridge(trace)


def _config(config: argparse.ArgumentParser) -> None:
    actions = config.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = _command(actions, "show", "show every setting, where it was set and what it means")
    show.add_argument("--json", action="store_true", help="print one JSON object")
    check = _command(actions, "check", "say whether the settings are valid, and if not, what is wrong with each")
    for action in (show, check):
        _serve_flags(action)


def _doctor(doctor: argparse.ArgumentParser) -> None:
    _serve_flags(doctor)
    doctor.add_argument("--json", action="store_true", help="print the findings as one JSON object")


def _bridge(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--bridge", metavar="ADDR", help=f"the bridge's address, {_ADDRESS} (default: the one that runs here)"
    )
    _name(which)


def _name(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--name",
        dest="bridge_name",
        metavar="NAME",
        help="which bridge, where there are several (default: BPY_BRIDGE_NAME, or default)",
    )


def _named_address(text: str) -> str:
    name, equals, _ = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=ADDR, such as studio=unix:/run/user/1000/blender.sock")
    return text


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a number of lines, such as 50, not {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, such as 30, not {text!r}")
    return value


_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "demo": ("start Blender, build a scene with many concurrent callers and render it", _demo),
    "serve": ("run the bridge until SIGTERM or Ctrl-C", _serve),
    "start": ("start the bridge in the background, unless it runs", _start),
    "stop": ("end the bridge when what runs is finished", _stop),
    "restart": ("stop the bridge, and start it with the flags that it had", _restart),
    "logs": ("show what the bridge in the background logged", _logs),
    "service": ("print a systemd user unit that runs the bridge with these flags", _serve_flags),
    "call": ("call a method and print its result as JSON", _call),
    "status": ("show the running bridge, its Blenders and their queues", _status),
    "use": ("choose the Blender that is meant where none is named", _use),
    "pool": ("show or control the connections to a Blender while the bridge runs", _pool),
    "worker": ("list, start, stop or restart the Blenders that the bridge starts", _worker),
    "jobs": ("submit work that takes long, and show, cancel or watch it", _jobs),
    "addon": ("build, install, remove or list the add-on in the Blenders of this machine", _addon),
    "mcp": ("serve MCP on standard input and output, for AI assistants; or set one up", _mcp),
    "methods": ("list what can be called, or describe one method", _methods),
    "monitoring": ("print what Prometheus and Grafana need to watch a bridge", _monitoring),
    "trace": ("show the wire live, each frame on one line, until Ctrl-C", _trace),
    "config": ("show or check the settings", _config),
    "doctor": ("examine this installation and say what is wrong, and what mends it", _doctor),
}
