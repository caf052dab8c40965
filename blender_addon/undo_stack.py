"""Reads Blender's undo steps. Python cannot ask for them: Blender can but print them, so that is caught and read."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import sys
import tempfile
from typing import Iterator, List, NamedTuple, Optional

from .undo import FIRST

# [*#MS]   3 {0x5559a78073b8} type='Global Undo', name='object.create'
_LINE = re.compile(rb"\[(.)(.)(.)(.)\] +(\d+) \{.*?\} type='.*?', name='(.*)'")
_HEADING = re.compile(rb"Undo \d+ Steps? \(")


class Step(NamedTuple):
    """One step that a person can go to. `number` is its place among all of Blender's own."""

    number: int
    name: str


class Stack(NamedTuple):
    """The steps, the oldest first. `at` is where among them Blender is now; -1 where there are none."""

    steps: List[Step]
    at: int

    @property
    def undone(self) -> List[Step]:
        """What redo would bring back, the next first."""
        return self.steps[self.at + 1 :]

    @property
    def done(self) -> List[Step]:
        """What undo would take back, the next first; the oldest step of all is where it ends."""
        return self.steps[self.at : 0 : -1] if self.at > 0 else []


def read_stack() -> Optional[Stack]:
    """The steps that there are, None where this Blender does not show them. Main thread, with a window."""
    import bpy  # noqa: PLC0415  the bridge imports the commands without Blender

    undo, redo = bpy.ops.ed.undo, bpy.ops.ed.redo
    if bpy.app.background and not undo.poll() and not redo.poll():
        # There may be no stack at all, and Blender would crash printing it.
        return Stack([], -1)
    try:
        with _caught() as text:
            bpy.context.window_manager.print_undo_steps()
    except (OSError, AttributeError):
        return None
    stack = parse_stack(bytes(text))
    return since_load(stack) if stack is not None and bpy.app.background else stack


def parse_stack(printed: bytes) -> Optional[Stack]:
    """What Blender printed; None where it printed no step."""
    steps: List[Step] = []
    at = -1
    for line in printed.splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        hidden = found[4] == b"S"
        if not hidden:
            steps.append(Step(int(found[5]), found[6].decode(errors="replace")))
        if found[1] == b"*":
            at = len(steps) - 1
    return Stack(steps, at) if steps else None


def since_load(stack: Stack) -> Stack:
    """Without the steps of the file before, to which undo must not go back: 3.4 has them still, without a window."""
    starts = [place for place, known in enumerate(stack.steps[: stack.at + 1]) if known.name == FIRST]
    start = starts[-1] if starts else 0
    return Stack(stack.steps[start:], stack.at - start)


@contextlib.contextmanager
def _caught() -> Iterator[bytearray]:
    """What C code prints in the block, in the bytes that it is given. What others print meanwhile is passed on."""
    caught = bytearray()
    _flush()
    with tempfile.TemporaryFile() as file:
        kept = os.dup(1)
        try:
            os.dup2(file.fileno(), 1)
            try:
                yield caught
                _flush()
            finally:
                os.dup2(kept, 1)
            file.seek(0)
            printed = file.read()
            caught += printed
            others = b"".join(line for line in printed.splitlines(keepends=True) if not _ours(line))
            if others:
                os.write(kept, others)
        finally:
            os.close(kept)


def _ours(line: bytes) -> bool:
    return not line.strip() or _HEADING.match(line) is not None or _LINE.fullmatch(line.rstrip(b"\r\n")) is not None


def _flush() -> None:
    if sys.__stdout__ is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.__stdout__.flush()
    # Blender's own buffer, which is the C library's.
    ctypes.CDLL("ucrtbase" if os.name == "nt" else None).fflush(None)
