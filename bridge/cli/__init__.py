"""argv → configuration → exit code. It parses and prints, and decides nothing.

arguments   every command and flag
call  methods  status  serve  demo    one command each; what it needs is imported when it runs
output      results on standard output, errors in a few lines on standard error

`call`, `status` and `methods` start in milliseconds: the standard library and the blocking client, no trio.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from bridge.errors import BridgeError

from . import arguments, output

EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Exits by SystemExit for --help, --version (0) and usage errors (2)."""
    options = arguments.parse(sys.argv[1:] if argv is None else argv)
    try:
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
