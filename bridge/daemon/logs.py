"""What the bridge in the background logged: its last lines, and those to come, over the ends of files."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

_BETWEEN_LOOKS = 0.2
_BLOCK = 65_536
_pause: Callable[[float], object] = threading.Event().wait


def last_lines(path: Path, count: int, end: int | None = None) -> list[str]:
    """The last `count` lines, those of the files before it (path.1, path.2, …) included. Raises OSError.

    With `end`, what stands in the file behind so many bytes is left out.
    """
    lines = _last(path, count, end)
    number = 1
    while len(lines) < count and (former := Path(f"{path}.{number}")).exists():
        lines = _last(former, count - len(lines)) + lines
        number += 1
    return lines


def lines_since(path: Path, size: int) -> list[str]:
    """What came after the first `size` bytes; all of it where the file has become smaller."""
    with open(path, "rb") as file:
        file.seek(size if size <= os.fstat(file.fileno()).st_size else 0)
        return _text(file.read()).splitlines()


def follow(path: Path, count: int) -> Iterator[str]:
    """The last `count` lines and then each new one as it comes, without end; a file that is rotated is read to its end.

    Raises OSError where there is no file at first.
    """
    file: BinaryIO = open(path, "rb")  # noqa: SIM115  # another one takes its place
    try:
        yield from last_lines(path, count, file.seek(0, os.SEEK_END))
        rest = b""
        while True:
            *lines, rest = (rest + file.read(_BLOCK)).split(b"\n")
            yield from map(_text, lines)
            if lines:
                continue
            following = _following(file, path)
            if following is None:
                _pause(_BETWEEN_LOOKS)
            elif not (late := file.read(_BLOCK)):
                file.close()
                file = following
            else:
                # Written before the file was rotated and after it was read.
                following.close()
                rest += late
    finally:
        file.close()


def _following(file: BinaryIO, path: Path) -> BinaryIO | None:
    """What is at the path, where that is another file by now."""
    try:
        following = open(path, "rb")  # noqa: SIM115  # the caller's to close
    except OSError:
        return None
    if os.path.samestat(os.fstat(file.fileno()), os.fstat(following.fileno())):
        following.close()
        return None
    return following


def _last(path: Path, count: int, end: int | None = None) -> list[str]:
    if count <= 0:
        return []
    with open(path, "rb") as file:
        start = file.seek(0, os.SEEK_END) if end is None else end
        data = b""
        # One more end of line than lines: the first may be cut.
        while start > 0 and data.count(b"\n") <= count:
            size = min(_BLOCK, start)
            start = file.seek(start - size)
            data = file.read(size) + data
    return _text(data).splitlines()[-count:]


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
