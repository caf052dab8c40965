"""What every benchmark shares: how a row is declared, how a ratio is measured.

A machine is never quiet, so two sides are compared in alternating rounds of one process and the median round counts.
Garbage collection is off while a side is timed, as in timeit: with it, the size of the heap would be measured.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Literal

Better = Literal["lower", "higher"]
Side = Callable[[], float]
"""Does the work once and returns the seconds it took; setting up and tearing down are left out of them."""


class Unmeasurable(Exception):
    """This machine cannot run the row; the message says what it lacks."""


@dataclass(frozen=True)
class Row:
    """One line of the table. `measure` returns the value in `unit`; `limit` is the worst value that is accepted."""

    name: str
    unit: str
    limit: float
    better: Better
    measure: Callable[[], float]

    def met_by(self, value: float) -> bool:
        return value <= self.limit if self.better == "lower" else value >= self.limit


ROWS: list[Row] = []


def row(
    name: str, *, limit: float, unit: str = "x", better: Better = "lower"
) -> Callable[[Callable[[], float]], Callable[[], float]]:
    """Declare the decorated function as a row of the table."""

    def declare(measure: Callable[[], float]) -> Callable[[], float]:
        ROWS.append(Row(name, unit, limit, better, measure))
        return measure

    return declare


def ratio(measured: Side, reference: Side, rounds: int = 15) -> float:
    """How many times as long `measured` takes as `reference`: the median of alternating rounds, after one warm-up."""
    measured()
    reference()
    return median(_round(measured, reference) for _ in range(rounds))


def _round(measured: Side, reference: Side) -> float:
    # A B B A: what drifts steadily during a round weighs on both sides alike.
    first = timed(measured)
    between = timed(reference) + timed(reference)
    return (first + timed(measured)) / between


def timed(side: Side) -> float:
    """The side's seconds, without garbage collection."""
    gc.collect()
    gc.disable()
    try:
        return side()
    finally:
        gc.enable()
