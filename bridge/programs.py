"""Running a program for a bounded time."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

_MOST_OUTPUT = 64 << 10


class Outcome(NamedTuple):
    """`code` is None where it did not end in time; `output` is both streams'."""

    code: int | None
    output: str

    @property
    def last_line(self) -> str:
        """The last thing that it said."""
        return self.tail(1) or f"it ended with {self.code} and said nothing"

    def tail(self, count: int) -> str:
        """The last lines that are not empty."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        return "\n".join(lines[-count:])


def run(argv: Sequence[str], seconds: float) -> Outcome:
    """Run it, and end it and its children after so long. A program that cannot even be started has code 127."""
    # Into a file: a pipe would be kept open by children that outlive it.
    with tempfile.TemporaryFile() as file:
        try:
            process = subprocess.Popen(  # noqa: S603  # Blender, Python, ldd: no argument is from outside
                argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=os.name == "posix"
            )
        except OSError as error:
            return Outcome(127, error.strerror or str(error))
        try:
            code: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
            _kill(process)
        except BaseException:
            _kill(process)
            raise
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _MOST_OUTPUT))
        return Outcome(code, file.read(_MOST_OUTPUT).decode(errors="replace"))


def _kill(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
