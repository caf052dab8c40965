"""Identical read-only requests that wait at the same time share one execution, and nobody notices but Blender."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
import trio
import trio.testing

from blender_addon.call import Call
from blender_addon.wire import Part, Request
from bridge.connection import Exchange, Reply
from bridge.events import LeaseRefused, RequestShared
from bridge.memory import MemoryBudget
from bridge.pool import Pool, PoolSettings
from bridge.sharing import Sharing
from tests.bridge.blender import pattern
from tests.bridge.line import bridge, until

ONE = PoolSettings(max_connections=1)


@pytest.fixture
def looked(blender):
    """What was looked at, once for each execution."""
    seen: list[str] = []

    @blender.catalogue.command("test.look", read_only=True)
    def look(call: Call, *, at: str = "", size: int = 0, fails: bool = False, stubborn: bool = False) -> object:
        """Look, and for as long as the gate of that name is shut go on looking."""
        seen.append(at)
        while at and not blender.gates[at].wait(0.002):
            if not stubborn:
                call.check()
        if fails:
            raise ValueError("dark")
        call.progress(1, 1, "looked")
        return {"at": at, "image": Part(pattern(size))} if size else {"at": at}

    return seen


class FakeConnection:
    """Good for a pool."""

    poisoned = False

    @classmethod
    async def opened(cls):
        return cls()

    def usable(self) -> bool:
        return True

    async def aclose(self) -> None: ...


class Queue:
    """Requests of one tool behind one that holds the only connection, until `open`."""

    def __init__(self, line, tool, blender) -> None:
        self.line = line
        self.tool = tool
        self._blender = blender

    async def hold(self) -> None:
        await until(lambda: self.line.pool().live)
        await self.tool.call("methods", "bridge.methods")  # Blender's own commands are known from now on
        await self.tool.send("held", "test.wait", {"name": "held"})
        await until(lambda: "held" in self._blender.ran)

    async def add(self, request_id: str, params: object = None, method: str = "test.look", tool=None, **fields) -> None:
        before = self.line.pool().waiting
        await (tool or self.tool).send(request_id, method, params, **fields)
        await until(lambda: self.line.pool().waiting == before + 1)

    def open(self, name: str = "held") -> None:
        self._blender.gates[name].set()

    @property
    def shared(self) -> list[str]:
        return [event.method for event in self.line.events if isinstance(event, RequestShared)]


@pytest.fixture
async def queue(blender, wires, listen, looked):
    async with bridge(wires, listen, pool=ONE) as line:
        queue = Queue(line, await line.tool(), blender)
        await queue.hold()
        yield queue
        blender.gates["held"].set()


async def test_those_that_wait_at_the_same_time_get_one_execution_s_answer(queue, looked):
    for name in "abc":
        await queue.add(name)
    queue.open()
    assert [(await queue.tool.answer(name)).body for name in "abc"] == [{"at": ""}] * 3
    assert looked == [""]


async def test_how_many_were_spared_is_told_and_counted(queue):
    for name in "abc":
        await queue.add(name)
    queue.open()
    for name in "abc":
        await queue.tool.answer(name)
    assert queue.shared == ["test.look"] * 2
    assert (await queue.tool.call("r", "bridge.status"))["shared"] == 2
    refused = [event.outcome for event in queue.line.events if isinstance(event, LeaseRefused)]
    assert refused == ["shared", "shared"], "they left the queue because they were served"


async def test_a_part_comes_to_each_of_them_whole_and_its_memory_is_given_back(queue, looked):
    other = await queue.line.tool()
    await queue.add("a", {"size": 3_000_000})
    await queue.add("b", {"size": 3_000_000}, tool=other)
    queue.open()
    for tool, name in ((queue.tool, "a"), (other, "b")):
        assert bytes((await tool.answer(name)).parts["image"].data) == pattern(3_000_000)
    assert looked == [""]
    # That no payload's memory was forgotten, or given back twice, is proved where the line ends.
    await until(lambda: queue.line.memory.used == 0)


async def test_progress_reaches_all_of_them(queue):
    other = await queue.line.tool()
    await queue.add("a")
    await queue.add("b", tool=other)
    queue.open()
    for tool, name in ((queue.tool, "a"), (other, "b")):
        await tool.answer(name)
        assert [what for what, _ in tool.seen if what == "progress"] == ["progress"]


async def test_a_failure_is_everybody_s(queue, looked):
    await queue.add("a", {"fails": True})
    await queue.add("b", {"fails": True})
    queue.open()
    assert [(await queue.tool.error(name)).code for name in "ab"] == ["execution_failed"] * 2
    assert looked == [""]


async def test_a_lost_connection_is_everybody_s(queue, wires, looked):
    await queue.add("a", {"at": "x"})
    await queue.add("b", {"at": "x"})
    queue.open()
    await until(lambda: looked)
    wires["default"].cut()
    faults = [await queue.tool.error(name) for name in "ab"]
    assert [(fault.code, fault.outcome) for fault in faults] == [("blender_lost", "unknown")] * 2


async def test_the_place_in_the_queue_is_the_first_one_s(queue, blender, looked):
    await queue.add("a")
    await queue.add("between", {"value": 1}, method="test.echo")
    await queue.add("b")
    queue.open()
    for name in ("a", "between", "b"):
        await queue.tool.answer(name)
    order = [name for kind, name in queue.tool.seen if kind == "response"]
    assert order.index("b") < order.index("between")
    assert looked == [""]


class TestWhatIsNotShared:
    """Each of these runs as often as it was asked for."""

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ({"params": {"at": ""}}, {"params": {}}),
            ({"key": "k1"}, {"key": "k2"}),
            ({"key": "k"}, {}),
        ],
        ids=["other bytes", "keys", "one key"],
    )
    async def test_what_differs(self, queue, looked, first, second):
        await queue.add("a", **first)
        await queue.add("b", **second)
        queue.open()
        await queue.tool.answer("a")
        await queue.tool.answer("b")
        assert looked == ["", ""]
        assert queue.shared == []

    async def test_what_names_a_process_and_what_does_not(self, queue, blender, looked):
        await queue.add("a", boot=blender.boot)
        await queue.add("b")
        queue.open()
        await queue.tool.answer("a")
        await queue.tool.answer("b")
        assert looked == ["", ""]

    async def test_what_changes_something(self, queue, blender):
        await queue.add("a", {"value": 1}, method="test.echo")
        await queue.add("b", {"value": 1}, method="test.echo")
        queue.open()
        await queue.tool.answer("a")
        await queue.tool.answer("b")
        assert blender.ran.count("echo 1") == 2

    async def test_a_method_of_which_nobody_knows_yet_that_it_only_reads(self, blender, wires, listen, looked):
        async with bridge(wires, listen, pool=ONE) as line:
            tool = await line.tool()
            await tool.send("held", "test.wait", {"name": "held"})
            await until(lambda: "held" in blender.ran)
            queue = Queue(line, tool, blender)
            await queue.add("a")
            await queue.add("b")
            queue.open()
            await tool.answer("a")
            await tool.answer("b")
            assert looked == ["", ""]

    async def test_one_that_comes_after_the_other_was_sent(self, queue, looked):
        """What it is told must not be older than its question."""
        await queue.add("a", {"at": "x"})
        queue.open()
        await until(lambda: looked)
        await queue.add("b", {"at": "x"})
        queue.open("x")
        await queue.tool.answer("a")
        await queue.tool.answer("b")
        assert looked == ["x", "x"]

    async def test_what_need_not_wait(self, blender, wires, listen, looked):
        async with bridge(wires, listen, pool=PoolSettings(warm=2)) as line:
            await until(lambda: line.pool().idle == 2)
            tool = await line.tool()
            await tool.call("methods", "bridge.methods")
            await until(lambda: line.pool().idle == 2)
            await tool.send("a", "test.look", {"at": "x"})
            await tool.send("b", "test.look", {"at": "x"})
            await until(lambda: line.pool().leased == 2)
            blender.gates["x"].set()
            assert (await tool.answer("a")).ok
            assert (await tool.answer("b")).ok
            assert looked == ["x", "x"]


class TestEnds:
    """What ends one leaves the others alone."""

    async def test_the_first_is_cancelled_while_it_waits(self, queue, looked):
        for name in "abc":
            await queue.add(name)
        await queue.tool.cancel("a")
        fault = await queue.tool.error("a")
        assert (fault.code, fault.outcome) == ("cancelled", "not_executed")
        queue.open()
        assert (await queue.tool.answer("b")).ok
        assert (await queue.tool.answer("c")).ok
        assert looked == [""]

    async def test_all_are_cancelled_while_they_wait_and_the_next_to_come_is_served(self, queue, looked):
        for name in "ab":
            await queue.add(name)
            await queue.tool.cancel(name)
            await queue.tool.error(name)
        assert not queue.line.service._sharing._open, "nothing is kept of those that have gone"
        await queue.add("c")
        queue.open()
        assert (await queue.tool.answer("c")).ok
        assert looked == [""]

    async def test_one_that_shares_is_cancelled_while_it_runs(self, queue, looked):
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

    async def test_the_one_that_does_the_work_is_cancelled_and_the_next_does_it_on_the_same_connection(
        self, queue, looked
    ):
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

    async def test_where_it_cannot_be_stopped_the_others_wait_for_another_connection(
        self, blender, wires, listen, looked
    ):
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

    async def test_each_keeps_its_own_deadline(self, queue, looked):
        await queue.add("short", {"at": "x"}, deadline=1.0)
        await queue.add("long", {"at": "x"}, deadline=30.0)
        queue.open()
        await until(lambda: looked)
        fault = await queue.tool.error("short")
        assert (fault.code, fault.outcome) == ("timeout", "unknown")
        queue.open("x")
        assert (await queue.tool.answer("long")).ok

    async def test_one_that_shares_times_out_alone(self, queue, looked):
        await queue.add("long", {"at": "x"}, deadline=30.0)
        await queue.add("short", {"at": "x"}, deadline=1.0)
        queue.open()
        await until(lambda: looked)
        assert (await queue.tool.error("short")).code == "timeout"
        queue.open("x")
        assert (await queue.tool.answer("long")).ok
        assert looked == ["x"]

    async def test_blender_is_told_the_latest_of_their_deadlines(self, queue, blender, looked):
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

    async def test_a_client_that_leaves_takes_nobody_with_it(self, queue, looked):
        other = await queue.line.tool()
        await queue.add("a", {"at": "x"}, tool=other)
        await queue.add("b", {"at": "x"})
        queue.open()
        await until(lambda: looked)
        await other.leave()
        await until(lambda: looked == ["x", "x"])
        queue.open("x")
        assert (await queue.tool.answer("b")).ok

    async def test_the_drain_refuses_all_that_wait(self, queue, looked):
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
