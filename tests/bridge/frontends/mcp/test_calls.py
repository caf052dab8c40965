"""A tool call on its way: how it is cancelled, what is told meanwhile, and what a failure says."""

from __future__ import annotations

import json

import pytest
import trio

from bridge.events import RequestFinished
from bridge.pool import PoolSettings
from tests.bridge.blender import Wires
from tests.bridge.line import until

from .over_socket import house

ONE = {"pool": PoolSettings(max_connections=1)}


def error(result) -> dict:
    assert result["isError"]
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
    return result["structuredContent"]["error"]


def outcomes(there, method="test.wait"):
    found = [event for event in there.line.events if isinstance(event, RequestFinished)]
    return [event.outcome for event in found if event.method == method]


async def test_a_result_is_structured_and_the_same_as_text(wires, listen):
    async with house(wires, listen) as there:
        result = await (await there.caller()).call("test_echo", value={"a": [1, "é"]})
        assert result["structuredContent"] == {"value": {"a": [1, "é"]}}
        [text] = result["content"]
        assert json.loads(text["text"]) == result["structuredContent"]
        assert not result["isError"]


async def test_a_notification_of_cancel_ends_it_in_blender_and_nothing_more_is_said_of_it(blender, wires, listen):
    async with house(wires, listen) as there:
        caller = await there.caller()
        number = await caller.start("test_wait", name="a")
        await until(lambda: "a" in blender.ran)
        await caller.note("notifications/cancelled", requestId=number, reason="the user has changed his mind")
        await until(lambda: blender.pump.running is None)
        await until(lambda: outcomes(there) == ["cancelled"])
        await caller.ask("ping")
        assert number not in caller._answers


async def test_what_waits_behind_it_is_never_run_once_it_is_cancelled(blender, wires, listen):
    async with house(wires, listen, **ONE) as there:
        caller = await there.caller()
        await caller.start("test_wait", name="a")
        await until(lambda: "a" in blender.ran)
        queued = await caller.start("test_wait", name="b")
        await until(lambda: there.line.pool().waiting == 1)
        await caller.note("notifications/cancelled", requestId=queued)
        await until(lambda: there.line.pool().waiting == 0)
        blender.gates["a"].set()
        assert (await caller.call("test_echo", value=1))["structuredContent"] == {"value": 1}
        assert "b" not in blender.ran


async def test_a_client_that_leaves_takes_what_it_had_begun_with_it(blender, wires, listen):
    async with house(wires, listen, **ONE) as there:
        caller, other = await there.caller(), await there.caller()
        await caller.start("test_wait", name="a")
        await until(lambda: "a" in blender.ran)
        await caller.start("test_wait", name="b")
        await until(lambda: there.line.pool().waiting == 1)
        caller.stream.socket.close()
        assert (await other.call("test_echo", value=1))["structuredContent"] == {"value": 1}
        assert "b" not in blender.ran
        assert outcomes(there) == ["cancelled", "cancelled"]


async def test_an_answer_that_comes_after_all_leaves_nothing_behind(blender, wires, listen):
    async with house(wires, listen, cancel_grace=5.0) as there:
        caller = await there.caller()
        number = await caller.start("test_wait", name="a", stubborn=True)
        await until(lambda: "a" in blender.ran)
        await caller.note("notifications/cancelled", requestId=number)
        await caller.ask("ping")
        blender.gates["a"].set()
        await until(lambda: there.line.pool().leased == 0 and there.line.memory.used == 0)


async def test_progress_is_told_before_the_result_and_never_goes_back(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.caller()
        arguments = {"steps": 5, "message": "half-way"}
        params = {"name": "test_progress", "arguments": arguments, "_meta": {"progressToken": "p"}}
        number = await caller.send("tools/call", params)
        assert (await caller.answer(number))["result"]["structuredContent"] == {"steps": 5}
        [told] = [message["params"] for message in caller.heard]
        assert told == {"progressToken": "p", "progress": 1, "total": 1, "message": "half-way"}


async def test_who_has_not_asked_for_progress_hears_none(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.caller()
        await caller.call("test_progress", steps=3)
        assert caller.heard == []


async def test_slow_and_fast_calls_of_two_clients_go_beside_each_other_and_each_gets_its_own(blender, wires, listen):
    async with house(wires, listen) as there:
        first, second = await there.caller(), await there.caller()
        slow = await first.start("test_wait", name="slow")
        await until(lambda: "slow" in blender.ran)
        both = (first, second)
        waiting = [(caller, await caller.start("test_echo", value=f"{i}")) for i in range(20) for caller in both]
        for caller in both:
            assert (await caller.ask("ping"))["result"] == {}
            assert (await caller.call("bridge_status"))["structuredContent"]["clients"] == 0
        blender.gates["slow"].set()
        assert (await first.answer(slow))["result"]["structuredContent"] == {"waited": "slow"}
        for index, (caller, number) in enumerate(waiting):
            assert (await caller.answer(number))["result"]["structuredContent"] == {"value": f"{index // 2}"}


async def test_busy_says_what_runs_and_for_how_long(blender, wires, listen):
    async with house(wires, listen, pool=PoolSettings(max_connections=1, max_waiting=1)) as there:
        caller = await there.caller()
        await caller.start("test_wait", name="a")
        await until(lambda: "a" in blender.ran)
        await caller.start("test_echo")
        await until(lambda: there.line.pool().waiting == 1)
        told = error(await caller.call("test_echo"))
        assert (told["code"], told["outcome"], told["retryable"]) == ("busy", "not_executed", True)
        assert told["data"]["current"]["method"] == "test.wait"
        assert "test.wait has been running for" in told["next"]
        assert "safe to try again" in told["next"]
        blender.gates["a"].set()


async def test_what_raised_in_blender_says_that_it_ran(wires, listen):
    async with house(wires, listen) as there:
        told = error(await (await there.caller()).call("test_fail"))
        assert (told["code"], told["outcome"], told["retryable"]) == ("execution_failed", "failed", False)
        assert "ValueError" in told["data"]["traceback"]
        assert "may remain" in told["next"]


async def test_wrong_arguments_are_told_one_by_one_with_what_is_like_them(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.caller()
        told = error(await caller.call("test_wait", naem="a"))
        assert told["code"] == "invalid_params"
        assert {problem["param"] for problem in told["data"]["problems"]} == {"naem", "name"}
        assert "Did you mean name?" in told["next"]
        nested: list = []
        for _ in range(500):
            nested = [nested]
        told = error(await caller.call("test_echo", value=nested))
        assert (told["code"], told["outcome"]) == ("invalid_params", "not_executed")


@pytest.mark.parametrize("name", ["test_ecko", "test.ecko", "tool_call"])
async def test_an_unknown_tool_is_an_error_with_those_like_it(wires, listen, name):
    async with house(wires, listen) as there:
        caller = await there.caller()
        arguments = {"name": "test_ecko"} if name == "tool_call" else {}
        told = error(await caller.call(name, **arguments))
        assert told["code"] == "unknown_method"
        assert "test_echo" in told["next"]


async def test_tools_that_are_not_listed_are_found_and_called_by_name(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.caller("core")
        await until(lambda: there.line.pool().live)
        found = (await caller.call("tool_search", query="return the value"))["structuredContent"]
        [echo] = [tool for tool in found["tools"] if tool["name"] == "test_echo"]
        assert "value" in echo["arguments"]["properties"]
        assert "test" in found["families"]
        result = await caller.call("tool_call", name="test_echo", arguments={"value": 7})
        assert result["structuredContent"] == {"value": 7}
        assert (await caller.call("test_echo", value=8))["structuredContent"] == {"value": 8}


@pytest.mark.parametrize("arguments", [{}, {"name": 7}, {"name": "test_echo", "arguments": []}])
async def test_a_call_by_name_without_sense_says_how_it_goes(wires, listen, arguments):
    async with house(wires, listen) as there:
        assert error(await (await there.caller()).call("tool_call", **arguments))["code"] == "invalid_params"


@pytest.mark.parametrize("arguments", [{}, {"query": 7}, {"query": "x", "limit": "x"}, {"query": "x", "limit": True}])
async def test_a_search_without_sense_says_how_it_goes(wires, listen, arguments):
    async with house(wires, listen) as there:
        assert error(await (await there.caller()).call("tool_search", **arguments))["code"] == "invalid_params"


async def test_a_search_for_a_whole_book_takes_no_time(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.caller()
        with trio.fail_after(5):
            await caller.call("tool_search", query="word " * 200_000)
            await caller.call("x" * 1_000_000)


async def test_that_blender_was_restarted_is_said_once(blender, wires, listen, start_blender, tmp_path):
    async with house(wires, listen) as there:
        caller = await there.caller()
        await caller.call("test_echo")
        other = start_blender(tmp_path / "again.sock")
        wires["default"].path = other.path
        wires["default"].cut()
        results = []
        with trio.fail_after(20):
            while not any("restarted" in result["structuredContent"] for result in results):
                results.append(await caller.call("test_echo", value=1))
        assert results[-1]["structuredContent"]["value"] == 1
        assert "look before you go on" in results[-1]["structuredContent"]["restarted"]
        assert "restarted" not in (await caller.call("test_echo"))["structuredContent"]


async def test_without_blender_a_call_says_so_and_that_it_may_be_repeated(wires, listen):
    wires["default"].path = None
    pool = PoolSettings(unavailable_timeout=0.1)
    async with house(wires, listen, pool=pool) as there:
        caller = await there.caller()
        assert len((await caller.ask("tools/list"))["result"]["tools"]) > 100
        told = error(await caller.call("scene_summary"))
        assert (told["code"], told["outcome"], told["retryable"]) == ("blender_unavailable", "not_executed", True)


async def test_an_instance_that_is_not_there_is_told_with_those_that_are(blender, listen):
    async with house({"left": Wires(blender.path), "right": Wires(blender.path)}, listen) as there:
        caller = await there.caller(instance="lift")
        assert (await caller.ask("tools/list"))["result"]["tools"]
        assert error(await caller.call("scene_summary"))["data"]["nearest"][0] == "left"


async def test_each_client_drives_the_blender_that_it_has_named(blender, listen, start_blender, tmp_path):
    other = start_blender(tmp_path / "other.sock")
    async with house({"left": Wires(blender.path), "right": Wires(other.path)}, listen) as there:
        caller = await there.caller(instance="right")
        await caller.call("test_echo", value=1)
        assert "echo 1" in other.ran
        assert "echo 1" not in blender.ran


async def test_a_bug_is_told_by_its_reference_alone(wires, listen, monkeypatch):
    async with house(wires, listen) as there:
        caller = await there.caller()

        async def broken(*_):
            raise RuntimeError("a secret of the house")

        monkeypatch.setattr("bridge.frontends.mcp.server.call", broken)
        await until(lambda: there.line.pool().live)
        answer = await caller.ask("tools/call", {"name": "test_echo", "arguments": {}})
        assert answer["error"]["code"] == -32603
        assert "secret" not in json.dumps(answer)
        assert answer["error"]["data"]["reference"] in answer["error"]["message"]
        assert (await caller.ask("ping"))["result"] == {}


async def test_the_log_has_what_was_done_and_not_what_the_bridge_asked_itself(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.caller()
        handlers = there.line.service.status.recent.handlers
        await caller.ask("tools/list")
        await caller.call("test_echo", value=1)
        for event in there.line.events:
            if isinstance(event, RequestFinished):
                handlers[RequestFinished](event)
        read = await caller.ask("resources/read", {"uri": "blender://log"})
        done = json.loads(read["result"]["contents"][0]["text"])
        assert [entry["method"] for entry in done] == ["test.echo"]
