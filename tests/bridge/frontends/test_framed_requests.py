"""Requests through the whole line: every answer reaches its own caller, whole."""

from __future__ import annotations

import random

import pytest
import trio

from bridge import protocol
from bridge.pool import PoolSettings
from tests.bridge.blender import Wires, pattern, running_blender
from tests.bridge.line import bridge, until


async def test_every_answer_reaches_its_own_caller(wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(max_waiting=320)) as line:

        async def interleave(number: int) -> None:
            tool = await line.tool()
            for i in range(10):
                await tool.send(f"r{i}", "test.echo", {"value": [number, i]})
            for i in random.Random(number).sample(range(10), 10):
                answer = await tool.answer(f"r{i}")
                assert (answer.ok, answer.body) == (True, {"value": [number, i]})

        async with trio.open_nursery() as nursery:
            for number in range(32):
                nursery.start_soon(interleave, number)


async def test_two_connections_may_use_the_same_id(wires, listen):
    async with bridge(wires, listen) as line:
        one, other = await line.tool(), await line.tool()
        await one.send("same", "test.echo", {"value": 1})
        await other.send("same", "test.echo", {"value": 2})
        assert (await other.answer("same")).body == {"value": 2}
        assert (await one.answer("same")).body == {"value": 1}


async def test_an_id_in_flight_is_refused_and_its_first_request_goes_on(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await tool.send("same", "test.wait", {"name": "first"})
        assert (await tool.refused("test.echo", request_id="same")).code == "duplicate_id"
        blender.gates["first"].set()
        assert (await tool.answer("same")).body == {"waited": "first"}
        assert await tool.call("same", "test.echo", {"value": "again"}) == {"value": "again"}


async def test_beyond_max_in_flight_it_is_busy_and_reading_goes_on(blender, wires, listen):
    async with bridge(wires, listen, max_in_flight=2) as line:
        tool = await line.tool()
        for name in ("a", "b"):
            await tool.send(name, "test.wait", {"name": name})
        fault = await tool.refused("test.echo")
        assert (fault.code, fault.outcome, fault.retryable) == ("busy", "not_executed", True)
        assert (await tool.ping())["version"] == protocol.VERSION
        await tool.cancel("a")
        assert (await tool.error("a")).code == "cancelled"
        assert await tool.call("c", "bridge.status")
        blender.gates["b"].set()
        assert (await tool.answer("b")).ok


async def test_a_full_queue_says_how_busy_it_is(blender, wires, listen):
    pool = PoolSettings(max_connections=1, max_waiting=2)
    async with bridge(wires, listen, pool=pool) as line:
        tool = await line.tool()
        await tool.send("running", "test.wait", {"name": "running"})
        await until(lambda: blender.ran)
        for name in ("w1", "w2"):
            await tool.send(name, "test.echo")
        fault = await tool.refused("test.echo")
        assert (fault.code, fault.outcome) == ("busy", "not_executed")
        assert fault.data["current"].pop("seconds") >= 0
        assert fault.data.pop("retry_after") > 0
        assert fault.data == {"queued": 2, "limit": 2, "running": 1, "current": {"method": "test.wait"}}
        blender.gates["running"].set()
        assert all([(await tool.answer(name)).ok for name in ("w1", "w2", "running")])


async def test_a_full_queue_with_nothing_running_says_so(wires, listen):
    wires["default"].path = None
    async with bridge(wires, listen, pool=PoolSettings(max_waiting=1)) as line:
        tool = await line.tool()
        await tool.send("w", "test.echo", deadline=2)
        fault = await tool.refused("test.echo")
        assert (fault.code, fault.data["running"], fault.data["current"]) == ("busy", 0, None)


async def test_a_full_queue_counts_those_that_still_wait(blender, wires, listen):
    pool = PoolSettings(max_connections=1, max_waiting=2)
    async with bridge(wires, listen, pool=pool) as line:
        tool, leaving = await line.tool(), await line.tool()
        await tool.send("running", "test.wait", {"name": "running"})
        await until(lambda: blender.ran)
        await leaving.send("gone", "test.echo", {"value": "gone"})
        await leaving.ping()
        await tool.send("cancelled", "test.echo", {"value": "cancelled"})
        await tool.cancel("cancelled")
        assert (await tool.error("cancelled")).code == "cancelled"
        await leaving.leave()
        await until(lambda: line.pool().waiting == 0)
        for name in ("w1", "w2"):
            await tool.send(name, "test.echo", {"value": name})
        await tool.ping()
        assert line.pool().waiting == 2
        blender.gates["running"].set()
        for name in ("w1", "w2", "running"):
            assert (await tool.answer(name)).ok
        assert blender.ran == ["running", "echo w1", "echo w2"]


async def test_requests_run_in_the_order_in_which_they_were_read(blender, wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(max_connections=1)) as line:
        tools = [await line.tool() for _ in range(4)]
        await tools[0].send("first", "test.wait", {"name": "first"})
        for i in range(40):
            await tools[i % 4].send(f"r{i}", "test.echo", {"value": i})
            await tools[i % 4].ping()
        blender.gates["first"].set()
        for i in range(40):
            assert (await tools[i % 4].answer(f"r{i}")).ok
        assert blender.ran == ["first", *(f"echo {i}" for i in range(40))]


async def test_blender_s_error_comes_through_with_its_outcome_and_boot(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await tool.send("r", "test.fail")
        answer = await tool.answer("r")
        assert (answer.body["code"], answer.body["outcome"], answer.boot) == (
            "execution_failed",
            "failed",
            blender.boot,
        )
        assert "before it failed" in answer.body["data"]["stdout"]


@pytest.mark.parametrize("size", [0, 1, 5_000, 70_000, 20_000_000])
async def test_a_payload_passes_through_untouched_in_both_directions(size, wires, listen):
    data = pattern(size)
    body = b'{ "data" :{"$part":"data"}}'
    parts = [
        {"name": "json", "length": len(body)},
        {"name": "data", "length": size, "media_type": "application/x-pattern", "dtype": "<u1", "shape": [size]},
    ]
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await tool.send("r", "test.send_back", payload=body + data, parts=parts)
        answer = await tool.answer("r")
        assert answer.ok
        assert answer.body == {"data": {"$part": "data"}}
        assert bytes(answer.parts["data"].data) == data
        assert answer.described[1] == parts[1]


async def test_large_payloads_of_many_clients_at_once_are_not_mixed(wires, listen):
    async with bridge(wires, listen) as line:

        async def fetch(number: int) -> None:
            tool = await line.tool()
            body = b'{"data":{"$part":"data"}}'
            for i in range(3):
                data = bytes([number, i]) * (400_000 + number)
                parts = [{"name": "json", "length": len(body)}, {"name": "data", "length": len(data)}]
                await tool.send(f"r{i}", "test.send_back", payload=body + data, parts=parts)
                assert bytes((await tool.answer(f"r{i}")).parts["data"].data) == data

        async with trio.open_nursery() as nursery:
            for number in range(8):
                nursery.start_soon(fetch, number)


async def test_an_answer_says_which_process_gave_it(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await tool.send("r", "test.echo")
        assert (await tool.answer("r")).boot == blender.boot


async def test_a_request_for_another_process_is_not_run(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        fault = await tool.refused("test.echo", key="k", boot="ffffffffffffffff")
        assert (fault.code, fault.outcome) == ("blender_lost", "unknown")
        assert (await tool.call("same", "test.echo", key="k", boot=blender.boot)) == {"value": None}
        assert blender.ran == ["echo None"]


async def test_a_key_runs_once_however_often_it_is_sent(blender, wires, listen):
    async with bridge(wires, listen) as line:
        one, other = await line.tool(), await line.tool()
        for tool in (one, other, one):
            assert await tool.call("r", "test.echo", {"value": 1}, key="once") == {"value": 1}
        assert blender.ran == ["echo 1"]
        assert (await one.refused("test.echo", {"value": 2}, key="once")).code == "key_conflict"


async def test_the_deadline_shrinks_while_the_request_waits(blender, wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(max_connections=1)) as line:
        tool = await line.tool()
        await tool.send("running", "test.wait", {"name": "running"})
        await until(lambda: blender.ran)
        await tool.send("r", "test.time_left", deadline=20)
        await tool.ping()
        began = trio.current_time()
        await until(lambda: trio.current_time() > began + 0.05)
        blender.gates["running"].set()
        left = (await tool.answer("r")).body["left"]
        assert 0 < left <= 20 - 0.05


async def test_without_a_deadline_the_bridge_s_default_is_sent_on(wires, listen):
    async with bridge(wires, listen, default_deadline=17) as line:
        left = (await (await line.tool()).call("r", "test.time_left"))["left"]
        assert 0 < left <= 17


async def test_progress_reaches_the_caller_before_the_response_and_never_after(wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        assert await tool.call("r", "test.progress", {"steps": 50}) == {"steps": 50}
        await tool.ping()
        kinds = [kind for kind, _ in tool.seen]
        assert kinds.count("progress") > 0
        assert kinds.index("response") == len(kinds) - 1
        assert tool.seen[0] == ("progress", {"progress": 1, "total": 1, "message": ""})


async def test_a_client_that_does_not_read_blocks_no_other(wires, listen):
    async with bridge(wires, listen) as line:
        deaf, tool = await line.tool(), await line.tool()
        await deaf.send("progress", "test.progress", {"steps": 2_000, "message": "x" * 2_000})
        await deaf.send("large", "test.blob", {"size": 10_000_000})
        await until(lambda: line.memory.used >= 10_000_000)
        for i in range(20):
            assert await tool.call(f"r{i}", "test.echo", {"value": i}) == {"value": i}
        assert (await deaf.answer("progress")).ok
        assert len((await deaf.answer("large")).parts["blob"]) == 10_000_000


async def test_instances_are_told_apart_by_name(blender, listen, tmp_path):
    with running_blender(tmp_path / "other.sock") as other:
        both = {"studio": Wires(blender.path), "farm": Wires(other.path)}
        async with bridge(both, listen) as line:
            tool = await line.tool()
            await tool.call("r", "test.echo", {"value": "s"}, instance="studio")
            await tool.call("r", "test.echo", {"value": "f"}, instance="farm")
            assert (blender.ran, other.ran) == (["echo s"], ["echo f"])

            unknown = await tool.refused("test.echo", instance="studoi")
            assert (unknown.code, unknown.data["nearest"][0]) == ("unknown_instance", "studio")
            ambiguous = await tool.refused("test.echo")
            assert (ambiguous.code, ambiguous.data["nearest"]) == ("ambiguous_instance", ["studio", "farm"])


async def test_an_unknown_method_is_refused_with_the_nearest(wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        fault = await tool.refused("test.ecko")
        assert (fault.code, fault.data["nearest"][0]) == ("unknown_method", "test.echo")
        fault = await tool.refused("bridge.statu")
        assert (fault.code, fault.data["nearest"][0]) == ("unknown_method", "bridge.status")


async def test_wrong_parameters_come_back_one_by_one(wires, listen):
    async with bridge(wires, listen) as line:
        fault = await (await line.tool()).refused("test.blob", {"size": "many", "colour": 1})
        assert fault.code == "invalid_params"
        assert {problem["param"] for problem in fault.data["problems"]} == {"size", "colour"}
