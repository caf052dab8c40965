"""One command, run and turned into an answer: nothing that it raises or prints gets past here."""

from __future__ import annotations

import contextlib
import io
import sys
import traceback
from typing import Any, List

from .call import Call, Interrupted, StopReason
from .interrupt import Interrupter
from .wire import Fault
from .wire.fault import Outcome
from .work import Answer, Work

_MOST_TEXT = 32_768


def execute(work: Work, interrupter: Interrupter, most: int) -> Answer:
    """Run the command on this thread, the main one. Its answer has at most `most` bytes. Raises nothing."""
    printed = _Printed(sys.stdout)
    try:
        with contextlib.redirect_stdout(printed):
            answer = work.run(interrupter, most)
    except BaseException as error:  # noqa: BLE001  the boundary: a command may raise anything and never ends Blender
        return Answer.of_fault(_fault(work.call, error, printed))
    if work.call.stop_reason is not None:
        # A render, for one, swallows the interrupt, stops halfway and returns as if all were well.
        return Answer.of_fault(stopped(work.call, work.call.stop_reason, "unknown"))
    return answer


def stopped(call: Call, reason: StopReason, outcome: Outcome) -> Fault:
    """What a requester is told whose request was stopped."""
    what = "was cancelled" if reason == "cancelled" else "came to its deadline"
    how = "before it ran" if outcome == "not_executed" else "while it ran: what it did until then may remain"
    return Fault("timeout" if reason == "timeout" else "cancelled", f"{call.method} {what} {how}", outcome=outcome)


class _Printed(io.TextIOBase):
    """What a command prints: passed on, and its beginning kept for the error report."""

    def __init__(self, onward: Any) -> None:
        self._onward = onward
        self._kept: List[str] = []
        self._room = _MOST_TEXT

    def write(self, text: str, /) -> int:
        if self._room > 0:
            self._kept.append(text[: self._room])
            self._room -= len(text)
        if self._onward is not None:
            self._onward.write(text)
        return len(text)

    def flush(self) -> None:
        if self._onward is not None:
            self._onward.flush()

    def text(self) -> str:
        return "".join(self._kept)


def _fault(call: Call, error: BaseException, printed: _Printed) -> Fault:
    reason = call.stop_reason
    if reason is None and isinstance(error, Interrupted) and call.interrupted:
        reason = "timeout"
    if reason is not None:
        return stopped(call, reason, "unknown" if reason == "timeout" else "failed")
    if isinstance(error, Fault):
        return error
    kind = type(error).__name__
    try:
        message, text = f"{kind}: {error}"[:_MOST_TEXT], _traceback(error)
    except Exception:  # noqa: BLE001  an error may fail to describe itself
        message, text = kind, ""
    data = {"type": kind, "traceback": text, "stdout": printed.text()}
    return Fault("execution_failed", message, data=data)


def _traceback(error: BaseException) -> str:
    # Ours are the first frames: the pump, the work, the guard, the work's encoder and the registry.
    trace = error.__traceback__
    package = __name__.rpartition(".")[0] + "."
    while trace is not None and trace.tb_next is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if not name.startswith(package) or name.startswith(package + "commands."):
            break
        trace = trace.tb_next
    text = "".join(traceback.format_exception(type(error), error, trace))
    return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT // 2]}\n…\n{text[-_MOST_TEXT // 2 :]}"
