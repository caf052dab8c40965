"""The era without sessions (2026-07-28) over HTTP: each request says everything, and closing it cancels it."""

from __future__ import annotations

import pytest
import trio
from mcp.shared.exceptions import MCPError

from tests.bridge.line import until

from .over_http import ERAS, STATELESS, UNCLOSED, command_that_reports, next_message, serving, stateless, tool_call

pytestmark = pytest.mark.filterwarnings(UNCLOSED)
PATH = "/mcp?tools=full"


async def test_a_request_is_answered_at_once_and_no_session_is_opened(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        answer = await http.post(PATH, **stateless(tool_call("test_echo", {"value": 7})))
        assert answer.json()["result"]["structuredContent"] == {"value": 7}
        assert "mcp-session-id" not in answer.headers


async def test_what_there_is_can_be_asked_without_more(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        asked = {"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {}}
        result = (await http.post("/mcp", **stateless(asked))).json()["result"]
        assert STATELESS in result["supportedVersions"]
        assert "tools" in result["capabilities"]


async def test_a_connection_that_closes_stops_the_call_in_blender(wires, listen, blender):
    async with serving(wires, listen) as site, site.http() as http:
        with trio.CancelScope() as leaving:
            async with trio.open_nursery() as nursery:
                call = stateless(tool_call("test_wait", {"name": "a"}))
                nursery.start_soon(lambda: http.post(PATH, **call))
                await until(lambda: "a" in blender.ran)
                leaving.cancel()
        await until(lambda: blender.pump.running is None)
        assert not blender.gates["a"].is_set()


async def test_a_call_that_was_closed_while_it_waited_never_runs(wires, listen, blender):
    async with serving(wires, listen) as site, site.http() as http, trio.open_nursery() as running:
        first = stateless(tool_call("test_wait", {"name": "a"}))
        running.start_soon(lambda: http.post(PATH, **first))
        await until(lambda: "a" in blender.ran)
        with trio.CancelScope() as leaving:
            async with trio.open_nursery() as nursery:
                second = stateless(tool_call("test_wait", {"name": "b"}))
                nursery.start_soon(lambda: http.post(PATH, **second))
                await until(lambda: blender.pump.status()["queued"] == 1)
                leaving.cancel()
        await until(lambda: blender.pump.status()["queued"] == 0)
        blender.gates["a"].set()
    assert "b" not in blender.ran


async def test_what_a_call_reports_comes_before_its_result(wires, listen, blender):
    command_that_reports(blender)
    async with serving(wires, listen) as site, site.http() as http:
        call = stateless(tool_call("test_half", {"name": "a"}, progressToken="p"))
        async with http.stream("POST", PATH, **call) as stream:
            lines = stream.aiter_lines()
            told = await next_message(lines)
            assert told["params"] == {"progressToken": "p", "progress": 1, "total": 2, "message": "half-way"}
            blender.gates["a"].set()
            assert (await next_message(lines))["result"]["structuredContent"] == {"done": "a"}
            await lines.aclose()


@pytest.mark.parametrize("method", ["get", "delete", "put"])
async def test_there_is_nothing_but_post(wires, listen, method):
    async with serving(wires, listen) as site, site.http() as http:
        answer = await http.request(method, "/mcp", headers={"MCP-Protocol-Version": STATELESS})
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_version_that_is_not_spoken_is_answered_with_those_that_are(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        request = stateless(tool_call("test_echo"))
        request["headers"]["MCP-Protocol-Version"] = "2031-01-01"
        request["json"]["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2031-01-01"
        answer = await http.post(PATH, **request)
        assert answer.status_code == 400
        assert STATELESS in answer.json()["error"]["data"]["supported"]


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_that_runs_out_of_patience_stops_the_call_in_blender(wires, listen, blender, mode):
    async with serving(wires, listen) as site, site.client(mode) as client:
        with pytest.raises(MCPError):
            await client.call_tool("test_wait", {"name": "a"}, read_timeout_seconds=0.3)
        await until(lambda: "a" in blender.ran and blender.pump.running is None)


async def test_two_of_one_name_are_told_apart_by_their_address(wires, listen, blender):
    async with serving(wires, listen) as site, site.http() as http:
        for query in ("tools=full&client=a", "tools=full&client=b", "tools=full&client=a"):
            await http.post(f"/mcp?{query}", **stateless(tool_call("test_echo")))
        assert len(site.app._visitors._clients) == 2
