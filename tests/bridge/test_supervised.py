"""Background tasks go on whatever happens; a cancellation ends them."""

from __future__ import annotations

import itertools

import pytest
import trio

from bridge import events
from bridge.supervised import MAX_DELAY, guarded, keep_running, split


async def test_it_returns_when_the_function_returns(autojump_clock):
    async def once() -> None:
        return None

    await keep_running("once", once, events.ignore)


async def test_what_the_function_raises_is_counted_and_it_begins_anew(autojump_clock):
    seen: list[events.BridgeEvent] = []
    errors: list[Exception] = [OSError("gone"), ZeroDivisionError(), ExceptionGroup("two", [KeyError("x")])]

    async def flaky() -> None:
        await trio.lowlevel.checkpoint()
        if errors:
            raise errors.pop()

    await keep_running("flaky", flaky, seen.append)
    assert errors == []
    assert [type(event) for event in seen] == [events.BackgroundError] * 3
    assert seen[-1] == events.BackgroundError("flaky", "OSError('gone')")


async def _starts(lasts: float, count: int) -> list[float]:
    starts: list[float] = []

    async def failing() -> None:
        starts.append(trio.current_time())
        if len(starts) < count:
            await trio.sleep(lasts)
            raise OSError

    await keep_running("failing", failing, events.ignore)
    return [b - a - lasts for a, b in itertools.pairwise(starts)]


async def test_the_pause_grows_to_its_maximum_with_jitter(autojump_clock):
    pauses = await _starts(lasts=0.0, count=100)
    assert pauses[0] <= 0.1
    assert MAX_DELAY / 2 < max(pauses) <= MAX_DELAY
    assert len({round(pause, 6) for pause in pauses}) > 90


async def test_one_that_ran_for_long_begins_anew_without_a_long_pause(autojump_clock):
    assert max(await _starts(lasts=60.0, count=100)) <= 0.1 + 1e-6


async def test_a_cancellation_propagates_from_the_function_and_from_the_pause(autojump_clock):
    async def forever() -> None:
        await trio.sleep_forever()

    async def failing() -> None:
        raise OSError

    for function in (forever, failing):
        with trio.move_on_after(1) as scope:
            await keep_running("task", function, events.ignore)
        assert scope.cancelled_caught


class Odd(BaseException):
    """Neither an error nor an end."""


@pytest.mark.parametrize("odd", [Odd(), BaseExceptionGroup("odd", [Odd(), ValueError()])], ids=repr)
async def test_what_is_no_exception_and_no_end_is_survived(autojump_clock, odd):
    seen: list[events.BridgeEvent] = []
    errors: list[BaseException] = [odd]

    async def flaky() -> None:
        if errors:
            raise errors.pop()

    await keep_running("flaky", flaky, seen.append)
    assert seen == [events.BackgroundError("flaky", repr(odd))]


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
async def test_what_ends_the_process_propagates(autojump_clock, end):
    async def interrupted() -> None:
        raise end

    with pytest.raises(end):
        await keep_running("task", interrupted, events.ignore)


async def test_it_propagates_out_of_a_group_whose_rest_is_counted(autojump_clock):
    seen: list[events.BridgeEvent] = []
    inner = BaseExceptionGroup("inner", [KeyboardInterrupt(), KeyError("x")])

    async def interrupted() -> None:
        raise BaseExceptionGroup("both", [ValueError("no"), inner])

    with pytest.RaisesGroup(pytest.RaisesGroup(KeyboardInterrupt)):
        await keep_running("task", interrupted, seen.append)
    assert seen == [
        events.BackgroundError(
            "task", "ExceptionGroup('both', [ValueError('no'), ExceptionGroup('inner', [KeyError('x')])])"
        )
    ]


async def test_a_cancellation_in_a_group_ends_the_task(autojump_clock):
    seen: list[events.BridgeEvent] = []

    async def both() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("no")

    with trio.move_on_after(1) as scope:
        await keep_running("task", both, seen.append)
    assert scope.cancelled_caught
    assert [type(event) for event in seen] == [events.BackgroundError]


def test_a_group_that_is_survived_whole_stays_as_it_was():
    group = BaseExceptionGroup("odd", [Odd()])
    assert split(group) == (group, None)


def test_a_guarded_emitter_swallows_what_a_listener_raises():
    seen = []

    def listener(event: events.BridgeEvent) -> None:
        seen.append(event)
        raise ZeroDivisionError

    event = events.ExclusivityViolated("blender")
    guarded(listener)(event)
    assert seen == [event]


def test_an_emitter_that_ignores_everything_needs_no_guard():
    assert guarded(events.ignore) is events.ignore
