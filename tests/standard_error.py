"""Where unconfigured logging goes in tests.

Not to standard output: the stand-in Blender redirects that, on a thread beside ours that logs.
"""

from __future__ import annotations

import io
import sys

import structlog


class _StandardError(io.TextIOBase):
    """Whatever it is now."""

    def write(self, text: str, /) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def log_to_standard_error() -> None:
    """Undo what was configured."""
    structlog.reset_defaults()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(_StandardError()))
