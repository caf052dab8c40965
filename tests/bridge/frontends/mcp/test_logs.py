"""Log messages of tool calls: nothing unless they are asked for, then what is grave enough."""

from __future__ import annotations

import pytest

from .over_http import UNCLOSED, messages, serving, session_of, stateless, tool_call

pytestmark = pytest.mark.filterwarnings(UNCLOSED)
PATH = "/mcp?tools=full"
LEVEL = "io.modelcontextprotocol/logLevel"


async def told(http, headers, name, arguments=None):
    """The log messages that come with a call in that session."""
    answer = await http.post(PATH, json=tool_call(name, arguments), headers=headers)
    return [note["params"] for note in messages(answer.text) if note.get("method") == "notifications/message"]


async def set_level(http, headers, level):
    request = {"jsonrpc": "2.0", "id": 3, "method": "logging/setLevel", "params": {"level": level}}
    [answer] = messages((await http.post(PATH, json=request, headers=headers)).text)
    return answer


async def test_without_a_level_nothing_is_told(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        headers = await session_of(http)
        assert await told(http, headers, "test_fail") == []


async def test_a_failure_is_told_with_its_outcome(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        headers = await session_of(http)
        assert (await set_level(http, headers, "warning"))["result"] == {}
        [failed] = await told(http, headers, "test_fail")
        assert failed["level"] == "error"
        assert (failed["data"]["tool"], failed["data"]["outcome"]) == ("test_fail", "failed")
        [refused] = await told(http, headers, "test_nothing")
        assert (refused["level"], refused["data"]["code"]) == ("warning", "unknown_method")


@pytest.mark.parametrize(("level", "count"), [("debug", 1), ("info", 0), ("error", 0)])
async def test_a_success_is_told_to_who_wants_to_know_all(wires, listen, level, count):
    async with serving(wires, listen) as site, site.http() as http:
        headers = await session_of(http)
        await set_level(http, headers, level)
        found = await told(http, headers, "test_echo")
        assert [note["data"] for note in found] == count * [{"tool": "test_echo", "code": "ok"}]


async def test_the_level_is_the_sessions_own(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        first, second = await session_of(http), await session_of(http)
        await set_level(http, first, "debug")
        assert await told(http, second, "test_echo") == []


async def test_a_level_that_there_is_not_is_refused(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        assert (await set_level(http, await session_of(http), "loud"))["error"]["code"] == -32602


@pytest.mark.parametrize(("meta", "count"), [({}, 0), ({LEVEL: "error"}, 0), ({LEVEL: "debug"}, 1)])
async def test_in_the_later_era_each_request_says_it(wires, listen, meta, count):
    async with serving(wires, listen) as site, site.http() as http:
        answer = await http.post(PATH, **stateless(tool_call("test_echo", **meta)))
        notes = [note for note in messages(answer.text) if note.get("method") == "notifications/message"]
        assert len(notes) == count
