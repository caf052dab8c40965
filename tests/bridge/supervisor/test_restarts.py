"""The budget of restarts, and the pauses before them."""

from __future__ import annotations

import pytest

from bridge.supervisor import restarts
from bridge.supervisor.restarts import Restarts


@pytest.fixture
def longest(monkeypatch):
    """The jitter at its most."""
    monkeypatch.setattr(restarts.random, "uniform", lambda low, high: high)


def test_the_budget_is_so_many_within_the_window():
    budget = Restarts(2, 60.0)
    assert budget.next(0.0, was_ready=False) is not None
    assert budget.next(1.0, was_ready=False) is not None
    assert budget.next(59.9, was_ready=False) is None
    assert budget.count == 2
    assert budget.next(60.0, was_ready=False) is not None


def test_without_a_budget_there_is_none():
    assert Restarts(0, 60.0).next(0.0, was_ready=True) is None


def test_reset_begins_it_anew(longest):
    budget = Restarts(1, 60.0)
    budget.next(0.0, was_ready=False)
    budget.reset()
    assert budget.count == 0
    assert budget.next(1.0, was_ready=False) == 0.1


def test_pauses_double_up_to_a_bound_that_is_lower_for_what_was_ready(longest):
    hopeless, good = Restarts(100, 60.0), Restarts(100, 60.0)
    assert [hopeless.next(0.0, was_ready=False) for _ in range(9)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert [good.next(0.0, was_ready=True) for _ in range(7)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_the_jitter_is_full():
    pauses = {Restarts(1, 60.0).next(0.0, was_ready=False) for _ in range(200)}
    assert min(pauses) < 0.03
    assert max(pauses) > 0.07
