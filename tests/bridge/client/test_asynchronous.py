"""The async client alone: many calls on one connection, and cancellation that stays structured."""

from __future__ import annotations

import anyio
import pytest

from blender_addon.wire import Limits, Part, head
from bridge import errors
from bridge.client import AsyncClient, asynchronous, multiplex


def test_calls_of_many_tasks_share_a_connection_and_each_gets_its_own_answer(bridge, run):
    answers = {}

    async def scenario():
        async with AsyncClient(bridge.address) as client, anyio.create_task_group() as tasks:
            for n in range(4):
                tasks.start_soon(one, client, n)

    async def one(client, n):
        answers[n] = (await client.call("gather", {"of": 4, "n": n})).value["n"]

    run(scenario)
    assert answers == {0: 0, 1: 1, 2: 2, 3: 3}
    assert bridge.accepted == 1


def test_calls_beyond_the_bridges_limit_wait_for_each_other(start_bridge, run):
    bridge = start_bridge(limits=Limits(1 << 20, 1))
    answers = []

    async def scenario():
        async with AsyncClient(bridge.address) as client, anyio.create_task_group() as tasks:
            for n in range(10):
                tasks.start_soon(one, client, n)

    async def one(client, n):
        answers.append((await client.call("echo", {"n": n})).value["n"])

    run(scenario)
    assert sorted(answers) == list(range(10))


def test_a_call_that_gets_no_turn_within_its_timeout_was_not_run(start_bridge, run):
    bridge = start_bridge(limits=Limits(1 << 20, 1))

    async def scenario():
        async with AsyncClient(bridge.address) as client, anyio.create_task_group() as tasks:
            begun = anyio.Event()
            tasks.start_soon(ignore_the_end, client, begun)
            await begun.wait()
            with pytest.raises(errors.TimedOut) as raised:
                await client.call("echo", timeout=0.05)
            assert raised.value.outcome == "not_executed"
            tasks.cancel_scope.cancel()

    async def ignore_the_end(client, begun):
        await client.call("wait", on_event=lambda event: begun.set())

    run(scenario)


@pytest.mark.parametrize("method", ["wait", "hang"])
def test_a_cancelled_call_is_cancelled_at_the_bridge_and_the_connection_stays(bridge, run, monkeypatch, method):
    monkeypatch.setattr(asynchronous, "CANCEL_WAIT", 0.2)

    async def scenario():
        async with AsyncClient(bridge.address) as client:
            with anyio.CancelScope() as scope:
                await client.call(method, on_event=lambda event: scope.cancel())
            assert scope.cancelled_caught
            assert (await client.call("echo", {"a": 1})).value == {"a": 1}

    run(scenario)
    bridge.wait_for("cancel 1")
    assert bridge.accepted == 1


def test_a_cancelled_call_waits_for_the_last_word(bridge, run, monkeypatch):
    monkeypatch.setattr(asynchronous, "CANCEL_WAIT", 600.0)

    async def scenario():
        async with AsyncClient(bridge.address) as client:
            with anyio.CancelScope() as scope:
                await client.call("wait", on_event=lambda event: scope.cancel())

    run(scenario)
    assert bridge.seen.get_nowait() == "wait"
    bridge.wait_for("cancel 1")


def test_a_call_cancelled_before_its_frame_was_begun_is_never_sent(start_bridge, run):
    bridge = start_bridge(limits=Limits(1 << 26, 4))

    async def scenario():
        async with AsyncClient(bridge.address) as client:
            await client.call("stop_reading")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(fill_the_socket, client)
                await anyio.wait_all_tasks_blocked()
                with anyio.move_on_after(0.05) as scope:
                    await client.call("never_sent")
                assert scope.cancelled_caught
                bridge.over.set()

    async def fill_the_socket(client):
        await client.call("echo", parts={"co": Part(bytes(1 << 23))})

    run(scenario)
    assert [request.method for request in bridge.requests] == ["stop_reading", "echo"]


def test_what_a_callback_raises_ends_its_own_call_alone(bridge, run):
    async def scenario():
        async with AsyncClient(bridge.address) as client, anyio.create_task_group() as tasks:
            gathered = anyio.Event()
            tasks.start_soon(gather, client, gathered)
            with pytest.raises(LookupError):
                await client.call("progress", {"payloads": ["{}", "{}"]}, on_event=refuse)
            await client.call("gather", {"of": 2})
            await gathered.wait()

    async def gather(client, gathered):
        await client.call("gather", {"of": 2})
        gathered.set()

    def refuse(event):
        raise LookupError

    run(scenario)


def test_an_error_leaves_the_client_bare_and_not_in_a_group(bridge, run):
    async def scenario():
        async with AsyncClient(bridge.address) as client:
            await client.call("error", errors.Refused("no").as_object())

    with pytest.raises(errors.Refused):
        run(scenario)


def test_a_group_of_the_bodys_own_leaves_as_it_is(bridge, run):
    async def scenario():
        async with AsyncClient(bridge.address):
            raise ExceptionGroup("own", [LookupError()])

    with pytest.RaisesGroup(LookupError):
        run(scenario)


def test_a_cancelled_body_is_cancelled_through_the_client(bridge, run):
    async def scenario():
        with anyio.CancelScope() as scope:
            async with AsyncClient(bridge.address):
                scope.cancel()
                await anyio.sleep_forever()
        assert scope.cancelled_caught

    run(scenario)


def test_a_lost_connection_ends_every_call_and_not_the_body(bridge, run):
    ended = []

    async def scenario():
        async with AsyncClient(bridge.address) as client:
            async with anyio.create_task_group() as tasks:
                for method in ("gather", "gather", "vanish"):
                    tasks.start_soon(one, client, method)
                    await anyio.wait_all_tasks_blocked()
            with pytest.raises(errors.NotRunning, match="lost"):
                await client.call("echo")
            with pytest.raises(errors.NotRunning):
                await client.ping()

    async def one(client, method):
        with pytest.raises(errors.BlenderLost) as raised:
            await client.call(method, {"of": 9})
        ended.append(raised.value.outcome)

    run(scenario)
    assert ended == ["unknown"] * 3


def test_leaving_the_client_ends_the_calls_of_other_tasks(bridge, run):
    async def scenario():
        async with anyio.create_task_group() as tasks:
            async with AsyncClient(bridge.address) as client:
                begun = anyio.Event()
                tasks.start_soon(one, client, begun)
                await begun.wait()

    async def one(client, begun):
        with pytest.raises(errors.BlenderLost):
            await client.call("wait", on_event=lambda event: begun.set())

    run(scenario)


def test_a_bridge_that_stops_reading_times_out_the_calls_behind(start_bridge, run, monkeypatch):
    monkeypatch.setattr(asynchronous, "GRACE", 0.05)
    bridge = start_bridge(limits=Limits(1 << 26, 4))
    outcomes = []

    async def scenario():
        async with AsyncClient(bridge.address) as client:
            await client.call("stop_reading")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(one, client, {"co": Part(bytes(1 << 25))})
                await anyio.wait_all_tasks_blocked()
                tasks.start_soon(one, client, None)

    async def one(client, parts):
        with pytest.raises(errors.TimedOut) as raised:
            await client.call("echo", parts=parts, timeout=0.05)
        outcomes.append((parts is None, raised.value.outcome))

    run(scenario)
    assert sorted(outcomes) == [(False, "unknown"), (True, "not_executed")]


def test_a_frame_that_makes_no_progress_ends_the_connection(start_bridge, run, monkeypatch):
    monkeypatch.setattr(multiplex, "_STALLED_AFTER", 0.05)
    bridge = start_bridge(limits=Limits(1 << 26, 4))

    async def scenario():
        async with AsyncClient(bridge.address) as client:
            await client.call("stop_reading")
            with pytest.raises(errors.BlenderLost):
                await client.call("echo", parts={"co": Part(bytes(1 << 25))})

    run(scenario)


def test_a_connection_that_ends_in_mid_frame_ends_the_call(start_bridge, run):
    bridge = start_bridge(limits=Limits(1 << 26, 4))

    async def scenario():
        async with AsyncClient(bridge.address) as client:
            await client.call("stop_reading")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(one, client)
                await anyio.wait_all_tasks_blocked()
                bridge.hang_up()

    async def one(client):
        with pytest.raises(errors.BlenderLost):
            await client.call("echo", parts={"co": Part(bytes(1 << 25))})

    run(scenario)


def test_connecting_can_be_cancelled(silent, run):
    async def scenario():
        with anyio.move_on_after(0.05) as scope:
            async with AsyncClient(silent):
                pytest.fail("it cannot open")
        assert scope.cancelled_caught

    run(scenario)


def test_a_bug_in_the_reader_is_not_swallowed(bridge, run, monkeypatch):
    def bug(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(multiplex.Multiplex, "_hand_out", bug)

    async def scenario():
        async with AsyncClient(bridge.address):
            bridge.say(head(b'{"kind":"goodbye","reason":"soon"}', 0))
            await anyio.sleep_forever()

    with pytest.RaisesGroup(ZeroDivisionError):
        run(scenario)


def test_told_goodbye_it_finishes_what_runs_sends_nothing_more_and_leaves(bridge, run):
    async def scenario():
        async with AsyncClient(bridge.address) as client:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call, "wait")
                await anyio.to_thread.run_sync(bridge.seen.get)
                bridge.say(head(b'{"kind":"goodbye","reason":"soon"}', 0))
                with anyio.fail_after(10):
                    while not client._multiplex.leaving:
                        await anyio.lowlevel.checkpoint()
                with pytest.raises(errors.ShuttingDown):
                    await client.ping()
                assert len(bridge.requests) == 1
                tasks.cancel_scope.cancel()
            with pytest.raises(errors.NotRunning):
                await client.call("echo")

    run(scenario)
