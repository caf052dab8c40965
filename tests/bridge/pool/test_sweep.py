"""Every point at which a cancellation or an act of control can fall, for small crowds and several seeds."""

from __future__ import annotations

import pytest

from bridge.pool import Pool
from tests.bridge.pool.sweep import Plan, schedule, schedules


@pytest.mark.parametrize("size", [1, 2, 3])
def test_nothing_is_lost_wherever_it_falls(size):
    problems = [problem for plan in schedules(range(size, size + 1), range(3), Pool) for problem in _problems(plan)]
    assert problems == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3, 63))
def test_nothing_is_lost_wherever_it_falls_at_length(seed):
    problems = [problem for plan in schedules(range(1, 5), range(seed, seed + 1), Pool) for problem in _problems(plan)]
    assert problems == []


def _problems(plan: Plan) -> list[str]:
    return schedule(Pool, plan).problems


def test_the_sweep_visits_thousands_of_schedules():
    assert sum(1 for _ in schedules(range(1, 4), range(3), Pool)) > 4000
