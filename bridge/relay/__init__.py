"""What MCP clients start: standard input and output ⇄ the running bridge's MCP door.

It must answer in milliseconds, so it imports next to nothing, and passes lines on as they are. Where no bridge runs it
starts one. Where the bridge ends, it answers what is in flight, and at the client's next request joins the next bridge,
greeting it as the client once greeted the first: a client need not be restarted with the bridge.

relaying   one client's lines to the bridge, one bridge after the other
reaching   the door of the bridge that runs, or of one that is started for it
messages   lines, and what the relay itself has to say
"""

from __future__ import annotations

import os
import sys

from .messages import complain, write
from .reaching import NoBridge, usual_place
from .relaying import Relay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NoBridge", "Relay", "main", "usual_place"]

_USAGE_ERROR = 2
_INTERRUPTED = 130
_USAGE = """usage: bpy-bridge mcp [--tools core|full|FAMILY,…] [--instance NAME] [--name NAME]

Serve MCP on standard input and output, for clients such as Claude Desktop, Claude Code, Cursor and VS Code.

  --tools     which tools are listed: core (default), full, or families such as scene,object,render
  --instance  the Blender that is meant; default: whichever serves requests without a name
  --name      the bridge that is meant, where there are several

`bpy-bridge mcp config CLIENT` prints the client's configuration; --write puts it in place.
`bpy-bridge mcp token` prints the token of MCP over HTTP."""


def main(argv: Sequence[str] | None = None) -> int:
    """Relay until the client closes standard input. The exit code: 0, 2 usage, else why there is no bridge."""
    words = sys.argv[1:] if argv is None else list(argv)
    if "--help" in words or "-h" in words:
        write(_USAGE.encode() + b"\n")
        return 0
    options = {"--tools": "core", "--instance": None, "--name": None}
    while words:
        flag, _, value = words.pop(0).partition("=")
        if flag not in options or not (value or words):
            complain(f"{flag} is no flag here, or lacks its value; see bpy-bridge mcp --help")
            return _USAGE_ERROR
        options[flag] = value or words.pop(0)
    if options["--name"]:
        os.environ["BPY_BRIDGE_NAME"] = options["--name"]
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415  # there is none elsewhere

        for descriptor in (0, 1):
            msvcrt.setmode(descriptor, os.O_BINARY)
    relay = Relay(options["--tools"] or "core", options["--instance"])
    try:
        relay.join()
        relay.run()
    except NoBridge as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0
