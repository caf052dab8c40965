"""What a probe says of Blender, and a monitor that nothing stops, delays or makes out of date."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from structlog.testing import capture_logs

from bridge import events
from bridge.errors import BlenderLost
from bridge.health import CALM, Health, HealthLimits, HealthMonitor, judge

FREE = {"busy": False, "running": None, "queued": 0, "last_tick_age": 0.0, "blender": "5.0.1"}
RENDERS = {"id": "b1", "method": "render.still", "seconds": 12.34}
SILENT = "its main thread is silent for 61 s, with nothing of ours running"
REFUSED = ConnectionRefusedError("unix:/x: Connection refused")


@pytest.mark.parametrize(
    ("pong", "state", "reason"),
    [
        ({}, "healthy", "it answers and its main thread is free"),
        ({"last_tick_age": 1.0}, "healthy", "it answers and its main thread is free"),
        ({"busy": True, "running": RENDERS}, "busy", "runs render.still for 12.3 s"),
        ({"busy": True, "running": RENDERS, "last_tick_age": 600.0}, "busy", "runs render.still for 12.3 s"),
        ({"last_tick_age": 4.2}, "busy", "its main thread is occupied for 4 s, by nothing of ours"),
        ({"last_tick_age": 60}, "busy", "its main thread is occupied for 60 s, by nothing of ours"),
        ({"busy": True, "last_tick_age": 0.5}, "busy", "its main thread is occupied for 0 s, by nothing of ours"),
        ({"last_tick_age": 61.0}, "unresponsive", SILENT),
        ({"busy": True, "last_tick_age": 61.0}, "unresponsive", SILENT),
    ],
)
def test_what_a_pong_says_of_the_main_thread(pong, state, reason):
    assert judge({**FREE, **pong}, 60.0) == (state, reason)


@pytest.mark.parametrize(
    "garbage",
    [
        {"busy": None},
        {"busy": 1},
        {"last_tick_age": None},
        {"last_tick_age": "4"},
        {"last_tick_age": True},
        {"last_tick_age": -1.0},
        {"last_tick_age": float("nan")},
        {"last_tick_age": float("inf")},
        {"last_tick_age": 10**400},
        {"running": True},
        {"running": []},
        {"running": {}},
        {"running": {"method": "x"}},
        {"running": {"method": "x", "seconds": "1"}},
        {"running": {"method": ["x"], "seconds": 1.0}},
    ],
)
def test_a_pong_that_is_none_is_no_answer(garbage):
    state, reason = judge({**FREE, **garbage}, 60.0)
    assert state == "unreachable"
    assert reason.startswith("answered a ping with something else")


def test_an_empty_pong_is_no_answer():
    assert judge({}, 60.0)[0] == "unreachable"


# The monitor, with a Blender that does what a test says; its clock jumps.


class FakeBlender:
    """`answer` is what a ping is answered with; `pings` are the times, `opened` the connections."""

    def __init__(self) -> None:
        self.answer = dict(FREE)
        self.takes = 0.0
        self.fails: BaseException | None = None
        self.refuses: BaseException | None = None
        self.pings: list[float] = []
        self.opened: list[FakeConnection] = []
        self.lost = 0

    async def connect(self):
        if self.refuses is not None:
            raise self.refuses
        self.opened.append(FakeConnection(self))
        return self.opened[-1]

    def note_lost(self) -> None:
        self.lost += 1


class FakeConnection:
    def __init__(self, blender: FakeBlender) -> None:
        self.blender = blender
        self.breaks: BaseException | None = None
        self.gone = trio.Event()
        self.closed = False

    async def ping(self):
        self.blender.pings.append(trio.current_time())
        await trio.sleep(self.blender.takes)
        for error in (self.breaks, self.blender.fails):
            if error is not None:
                raise error
        return self.blender.answer

    def usable(self) -> bool:
        return not self.gone.is_set()

    async def stirred(self) -> None:
        await self.gone.wait()

    def abort(self) -> None:
        self.closed = True


class Watch:
    """A monitor that runs, and the facts that it has emitted."""

    def __init__(self, blender: FakeBlender, limits: HealthLimits) -> None:
        self.seen: list[events.BridgeEvent] = []
        self.monitor = HealthMonitor("studio", blender.connect, limits, self.seen.append, on_lost=blender.note_lost)

    async def first(self) -> Health:
        return await self.monitor.latest.wait_value(lambda health: health.state != "unknown")

    async def next(self) -> Health:
        return (await self.monitor.latest.wait_transition())[0]


@asynccontextmanager
async def watching(blender: FakeBlender, **limits) -> AsyncIterator[Watch]:
    watch = Watch(blender, HealthLimits(**limits))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.monitor.run)
        yield watch
        nursery.cancel_scope.cancel()
    assert all(connection.closed for connection in blender.opened)


@pytest.fixture
def fake() -> FakeBlender:
    return FakeBlender()


def test_before_the_first_check_nothing_is_known():
    health = Health()
    assert (health.state, health.reason, health.failed, health.unhealthy) == (
        "unknown",
        "not checked yet",
        False,
        False,
    )
    assert health.as_object()["checked_at"] is None


async def test_it_checks_at_once_and_then_every_interval(fake, autojump_clock):
    async with watching(fake, interval=10.0):
        await trio.sleep(25)
    assert fake.pings == [0.0, 10.0, 20.0]
    assert len(fake.opened) == 1, "the connection is kept"


async def test_every_figure_is_measured_at_the_probe(fake, autojump_clock):
    async with watching(fake) as watch:
        began, fake.takes = time.time(), 0.5
        first = await watch.first()
        fake.takes, fake.answer = 2.0, {**FREE, "busy": True, "running": RENDERS}
        second = await watch.next()
    assert (first.state, first.latency, first.blender) == ("healthy", 0.5, FREE)
    assert (second.state, second.latency, second.blender) == ("busy", 2.0, fake.answer)
    assert began <= first.checked_at < second.checked_at <= time.time()
    assert (first.last_success, second.last_success) == (first.checked_at, second.checked_at)


async def test_every_probe_is_a_fact(fake, autojump_clock):
    async with watching(fake) as watch:
        first = await watch.first()
        fake.takes, fake.answer = 0.5, {**FREE, "last_tick_age": 61.0}
        second = await watch.next()
    assert watch.seen == [
        events.ProbeFinished("studio", "healthy", first.reason, 0.0, 0, first.checked_at),
        events.ProbeFinished("studio", "unresponsive", SILENT, 0.5, 1, second.checked_at),
    ]


class Odd(BaseException):
    """Neither an error nor an end."""


BUGS = [ZeroDivisionError("no"), ExceptionGroup("two", [KeyError("x")]), BaseExceptionGroup("odd", [Odd()]), Odd("odd")]


@pytest.mark.parametrize("bug", BUGS, ids=repr)
@pytest.mark.parametrize("where", ["fails", "refuses"])
async def test_whatever_a_probe_raises_is_logged_counted_and_survived(fake, autojump_clock, bug, where):
    setattr(fake, where, bug)
    with capture_logs() as logs:
        async with watching(fake) as watch:
            failed = await watch.first()
            assert all(connection.closed for connection in fake.opened)
            setattr(fake, where, None)
            assert (await watch.next()).state == "healthy"
    assert (failed.state, failed.failures, failed.reason) == ("unreachable", 1, f"the check itself failed: {bug!r}")
    assert events.BackgroundError("health studio", repr(bug)) in watch.seen
    assert [type(event) for event in watch.seen].count(events.BackgroundError) == 1
    [raised] = [line for line in logs if line["event"] == "health check raised"]
    assert (raised["instance"], raised["exc_info"], raised["log_level"]) == ("studio", bug, "error")


@pytest.mark.parametrize("end", [KeyboardInterrupt(), SystemExit(3)], ids=repr)
async def test_what_ends_the_process_propagates_also_out_of_a_group(fake, autojump_clock, end):
    for raised in (end, BaseExceptionGroup("both", [ValueError("no"), end])):
        fake.fails = raised
        watch = Watch(fake, HealthLimits())
        with pytest.raises((type(end), BaseExceptionGroup)) as caught:
            await watch.monitor.run()
        found = caught.value
        assert found is end or found.exceptions == (end,)
        assert fake.opened[-1].closed
    assert watch.seen == [events.BackgroundError("health studio", "ExceptionGroup('both', [ValueError('no')])")]


async def test_a_cancellation_in_a_group_propagates_and_the_rest_is_counted(fake, autojump_clock):
    async def cancelled_beside_a_bug():
        try:
            await trio.sleep_forever()
        except trio.Cancelled as cancelled:
            raise BaseExceptionGroup("both", [cancelled, ValueError("no")]) from None

    fake.connect = cancelled_beside_a_bug
    async with watching(fake, timeout=1e6) as watch:
        await trio.testing.wait_all_tasks_blocked()
    assert [type(event) for event in watch.seen] == [events.BackgroundError]


async def test_a_probe_that_hangs_is_bounded(fake, autojump_clock):
    fake.takes = 1e6
    async with watching(fake, timeout=5.0) as watch:
        health = await watch.first()
        assert trio.current_time() == 5.0
        assert fake.opened[0].closed
        assert not watch.monitor.connected
    assert (health.state, health.reason, health.latency) == ("unreachable", "no answer within 5 s", None)


async def test_a_connect_that_hangs_is_bounded(fake, autojump_clock):
    fake.connect = trio.sleep_forever
    async with watching(fake, timeout=5.0) as watch:
        assert (await watch.first()).reason == "no answer within 5 s"
        assert trio.current_time() == 5.0


async def test_a_probe_that_hangs_does_not_delay_the_end(fake, autojump_clock):
    fake.takes = 1e6
    async with watching(fake, timeout=1e5):
        await trio.sleep(1)
    assert trio.current_time() == 1.0
    assert fake.opened[0].closed


async def test_three_failures_in_a_row_are_unhealthy_and_said_once(fake, autojump_clock):
    with capture_logs() as logs:
        async with watching(fake, interval=10.0) as watch:
            last_success = (await watch.first()).last_success
            fake.opened[0].breaks, fake.refuses = BlenderLost("gone"), REFUSED
            failed = [await watch.next() for _ in range(4)]
            fake.refuses = None
            recovered = await watch.next()
            fake.answer["busy"] = None
            await watch.next()
            fake.answer["busy"] = False
            await watch.next()
    assert [(health.failures, health.unhealthy) for health in failed] == [(1, False), (2, False), (3, True), (4, True)]
    assert {(health.state, health.reason, health.last_success) for health in failed} == {
        ("unreachable", str(REFUSED), last_success)
    }
    assert (recovered.state, recovered.failures, recovered.unhealthy) == ("healthy", 0, False)
    assert [(line["log_level"], line["event"]) for line in logs] == [
        ("warning", "health check failed"),
        ("warning", "health check failed"),
        ("error", "instance is unhealthy"),
        ("info", "instance answers again"),
        ("warning", "health check failed"),
        ("info", "instance answers again"),
    ]
    assert [(line["failures"], line["down_for"]) for line in (logs[3], logs[5])] == [(4, 40.0), (1, 10.0)]
    assert {line["instance"] for line in logs} == {"studio"}


async def test_an_unresponsive_blender_becomes_unhealthy_too(fake, autojump_clock):
    fake.answer["last_tick_age"] = 3.5
    async with watching(fake, unresponsive_after=3.0, failures=2) as watch:
        assert (await watch.first()).state == "unresponsive"
        assert (await watch.next()).unhealthy
    assert len(fake.opened) == 1


async def test_after_garbage_the_connection_is_replaced(fake, autojump_clock):
    fake.answer = {"hello": 1}
    async with watching(fake) as watch:
        assert (await watch.first()).blender is None
        assert fake.opened[0].closed
        fake.answer = FREE
        assert (await watch.next()).state == "healthy"


async def test_blender_restarted_between_two_probes_is_no_failure(fake, autojump_clock):
    async with watching(fake) as watch:
        await watch.first()
        fake.opened[0].breaks = BlenderLost("the connection is broken")
        health = await watch.next()
    assert (health.state, health.failures) == ("healthy", 0)
    assert (fake.opened[0].closed, len(fake.opened), fake.lost) == (True, 2, 1)


async def test_a_broken_connection_is_replaced_once_within_a_probe(fake, autojump_clock):
    async with watching(fake) as watch:
        await watch.first()
        fake.fails = BlenderLost("it hangs up on everybody")
        assert (await watch.next()).reason == "it hangs up on everybody"
        assert len(fake.opened) == 2


async def test_a_death_is_noticed_without_waiting_for_the_interval(fake, autojump_clock):
    async with watching(fake) as watch:
        await watch.first()
        fake.refuses = REFUSED
        fake.opened[0].gone.set()
        assert (await watch.next()).state == "unreachable"
        assert trio.current_time() == 0.0
        assert fake.lost
        await trio.sleep(299)
        assert len(watch.seen) == 2, "and then it is checked at the interval again"


async def test_while_there_is_no_connection_the_owner_looks_at_its_own_every_second(fake, autojump_clock):
    fake.refuses = REFUSED
    async with watching(fake) as watch:
        await watch.first()
        before = fake.lost
        await trio.sleep(10.5 * CALM)
    assert fake.lost - before == 10


async def test_a_peer_that_hangs_up_after_each_answer_makes_no_busy_loop(fake, autojump_clock):
    async with watching(fake):
        with trio.move_on_after(60):
            while True:
                await trio.testing.wait_all_tasks_blocked()
                fake.opened[-1].gone.set()
                await trio.sleep(0.25)
    assert 10 < len(fake.pings) <= 60 / CALM + 2


async def test_poked_it_checks_at_once(fake, autojump_clock):
    async with watching(fake) as watch:
        await watch.first()
        watch.monitor.poke()
        await watch.next()
    assert fake.pings == [0.0, 0.0]


async def test_poked_during_a_probe_it_checks_once_more(fake, autojump_clock):
    fake.takes = 2.0
    async with watching(fake) as watch:
        await trio.sleep(1)
        watch.monitor.poke()
        await trio.sleep(100)
    assert fake.pings == [0.0, 2.0]
