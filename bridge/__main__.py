"""python -m bridge, and what `bpy-bridge` starts: the relay in its milliseconds, else the command line."""

from __future__ import annotations

import sys


def main() -> int:
    """Run one command; the exit code."""
    # `mcp config` and `mcp token` are commands like others.
    if sys.argv[1:2] == ["mcp"] and (len(sys.argv) < 3 or sys.argv[2].startswith("-")):
        from . import relay  # noqa: PLC0415  # alone: it must answer at once

        return relay.main(sys.argv[2:])
    from .cli import main as command_line  # noqa: PLC0415  # it takes longer to import than the relay to answer

    return command_line()


if __name__ == "__main__":
    sys.exit(main())
