"""How MCP over HTTP ends: calls are answered, streams are ended, and nobody is waited for without end."""

from __future__ import annotations

import contextlib

import httpx2
import pytest
import trio

from tests.bridge.line import until

from .over_http import UNCLOSED, messages, next_message, serving, session_of, stateless, tool_call

pytestmark = pytest.mark.filterwarnings(UNCLOSED)
PATH = "/mcp?tools=full"


class Asked:
    """A call on its way, in one era or the other; `answer` once it is there."""

    def __init__(self, http, sessions: bool) -> None:
        self._http = http
        self._sessions = sessions
        self.answer = None

    async def call(self, name, arguments) -> None:
        request = tool_call(name, arguments)
        if self._sessions:
            self.answer = await self._http.post(PATH, json=request, headers=await session_of(self._http))
        else:
            self.answer = await self._http.post(PATH, **stateless(request))

    @property
    def result(self):
        message = messages(self.answer.text)[-1] if self._sessions else self.answer.json()
        return message["result"]


both = pytest.mark.parametrize("sessions", [True, False], ids=["sessions", "stateless"])


@both
async def test_a_call_in_flight_is_waited_for(wires, listen, blender, sessions):
    async with serving(wires, listen) as site, site.http() as http, trio.open_nursery() as nursery:
        asked = Asked(http, sessions)
        nursery.start_soon(asked.call, "test_wait", {"name": "a"})
        await until(lambda: "a" in blender.ran)
        with trio.move_on_after(0.05) as waiting:
            await site.app.settled()
        assert waiting.cancelled_caught
        blender.gates["a"].set()
        await site.app.settled()
        site.stop()
        site.door.stop()
        await until(lambda: asked.answer is not None)
        assert asked.result["structuredContent"] == {"waited": "a"}


@both
async def test_a_call_that_takes_too_long_is_answered_with_what_is_known_of_it(wires, listen, blender, sessions):
    async with serving(wires, listen) as site, site.http() as http, trio.open_nursery() as nursery:
        asked = Asked(http, sessions)
        nursery.start_soon(asked.call, "test_wait", {"name": "a"})
        await until(lambda: "a" in blender.ran)
        site.app.cancel()
        await site.app.settled()
        await until(lambda: asked.answer is not None)
        error = asked.result["structuredContent"]["error"]
        assert asked.result["isError"]
        assert (error["code"], error["outcome"]) == ("cancelled", "failed")


@both
async def test_a_stubborn_call_does_not_keep_the_door_from_closing(wires, listen, blender, sessions):
    with trio.fail_after(15):
        async with serving(wires, listen) as site, site.http() as http, trio.open_nursery() as nursery:
            asked = Asked(http, sessions)
            nursery.start_soon(tolerant, asked.call, "test_wait", {"name": "a", "stubborn": True})
            await until(lambda: "a" in blender.ran)
            site.stop()
            site.door.stop()
        blender.gates["a"].set()


async def tolerant(function, *arguments) -> None:
    """It is answered with nothing, and may say so as it likes."""
    with contextlib.suppress(httpx2.TransportError):
        await function(*arguments)


async def test_a_request_that_comes_later_is_refused(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        headers = await session_of(http)
        site.stop()
        await until(lambda: site.app._ended)
        for request in ({"json": tool_call("test_echo"), "headers": headers}, stateless(tool_call("test_echo"))):
            answer = await http.post(PATH, **request)
            assert (answer.status_code, answer.json()) == (503, {"error": "the bridge is shutting down"})


async def test_streams_of_notifications_are_not_waited_for_and_end_in_order(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        wanted = {"notifications": {"toolsListChanged": True}}
        asked = stateless({"jsonrpc": "2.0", "id": "l", "method": "subscriptions/listen", "params": wanted})
        headers = await session_of(http)
        async with http.stream("POST", PATH, **asked) as later, http.stream("GET", "/mcp", headers=headers) as stream:
            lines = later.aiter_lines()
            await next_message(lines)
            await site.app.settled()
            site.app.end_streams()
            assert "result" in await next_message(lines)
            site.stop()
            assert [line async for line in stream.aiter_lines() if line.startswith("data: {")] == []
            await lines.aclose()


async def test_a_client_that_reads_nothing_is_not_waited_for(wires, listen, blender):
    request = stateless(tool_call("test_echo", {"value": "x" * 8_000_000}))
    with trio.fail_after(15):
        async with serving(wires, listen) as site, site.http() as http:
            async with http.stream("POST", PATH, **request):
                await until(lambda: blender.ran)
                site.stop()
                site.door.stop()


async def test_a_call_that_is_cut_off_stops_in_blender_and_its_client_is_told_to_look(wires, listen, blender):
    async with serving(wires, listen) as site, site.http() as http, trio.open_nursery() as nursery:
        asked = Asked(http, sessions=False)
        nursery.start_soon(asked.call, "test_wait", {"name": "a"})
        await until(lambda: "a" in blender.ran)
        site.stop()
        await until(lambda: asked.answer is not None)
        assert asked.answer.status_code == 503
        assert "look before you repeat it" in asked.answer.json()["error"]
        await until(lambda: blender.pump.running is None)
