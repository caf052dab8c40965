"""Whether the suite would notice: it must fail on a naive pool and on each bug that is put back into this one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from bridge.pool import Pool
from tests.bridge.pool import (
    test_races_check,
    test_races_connect,
    test_races_control,
    test_races_drained,
    test_races_expect,
    test_races_hand_off,
    test_races_park,
    test_races_queue,
    test_races_return,
)
from tests.bridge.pool.mutants import MUTANTS, Mutant
from tests.bridge.pool.naive import NaivePool, NaivePoolThatReleasesLater
from tests.bridge.pool.sweep import schedule, schedules

MODULES = (
    test_races_hand_off,
    test_races_return,
    test_races_check,
    test_races_connect,
    test_races_control,
    test_races_expect,
    test_races_park,
    test_races_drained,
    test_races_queue,
)
SLOW = {"test_race_07_5000_cancelled_waiters_leave_an_empty_queue"}
STEPS = 30_000
"""A test that takes more scheduler steps than this spins."""


def _tests() -> list[Callable[..., Any]]:
    found = [function for module in MODULES for name, function in vars(module).items() if name.startswith("test_")]
    return [test for test in found if _wants_only_a_pool(test) and test.__name__ not in SLOW]


def _wants_only_a_pool(test: Callable[..., Any]) -> bool:
    return list(inspect.signature(test).parameters) == ["pool_class", "autojump_clock"]


class StepLimit(trio.abc.Instrument):
    def __init__(self, scope: trio.CancelScope) -> None:
        self._scope = scope
        self._left = STEPS

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self._left -= 1
        if self._left == 0:
            self._scope.cancel()


def _fails(test: Callable[..., Any], pool_class: Any) -> bool:
    scope = trio.CancelScope()

    async def main() -> None:
        with scope, trio.fail_after(1e6):
            await test(pool_class, None)

    try:
        trio.run(main, clock=MockClock(autojump_threshold=0), instruments=[StepLimit(scope)])
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001  # pytest's own failures are no Exceptions
        return True
    return scope.cancelled_caught


def _caught_by(pool_class: Any) -> str | None:
    """The first test that fails, else the first schedule of a small sweep that does."""
    for test in _tests():
        if _fails(test, pool_class):
            return test.__name__
    return _swept(pool_class)


def _swept(pool_class: Any) -> str | None:
    for plan in schedules(range(1, 3), range(1), pool_class, stride=3):
        problems = schedule(pool_class, plan).problems
        if problems:
            return problems[0]
    return None


def test_the_pool_itself_passes():
    assert _caught_by(Pool) is None


def test_a_naive_pool_is_caught_by_the_named_races():
    assert sum(_fails(test, NaivePoolThatReleasesLater) for test in _tests()) > 20


def test_a_naive_pool_is_caught_by_the_sweep():
    plans = schedules(range(1, 3), range(1), NaivePool, stride=3, control=())
    problems = [problem for plan in plans for problem in schedule(NaivePool, plan).problems]
    assert any("stranded" in problem for problem in problems)


@pytest.mark.filterwarnings("ignore")  # a broken pool leaves coroutines that were never awaited
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_caught(mutant: Mutant, tmp_path):
    assert _caught_by(mutant.build(tmp_path)) is not None, f"nothing notices that {mutant.name}"
