"""Those who share an execution may each end before it does; it lives as long as somebody wants it."""

from __future__ import annotations

import time
from types import SimpleNamespace

import trio
import trio.testing

from blender_addon.call import Call
from blender_addon.wire import Request
from bridge.connection import Exchange, Reply
from bridge.memory import MemoryBudget
from bridge.pool import Pool
from bridge.sharing import Sharing
from tests.bridge.line import bridge, until
from tests.bridge.sharing.queue import ONE, Queue


class FakeConnection:
    """Good for a pool."""

    poisoned = False

    @classmethod
    async def opened(cls):
        return cls()

    def usable(self) -> bool:
        return True

    async def aclose(self) -> None: ...


"""What ends one leaves the others alone."""


async def test_the_first_is_cancelled_while_it_waits(queue, looked):
    for name in "abc":
        await queue.add(name)
    await queue.tool.cancel("a")
    fault = await queue.tool.error("a")
    assert (fault.code, fault.outcome) == ("cancelled", "not_executed")
    queue.open()
    assert (await queue.tool.answer("b")).ok
    assert (await queue.tool.answer("c")).ok
    assert looked == [""]


async def test_all_are_cancelled_while_they_wait_and_the_next_to_come_is_served(queue, looked):
    for name in "ab":
        await queue.add(name)
        await queue.tool.cancel(name)
        await queue.tool.error(name)
    assert not queue.line.service._sharing._open, "nothing is kept of those that have gone"
    await queue.add("c")
    queue.open()
    assert (await queue.tool.answer("c")).ok
    assert looked == [""]


async def test_one_that_shares_is_cancelled_while_it_runs(queue, looked):
    for name in "abc":
        await queue.add(name, {"at": "x"})
    queue.open()
    await until(lambda: looked)
    await queue.tool.cancel("b")
    fault = await queue.tool.error("b")
    assert (fault.code, fault.outcome) == ("cancelled", "unknown"), "it was handed to Blender"
    queue.open("x")
    assert (await queue.tool.answer("a")).ok
    assert (await queue.tool.answer("c")).ok
    assert looked == ["x"]


async def test_the_one_that_does_the_work_is_cancelled_and_the_next_does_it_on_the_same_connection(queue, looked):
    for name in "abc":
        await queue.add(name, {"at": "x"})
    await queue.add("behind", {"value": 2}, method="test.echo")
    queue.open()
    await until(lambda: looked)
    await queue.tool.cancel("a")
    assert (await queue.tool.error("a")).code == "cancelled"
    await until(lambda: looked == ["x", "x"])
    queue.open("x")
    assert (await queue.tool.answer("b")).ok
    assert (await queue.tool.answer("c")).ok
    assert (await queue.tool.answer("behind")).ok
    order = [name for kind, name in queue.tool.seen if kind == "response"]
    assert order.index("c") < order.index("behind"), "they kept the first one's place"
    assert looked == ["x", "x"]
    assert queue.shared == ["test.look"]


async def test_where_it_cannot_be_stopped_the_others_wait_for_another_connection(blender, wires, listen, looked):
    async with bridge(wires, listen, pool=ONE, cancel_grace=0.01) as line:
        queue = Queue(line, await line.tool(), blender)
        await queue.hold()
        for name in "abc":
            await queue.add(name, {"at": "x", "stubborn": True})
        queue.open()
        await until(lambda: looked)
        await queue.tool.cancel("a")
        assert (await queue.tool.error("a")).outcome == "unknown"
        queue.open("x")
        assert (await queue.tool.answer("b")).ok
        assert (await queue.tool.answer("c")).ok
        assert looked == ["x", "x"]


async def test_each_keeps_its_own_deadline(queue, looked):
    await queue.add("short", {"at": "x"}, deadline=1.0)
    await queue.add("long", {"at": "x"}, deadline=30.0)
    queue.open()
    await until(lambda: looked)
    fault = await queue.tool.error("short")
    assert (fault.code, fault.outcome) == ("timeout", "unknown")
    queue.open("x")
    assert (await queue.tool.answer("long")).ok


async def test_one_that_shares_times_out_alone(queue, looked):
    await queue.add("long", {"at": "x"}, deadline=30.0)
    await queue.add("short", {"at": "x"}, deadline=1.0)
    queue.open()
    await until(lambda: looked)
    assert (await queue.tool.error("short")).code == "timeout"
    queue.open("x")
    assert (await queue.tool.answer("long")).ok
    assert looked == ["x"]


async def test_blender_is_told_the_latest_of_their_deadlines(queue, blender, looked):
    left = []

    @blender.catalogue.command("scene.summary", read_only=True)
    def summary(call: Call) -> object:
        """Note the deadline."""
        assert call.deadline is not None
        left.append(call.deadline - time.monotonic())
        return {}

    await queue.add("short", {}, method="scene.summary", deadline=20.0)
    await queue.add("long", {}, method="scene.summary", deadline=20_000.0)
    queue.open()
    await queue.tool.answer("long")
    await queue.tool.answer("short")
    assert [seconds > 1000 for seconds in left] == [True]


async def test_a_client_that_leaves_takes_nobody_with_it(queue, looked):
    other = await queue.line.tool()
    await queue.add("a", {"at": "x"}, tool=other)
    await queue.add("b", {"at": "x"})
    queue.open()
    await until(lambda: looked)
    await other.leave()
    await until(lambda: looked == ["x", "x"])
    queue.open("x")
    assert (await queue.tool.answer("b")).ok


async def test_the_drain_refuses_all_that_wait(queue, looked):
    await queue.add("a")
    await queue.add("b")
    queue.line.fleet.close()
    assert [(await queue.tool.error(name)).code for name in "ab"] == ["shutting_down"] * 2
    assert looked == []


async def test_what_had_finished_when_its_cancel_arrived_is_an_answer_for_all(autojump_clock):
    """Blender's answer came within the cancel grace, to a request that nobody waits for any more."""
    sharing, share = Sharing(), MemoryBudget(100).share(100)
    assert share.reserve_now(6)
    reply = Reply(True, b"answer", None, None, share)
    replies = []

    async def ask(request_id: str, scope: trio.CancelScope) -> None:
        call = SimpleNamespace(deadline=1.0, on_event=None, exchange=None)

        async def execute(connection, execution):
            call.exchange = Exchange(Request(request_id, "test.look"), b"")
            scope.cancel()
            try:
                await trio.sleep(1)
            finally:
                call.exchange.reply = reply

        with scope:
            replies.append(await sharing.perform(("key",), pool, call, execute, lambda: None))
        if scope.cancelled_caught:
            replies.append(call.exchange.reply)

    async with trio.open_nursery() as nursery:
        pool = Pool("p", FakeConnection.opened, ONE)
        await nursery.start(pool.run)
        with await pool.acquire():
            for request_id in "ab":
                nursery.start_soon(ask, request_id, trio.CancelScope())
            await trio.testing.wait_all_tasks_blocked()
        await trio.testing.wait_all_tasks_blocked()
        assert [one.payload for one in replies] == [b"answer"] * 2
        for one in replies:
            assert share.used == 6, "whoever still holds it can read it"
            one.drop()
        assert share.used == 0
        await pool.drain()
