"""A request's early ends: cancelled, out of time, its client gone, its Blender gone. Each outcome is known."""

from __future__ import annotations

import pytest
import trio

from blender_addon.wire import Request
from bridge.pool import PoolSettings
from bridge.supervisor import WorkerState
from tests.bridge.line import bridge, until

ONE = PoolSettings(max_connections=1)


async def running(line, blender, tool, name="running", **params):
    """Send a request and wait until Blender runs it."""
    await tool.send(name, "test.wait", {"name": name, **params})
    await until(lambda: name in blender.ran)


@pytest.mark.parametrize("method", ["cancel", "deadline"])
async def test_ended_while_waiting_in_the_bridge_it_never_runs(method, blender, wires, listen):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        await running(line, blender, tool)
        await tool.send("r", "test.echo", deadline=0.1 if method == "deadline" else None)
        if method == "cancel":
            await tool.cancel("r")
        fault = await tool.error("r")
        assert fault.code == {"cancel": "cancelled", "deadline": "timeout"}[method]
        assert (fault.outcome, fault.retryable) == ("not_executed", method == "deadline")
        blender.gates["running"].set()
        assert (await tool.answer("running")).ok
        await tool.call("last", "test.echo", {"value": "last"})
        assert blender.ran == ["running", "echo last"]


@pytest.mark.parametrize("method", ["cancel", "deadline"])
async def test_ended_while_queued_in_blender_it_never_runs(method, blender, wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(max_connections=2)) as line:
        tool = await line.tool()
        await running(line, blender, tool, stubborn=True)
        await tool.send("r", "test.echo", deadline=0.2 if method == "deadline" else None)
        if method == "cancel":
            await until(lambda: blender.pump.status()["queued"] == 1)
            await tool.cancel("r")
        fault = await tool.error("r")
        assert (fault.code, fault.outcome) == ({"cancel": "cancelled", "deadline": "timeout"}[method], "not_executed")
        blender.gates["running"].set()
        assert (await tool.answer("running")).ok
        await tool.call("last", "test.echo", {"value": "last"})
        assert blender.ran == ["running", "echo last"]


async def test_cancelled_while_running_blender_s_own_answer_comes_and_the_socket_stays(blender, wires, listen):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        await running(line, blender, tool)
        await tool.cancel("running")
        answer = await tool.answer("running")
        assert (answer.body["code"], answer.body["outcome"], answer.boot) == ("cancelled", "failed", blender.boot)
        await tool.call("r", "test.echo")
        assert len(wires["default"].opened) == 1


async def test_work_that_had_finished_when_the_cancel_came_answers_with_its_result(blender, wires, listen):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        await tool.say(tool.frame("r", "test.echo", {"value": 1}) + tool.session.cancel("r"))
        answer = await tool.answer("r")
        assert answer.body == {"value": 1} if answer.ok else blender.ran == []


async def test_a_deadline_interrupts_what_runs(blender, wires, listen):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        await tool.send("r", "test.wait", {"name": "r"}, deadline=0.3)
        fault = await tool.error("r")
        assert (fault.code, fault.outcome, fault.retryable) == ("timeout", "unknown", False)
        assert blender.ran == ["r"]
        await tool.call("next", "test.echo")
        assert len(wires["default"].opened) == 1


@pytest.mark.parametrize(("running_first", "outcome"), [(False, "unknown"), (True, "not_executed")])
async def test_a_deadline_that_the_bridge_notices_first_is_no_cancel(
    running_first, outcome, blender, wires, listen, monkeypatch
):
    monkeypatch.setattr("bridge.service.Request", lambda *fields: Request(*fields[:2], None, *fields[3:]))
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        if running_first:
            await running(line, blender, tool, stubborn=True)
        await tool.send("r", "test.wait", {"name": "r"}, deadline=0.3)
        fault = await tool.error("r")
        assert (fault.code, fault.outcome) == ("timeout", outcome)
        blender.gates["running"].set()
        if running_first:
            assert (await tool.answer("running")).ok
        assert ("r" in blender.ran) != running_first


async def test_a_lease_that_comes_too_late_is_given_back_unused(blender, wires, listen, monkeypatch):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        pool = line.fleet.instances["default"].pool
        acquire = pool.acquire

        async def late():
            lease = await acquire()
            deadline = trio.current_time() + 0.05
            with trio.CancelScope(shield=True):
                await until(lambda: trio.current_time() > deadline)
            return lease

        monkeypatch.setattr(pool, "acquire", late)
        fault = await tool.refused("test.echo", deadline=0.05)
        assert (fault.code, fault.outcome) == ("timeout", "not_executed")
        assert line.pool().leased == 0
    assert blender.ran == []


@pytest.mark.parametrize(("method", "code"), [("cancel", "cancelled"), ("deadline", "timeout")])
async def test_without_an_answer_within_the_grace_the_outcome_is_unknown_and_the_socket_is_replaced(
    method, code, blender, wires, listen
):
    async with bridge(wires, listen, pool=ONE, cancel_grace=0.2) as line:
        tool = await line.tool()
        await tool.send(
            "r", "test.wait", {"name": "r", "stubborn": True}, deadline=0.3 if method == "deadline" else None
        )
        await until(lambda: blender.ran)
        if method == "cancel":
            await tool.cancel("r")
        fault = await tool.error("r")
        assert (fault.code, fault.outcome) == (code, "unknown")
        assert "test.wait cannot be interrupted in a Blender that bpy-bridge did not start: it goes on" in fault.message
        assert (fault.data["continues"], fault.data["running"]["method"]) == (True, "test.wait")
        await until(lambda: wires["default"].opened[0].closed)
        blender.gates["r"].set()
        assert await tool.call("next", "test.echo", {"value": 2}) == {"value": 2}
        assert len(wires["default"].opened) == 2


@pytest.mark.parametrize(
    ("ends", "said"),
    [(False, "hard_cancel in its settings would have killed"), (True, "unless it ends soon its worker is killed")],
)
async def test_work_that_goes_on_in_a_worker_is_said_to_with_what_hard_cancel_does(ends, said, blender, wires, listen):
    async with bridge(wires, listen, pool=ONE, cancel_grace=0.2) as line:
        instance = line.fleet.instances["default"]
        instance.worker, instance.ends_stuck_work = WorkerState("default", "fresh", "ready"), ends
        tool = await line.tool()
        await running(line, blender, tool, stubborn=True)
        await tool.cancel("running")
        fault = await tool.error("running")
        assert said in fault.message
        assert fault.data["continues"]
        blender.gates["running"].set()


async def test_a_connection_that_breaks_within_the_grace_leaves_the_outcome_unknown(blender, wires, listen):
    async with bridge(wires, listen, pool=ONE, cancel_grace=20) as line:
        tool = await line.tool()
        await running(line, blender, tool, stubborn=True)
        await tool.cancel("running")
        await tool.ping()
        wires["default"].cut()
        fault = await tool.error("running")
        assert (fault.code, fault.outcome) == ("cancelled", "unknown")
        assert "continues" not in fault.data, "nobody knows whether that Blender is still there"


async def test_a_cancel_of_an_unknown_or_a_finished_request_is_ignored(wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await tool.cancel("never")
        await tool.call("r", "test.echo")
        await tool.cancel("r")
        await tool.cancel("r")
        assert await tool.call("r", "test.echo", {"value": 1}) == {"value": 1}


async def test_a_client_that_leaves_takes_its_request_with_it(blender, wires, listen):
    async with bridge(wires, listen, pool=ONE) as line:
        leaving, tool = await line.tool(), await line.tool()
        await running(line, blender, leaving)
        await leaving.send("queued", "test.echo", {"value": "queued"})
        await leaving.ping()
        await leaving.leave()
        await tool.call("r", "test.echo", {"value": "next"})
        assert blender.ran == ["running", "echo next"]
        assert len(wires["default"].opened) == 1


async def test_keyed_work_goes_on_when_its_client_leaves_and_its_answer_is_fetched(blender, wires, listen):
    async with bridge(wires, listen, pool=ONE) as line:
        leaving, tool = await line.tool(), await line.tool()
        await leaving.send("r", "test.wait", {"name": "kept"}, key="k")
        await until(lambda: "kept" in blender.ran)
        await leaving.send("queued", "test.echo", {"value": "queued"}, key="q")
        await leaving.ping()
        await leaving.leave()
        await until(lambda: any(client._ended for client in line.door._clients))
        assert (line.pool().leased, line.pool().waiting) == (1, 1)
        await tool.send("again", "test.wait", {"name": "kept"}, key="k")
        await tool.ping()
        blender.gates["kept"].set()
        assert (await tool.answer("again")).body == {"waited": "kept"}
        assert await tool.call("fetched", "test.echo", {"value": "queued"}, key="q") == {"value": "queued"}
        assert blender.ran == ["kept", "echo queued"]


async def test_keyed_work_still_ends_at_its_cancel(blender, wires, listen):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        await tool.send("r", "test.wait", {"name": "r"}, key="k")
        await until(lambda: blender.ran)
        await tool.cancel("r")
        assert (await tool.error("r")).code == "cancelled"


async def test_a_connection_that_breaks_is_blender_lost_and_the_next_request_gets_a_fresh_one(blender, wires, listen):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        await running(line, blender, tool)
        wires["default"].cut()
        fault = await tool.error("running")
        assert (fault.code, fault.outcome, fault.retryable) == ("blender_lost", "unknown", False)
        assert fault.data["boot"] == blender.boot
        assert await tool.call("next", "test.echo", {"value": 1}) == {"value": 1}


async def test_nothing_unkeyed_is_sent_twice(blender, wires, listen):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        await running(line, blender, tool, stubborn=True)
        wires["default"].cut()
        assert (await tool.error("running")).code == "blender_lost"
        blender.gates["running"].set()
        await tool.call("next", "test.echo")
        assert blender.ran == ["running", "echo None"]


async def test_a_keyed_answer_that_was_lost_is_fetched_from_the_same_process(blender, wires, listen):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        await tool.send("r", "test.wait", {"name": "kept"}, key="k")
        await until(lambda: blender.ran)
        wires["default"].cut()
        await until(lambda: len(wires["default"].opened) == 2)
        blender.gates["kept"].set()
        assert (await tool.answer("r")).body == {"waited": "kept"}
        assert blender.ran == ["kept"]


async def test_a_keyed_request_is_not_sent_to_another_process(blender, wires, listen, tmp_path, start_blender):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        await tool.send("r", "test.wait", {"name": "kept"}, key="k")
        await until(lambda: blender.ran)
        successor = start_blender(tmp_path / "successor.sock")
        wires["default"].path = successor.path
        wires["default"].cut()
        fault = await tool.error("r")
        assert (fault.code, fault.outcome) == ("blender_lost", "unknown")
        await tool.call("next", "test.echo")
        assert successor.ran == ["echo None"]


async def test_a_keyed_request_whose_answer_is_lost_again_is_lost(blender, wires, listen):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        await tool.send("r", "test.wait", {"name": "kept"}, key="k")
        await until(lambda: blender.ran)
        wires["default"].cut()
        await until(lambda: len(wires["default"].opened) == 2 and line.pool().leased == 1)
        wires["default"].cut()
        assert (await tool.error("r")).code == "blender_lost"


async def test_a_keyed_request_is_lost_where_nobody_can_be_asked_again(blender, wires, listen):
    pool = PoolSettings(max_connections=1, unavailable_timeout=0.2)
    async with bridge(wires, listen, pool=pool) as line:
        tool = await line.tool()
        await tool.send("r", "test.wait", {"name": "kept"}, key="k")
        await until(lambda: blender.ran)
        wires["default"].path = None
        wires["default"].cut()
        assert (await tool.error("r")).code == "blender_lost"


async def test_a_garbled_answer_is_blender_lost_and_its_socket_is_not_used_again(blender, wires, listen):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        await running(line, blender, tool)
        wires["default"].garbling = True
        blender.gates["running"].set()
        fault = await tool.error("running")
        assert (fault.code, fault.outcome) == ("blender_lost", "unknown")
        wires["default"].garbling = False
        await tool.call("next", "test.echo")
        assert wires["default"].opened[0].closed


async def test_without_blender_it_says_why_within_the_unavailable_timeout(wires, listen, blender):
    wires["default"].path = None
    async with bridge(wires, listen, pool=PoolSettings(unavailable_timeout=0.3)) as line:
        tool = await line.tool()
        began = trio.current_time()
        fault = await tool.refused("test.echo")
        assert trio.current_time() - began >= 0.25
        assert (fault.code, fault.outcome, fault.retryable) == ("blender_unavailable", "not_executed", True)
        assert "nobody listens there" in fault.data["last_error"]

        wires["default"].path = blender.path
        await until(lambda: line.pool().live)
        await tool.call("r", "test.echo", {"value": "at last"})


async def test_without_blender_a_short_deadline_says_the_same(wires, listen):
    wires["default"].path = None
    async with bridge(wires, listen) as line:
        fault = await (await line.tool()).refused("test.echo", deadline=0.2)
        assert (fault.code, fault.outcome) == ("blender_unavailable", "not_executed")
        assert "nobody listens there" in fault.data["last_error"]


async def test_a_request_waits_for_a_blender_that_appears(blender, wires, listen):
    wires["default"].path = None
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await tool.send("r", "test.echo", {"value": 1})
        await until(lambda: line.pool().connect_failures > 0)
        wires["default"].path = blender.path
        assert (await tool.answer("r")).body == {"value": 1}


async def test_a_new_process_at_the_same_place_is_noticed(blender, wires, listen, tmp_path, start_blender):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        await tool.call("r", "test.echo")
        successor = start_blender(tmp_path / "successor.sock")
        wires["default"].path = successor.path
        wires["default"].cut()
        await tool.send("next", "test.echo")
        assert (await tool.answer("next")).boot == successor.boot
        assert line.fleet.instances["default"].boot == successor.boot


async def test_what_is_left_of_an_old_process_s_connections_is_closed(blender, wires, listen, tmp_path, start_blender):
    async with bridge(wires, listen, pool=PoolSettings(max_connections=2)) as line:
        tool = await line.tool()
        await running(line, blender, tool)
        successor = start_blender(tmp_path / "successor.sock")
        wires["default"].path = successor.path
        await tool.call("next", "test.echo")
        assert successor.ran
        blender.gates["running"].set()
        assert (await tool.answer("running")).boot == blender.boot
        await until(lambda: wires["default"].opened[0].closed)


async def test_after_blender_s_goodbye_its_sockets_are_retired(blender, wires, listen, tmp_path, start_blender):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        await running(line, blender, tool)
        successor = start_blender(tmp_path / "successor.sock")
        wires["default"].path = successor.path
        blender.listener.leave("restart")
        await until(lambda: all(connection._farewell_said for connection in blender.listener._open))
        blender.gates["running"].set()
        assert (await tool.answer("running")).body == {"waited": "running"}
        await tool.send("next", "test.echo")
        assert (await tool.answer("next")).boot == successor.boot
