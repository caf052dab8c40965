"""argv → configuration → exit code. It parses and prints, and decides nothing.

arguments   every command and flag
call  status  methods  start  serve …   one command each; what it needs is imported when it runs
serving     what `serve` does once it is the only one
output      results on standard output, errors in a few lines on standard error

What asks a bridge, starts it or stops it begins in milliseconds: the standard library and the blocking client, no trio.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bridge import paths
from bridge.errors import BridgeError

from . import arguments, output

EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Exits by SystemExit for --help, --version (0) and usage errors (2)."""
    options = arguments.parse(sys.argv[1:] if argv is None else argv)
    try:
        with _bridge_named(getattr(options, "bridge_name", None)):
            code = arguments.command(options)
        sys.stdout.flush()
    except BridgeError as error:
        output.report(error)
        return error.exit_code
    except KeyboardInterrupt:
        output.complain("interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read standard output has gone; the interpreter's last flush must not fail over it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    return code


@contextmanager
def _bridge_named(name: str | None) -> Iterator[None]:
    """Have --name mean that bridge, here and in the processes that are started: before what the environment says."""
    if name is None:
        yield
        return
    before = dict(os.environ)
    os.environ["BPY_BRIDGE_NAME"] = name
    os.environ.pop("BPY_BRIDGE_ADDRESS", None)
    try:
        paths.bridge_name()  # what is no name is wrong whether a bridge runs or not
        yield
    finally:
        for variable in ("BPY_BRIDGE_NAME", "BPY_BRIDGE_ADDRESS"):
            os.environ.pop(variable, None)
            if variable in before:
                os.environ[variable] = before[variable]
