"""Running the checks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import NamedTuple

from bridge.errors import BridgeError

from .finding import Finding, broken, warning
from .place import Place


class Check(NamedTuple):
    """`run` may raise; after `seconds` nobody waits for it any more."""

    name: str
    run: Callable[[Place], Iterable[Finding]]
    seconds: float = 10.0


class Report(NamedTuple):
    """What one check found."""

    check: str
    findings: list[Finding]


def examine(place: Place, checks: Sequence[Check]) -> list[Report]:
    """Run all checks at the same time; what each found, in their order."""
    started = monotonic()
    running = [_Running(check, place) for check in checks]
    return [one.report(started) for one in running]


class _Running:
    """A check in a thread of its own, a daemon: one that hangs must not keep the process."""

    def __init__(self, check: Check, place: Place) -> None:
        self._check = check
        self._place = place
        self._findings: list[Finding] | None = None
        self._thread = threading.Thread(target=self._run, name=f"doctor {check.name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._findings = list(self._check.run(self._place))
        except BridgeError as error:
            self._findings = [broken(str(error), "mend that, and try again")]
        except Exception as error:  # noqa: BLE001  # whatever a broken machine makes a check raise is a finding
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            self._findings = [warning(f"this could not be examined: {said}", "report it, with this line")]

    def report(self, started: float) -> Report:
        self._thread.join(max(0.0, started + self._check.seconds - monotonic()))
        unfinished = warning(
            f"this could not be examined within {self._check.seconds:g} seconds",
            "look whether the machine is overloaded or a file system hangs, and try again",
        )
        return Report(self._check.name, [unfinished] if self._findings is None else self._findings)
