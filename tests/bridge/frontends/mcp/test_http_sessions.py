"""The era of sessions (2025-xx) over HTTP: one opens with initialize, ends with DELETE or by silence."""

from __future__ import annotations

import httpx2
import pytest
import trio

from tests.bridge.line import until

from .over_http import UNCLOSED, command_that_reports, messages, next_message, serving, session_of, tool_call

pytestmark = pytest.mark.filterwarnings(UNCLOSED)
PATH = "/mcp?tools=full"


async def test_a_call_in_a_session_is_answered_as_an_event(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        answer = await http.post(PATH, json=tool_call("test_echo", {"value": 7}), headers=await session_of(http))
        [message] = messages(answer.text)
        assert message["result"]["structuredContent"] == {"value": 7}


async def test_a_session_that_was_ended_is_gone(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        headers = await session_of(http)
        assert (await http.delete("/mcp", headers=headers)).status_code == 200
        assert (await http.post(PATH, json=tool_call("test_echo"), headers=headers)).status_code == 404


async def test_ending_a_session_stops_what_runs_in_it_in_blender_too(wires, listen, blender):
    async with serving(wires, listen) as site, site.http() as http:
        headers = await session_of(http)
        async with trio.open_nursery() as nursery:
            call = tool_call("test_wait", {"name": "a"})
            nursery.start_soon(lambda: http.post(PATH, json=call, headers=headers))
            await until(lambda: "a" in blender.ran)
            await http.delete("/mcp", headers=headers)
            await until(lambda: blender.pump.running is None)
        assert not blender.gates["a"].is_set()


async def test_a_session_that_nobody_opened_is_not_found(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        headers = {"Mcp-Session-Id": "0" * 32, "MCP-Protocol-Version": "2025-11-25"}
        assert (await http.post(PATH, json=tool_call("test_echo"), headers=headers)).status_code == 404
        assert (await http.get("/mcp", headers=headers)).status_code == 404


async def test_a_request_without_a_session_is_refused(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        assert (await http.post(PATH, json=tool_call("test_echo"))).status_code == 400


async def test_a_session_that_says_nothing_for_long_ends(wires, listen, monkeypatch):
    monkeypatch.setattr("bridge.frontends.mcp.http._IDLE", 0.05)
    async with serving(wires, listen) as site, site.http() as http:
        headers = await session_of(http)

        async def gone():
            # Asking keeps a session: a method that ends before the session is looked at does not.
            return not site.app._manager._server_instances

        with trio.fail_after(20):
            while not await gone():
                await trio.sleep(0.01)
        assert (await http.post(PATH, json=tool_call("test_echo"), headers=headers)).status_code == 404


async def test_a_session_with_a_call_that_takes_longer_than_that_does_not(wires, listen, blender, monkeypatch):
    monkeypatch.setattr("bridge.frontends.mcp.http._IDLE", 0.05)
    async with serving(wires, listen) as site, site.http() as http:
        headers = await session_of(http)
        answers = []

        async def wait():
            answers.append(await http.post(PATH, json=tool_call("test_wait", {"name": "a"}), headers=headers))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await until(lambda: "a" in blender.ran)
            await trio.sleep(0.2)  # longer than a session may be idle
            blender.gates["a"].set()
        [message] = messages(answers[0].text)
        assert message["result"]["structuredContent"] == {"waited": "a"}


async def test_more_sessions_than_it_keeps_are_refused_and_the_others_live_on(wires, listen, monkeypatch):
    monkeypatch.setattr("bridge.frontends.mcp.http._MOST_SESSIONS", 1)
    async with serving(wires, listen) as site, site.http() as http:
        headers = await session_of(http)
        assert (await http.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "initialize"})).status_code == 503
        assert (await http.post(PATH, json=tool_call("test_echo"), headers=headers)).status_code == 200


async def test_a_client_that_cancels_stops_the_call_in_blender(wires, listen, blender):
    async with serving(wires, listen) as site, site.http() as http:
        headers = await session_of(http)
        answers = []

        async def wait():
            call = tool_call("test_wait", {"name": "a"}, number=5)
            answers.append(await http.post(PATH, json=call, headers=headers))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await until(lambda: "a" in blender.ran)
            note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5}}
            assert (await http.post(PATH, json=note, headers=headers)).status_code == 202
        # The stream of a call ends with an answer in this era, whatever came of it.
        [message] = messages(answers[0].text)
        assert message["error"]["message"] == "Request cancelled"
        await until(lambda: blender.pump.running is None)


async def test_a_connection_that_closes_cancels_nothing_for_so_says_the_protocol(wires, listen, blender):
    async with serving(wires, listen) as site, site.http() as http:
        headers = await session_of(http)
        with trio.CancelScope() as leaving:
            async with trio.open_nursery() as nursery:
                call = tool_call("test_wait", {"name": "a"})
                nursery.start_soon(lambda: http.post(PATH, json=call, headers=headers))
                await until(lambda: "a" in blender.ran)
                leaving.cancel()
        echo = tool_call("test_echo", {"value": 1}, number=3)
        async with trio.open_nursery() as nursery:
            answers = []

            async def ask():
                answers.append(await http.post(PATH, json=echo, headers=headers))

            nursery.start_soon(ask)
            await until(lambda: site.line.pool().leased == 2 or blender.pump.status()["queued"] == 1)
            blender.gates["a"].set()
        assert blender.ran[-2:] == ["a", "echo 1"]


async def test_what_a_call_reports_comes_before_its_result(wires, listen, blender):
    command_that_reports(blender)
    async with serving(wires, listen) as site, site.http() as http:
        call = tool_call("test_half", {"name": "a"}, progressToken="p")
        async with http.stream("POST", PATH, json=call, headers=await session_of(http)) as stream:
            lines = stream.aiter_lines()
            told = await next_message(lines)
            assert told["params"] == {"progressToken": "p", "progress": 1, "total": 2, "message": "half-way"}
            blender.gates["a"].set()
            assert (await next_message(lines))["result"]["structuredContent"] == {"done": "a"}
            await lines.aclose()


async def test_each_session_has_the_tools_that_its_address_asks_for(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}

        async def names(path):
            answer = await http.post(path, json=listing, headers=await session_of(http, path))
            [message] = messages(answer.text)
            return {tool["name"] for tool in message["result"]["tools"]}

        assert "test_echo" in await names("/mcp?tools=test")
        assert "test_echo" not in await names("/mcp")


async def test_slow_and_fast_calls_of_two_sessions_do_not_mix(wires, listen, blender):
    async with serving(wires, listen) as site, site.http() as one, site.http() as other:
        first, second = await session_of(one), await session_of(other)
        answers: dict[str, httpx2.Response] = {}

        async def ask(http, headers, name, arguments, word):
            # The ids are the same on purpose: each session counts for itself.
            answers[word] = await http.post(PATH, json=tool_call(name, arguments, number=9), headers=headers)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, one, first, "test_wait", {"name": "slow"}, "slow")
            await until(lambda: "slow" in blender.ran)
            await ask(other, second, "bridge_status", {}, "fast")
            assert "slow" not in answers
            blender.gates["slow"].set()
        assert messages(answers["slow"].text)[0]["result"]["structuredContent"] == {"waited": "slow"}
        assert "instances" in messages(answers["fast"].text)[0]["result"]["structuredContent"]


async def test_a_stream_of_notifications_is_opened_with_get(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        headers = await session_of(http)
        async with http.stream("GET", "/mcp", headers=headers) as stream:
            assert (stream.status_code, stream.headers["content-type"]) == (200, "text/event-stream")
            assert (await http.get("/mcp", headers=headers)).status_code == 409
