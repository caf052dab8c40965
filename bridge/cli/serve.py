"""bpy-bridge serve: the bridge, in the foreground; what `start` runs in the background too.

The lock comes before anything else, before the imports that take a while too: of many that start at the same moment,
all but one are over in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from bridge.daemon import Tenure, detach
from bridge.errors import AlreadyRunning

from . import output


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C. Raises ConfigurationError before a door is open, for whatever is wrong."""
    launcher = detach() if options.detached else None
    try:
        with Tenure(flags_of(options), launcher) as tenure:
            return _serve(options, tenure, alone=launcher is None)
    except AlreadyRunning:
        if launcher is None:
            raise
        return AlreadyRunning.exit_code  # the launcher knows; the log is the other one's


def _serve(options: argparse.Namespace, tenure: Tenure, *, alone: bool) -> int:
    for remark in tenure.remarks:
        output.complain(remark)

    def announce(listen: list[str], http: str | None, mcp: str | None) -> None:
        tenure.announce(listen, http, mcp)
        if alone:
            beside = {"http": http, "mcp": mcp}
            where = {"listen": listen, **{door: address for door, address in beside.items() if address is not None}}
            print(json.dumps({"ready": True, **where, "pid": os.getpid()}), flush=True)

    from . import serving  # noqa: PLC0415  # after the lock

    return serving.run(options, announce)


def flags_of(options: argparse.Namespace) -> list[str]:
    """The flags of `serve` that were given, so that another process can be given them."""
    words: list[str] = []
    for action in options.serve_flags:
        value = getattr(options, action.dest)
        for each in value if isinstance(value, list) else [value]:
            if each is True:
                words.append(action.option_strings[-1])
            elif each is not None and each is not False:
                words += [action.option_strings[-1], str(each.absolute() if isinstance(each, Path) else each)]
    return words
