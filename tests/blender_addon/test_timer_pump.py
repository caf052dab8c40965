"""The pump of a Blender with a window: how long a tick stays, on a clock that the test moves."""

from __future__ import annotations

import pytest

from blender_addon.pump import Pump
from blender_addon.timer_pump import ACTIVE, BUDGET, LINGER, WAIT, TimerPump
from blender_addon.work import Ticket, Work
from tests.blender_addon.serving import CooperativeInterrupter

SHORT = 0.000_1


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Client:
    def answer(self, ticket, answer):
        pass


class Command:
    def run(self, call, arguments):
        return {}


class Window:
    """Blender's main loop, one tick after the other. What is to come comes while a tick waits for it."""

    def __init__(self):
        self.clock = Clock()
        self.pump = Pump(CooperativeInterrupter())
        self.pump.park = self.park
        self.ran, self.waits, self.coming = [], [], []
        self.takes = SHORT
        self.loaded = False
        self.driver = TimerPump(self.pump, self.perform, settled=lambda: not self.loaded, clock=self.clock)

    def submit(self, name="work"):
        self.pump.submit(Work(Ticket(Client(), name, None), "a.b", Command(), {}))

    def perform(self, pump, work):
        self.ran.append(work.call.request_id)
        self.clock.now += self.takes
        pump.run(work)

    def park(self, timeout):
        """Wait in no time at all: the next that is to come comes after half of it, or else nothing does."""
        self.waits.append(timeout)
        if self.coming:
            self.clock.now += timeout / 2
            self.submit(self.coming.pop(0))
        else:
            self.clock.now += timeout

    def tick(self):
        before = self.clock.now
        assert self.driver.tick()
        return self.clock.now - before


@pytest.fixture
def window():
    return Window()


def test_an_idle_tick_waits_for_nothing(window):
    assert window.tick() == 0.0
    assert window.waits == []


def test_a_tick_takes_all_that_waits(window):
    for name in "abcdefgh":
        window.submit(name)
    window.tick()
    assert "".join(window.ran) == "abcdefgh"


def test_after_a_command_it_lingers_for_the_next(window):
    window.submit()
    assert window.tick() == pytest.approx(SHORT + LINGER)


def test_each_command_in_a_burst_is_lingered_after_anew(window):
    window.submit("a")
    window.coming = [*"bc"]
    window.tick()
    assert window.ran == [*"abc"]
    assert window.waits == pytest.approx([LINGER] * 3)


def test_a_burst_is_cut_short_at_the_budget_for_the_windows_sake(window):
    window.takes = BUDGET / 3.5
    for name in "abcdefgh":
        window.submit(name)
    window.tick()
    assert window.ran == [*"abcd"]
    window.tick()
    assert window.ran == [*"abcdefgh"]


def test_lingering_is_within_the_budget(window):
    window.submit()
    window.coming = ["work"] * 100
    assert window.tick() <= BUDGET + SHORT


def test_a_long_command_is_not_lingered_after(window):
    window.takes = 1.0
    window.submit()
    window.tick()
    assert window.waits == []


def test_while_tools_are_at_work_a_tick_waits_a_little(window):
    window.submit()
    window.tick()
    window.waits.clear()
    window.coming = ["b"]
    window.tick()
    assert window.waits[0] == pytest.approx(WAIT)
    assert window.ran == ["work", "b"]


def test_a_second_after_the_last_command_it_waits_no_more(window):
    window.submit()
    window.tick()
    window.clock.now += ACTIVE
    assert window.tick() == 0.0


def test_after_a_load_the_main_loop_comes_by_first(window):
    window.loaded = True
    for name in "ab":
        window.submit(name)
    window.tick()
    assert window.ran == ["a"]
    window.tick()
    assert window.ran == ["a", "b"]


def test_a_command_that_runs_the_main_loop_does_not_run_others_inside_itself(window):
    def perform(pump, work):
        window.ran.append(f"begin {work.call.request_id}")
        assert window.driver.inside
        assert window.driver.tick()
        window.ran.append("end")
        pump.run(work)

    window.driver = TimerPump(window.pump, perform, clock=window.clock)
    window.submit("a")
    window.submit("b")
    window.tick()
    assert window.ran == ["begin a", "end", "begin b", "end"]
    assert not window.driver.inside


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_nothing_gets_past_a_tick(window, error, caplog):
    def perform(pump, work):
        pump.run(work)
        raise error

    window.driver = TimerPump(window.pump, perform, clock=window.clock)
    window.submit()
    window.tick()
    assert "by a bug" in caplog.text
    assert not window.driver.inside


def test_the_last_tick_is_the_one_that_finds_the_pump_closed(window):
    window.pump.close("the end")
    assert not window.driver.tick()
