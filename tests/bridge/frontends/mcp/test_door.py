"""Who gets in at the MCP door, and how it closes."""

from __future__ import annotations

import json

import pytest
import trio

from bridge.frontends.mcp import catalogue
from bridge.frontends.mcp import door as door_module
from tests.bridge.line import until

from .over_socket import house


async def refused(caller) -> str:
    message = await caller.next_message()
    assert message is not None
    assert message.keys() == {"error", "exit_code"}
    assert await caller.next_message() is None
    return message["error"]


async def test_after_the_preface_it_is_plain_mcp(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.stranger()
        await caller.greet()
        result = await caller.initialize()
        assert result["serverInfo"]["name"] == "bpy-bridge"
        assert result["capabilities"]["tools"] == {"listChanged": True}
        assert (await caller.ask("ping"))["result"] == {}


@pytest.mark.parametrize(
    "first",
    [b"GET / HTTP/1.1\r\n", b"{}\n", b"[]\n", b'{"bpy_bridge": 2}\n', b'{"bpy_bridge": 1, "tools": 7}\n', b"\xff\n",
     b'{"bpy_bridge": 1, "instance": []}\n', b"\n", b"x" * 5000 + b"\n"],
)  # fmt: skip
async def test_who_says_something_else_first_is_told_what_was_expected_and_leaves(wires, listen, first):
    async with house(wires, listen) as there:
        caller = await there.stranger()
        await caller.say(first)
        assert await refused(caller)
        await (await there.caller()).ask("ping")


async def test_who_says_nothing_is_let_go(wires, listen, monkeypatch):
    monkeypatch.setattr(door_module, "_PREFACE_TIMEOUT", 0.02)
    async with house(wires, listen) as there:
        assert "preface" in await refused(await there.stranger())


async def test_those_who_say_nothing_do_not_keep_out_those_who_do(wires, listen, monkeypatch):
    monkeypatch.setattr(door_module, "_MOST_STRANGERS", 2)
    async with house(wires, listen) as there:
        silent = [await there.stranger() for _ in range(3)]
        caller = await there.caller()
        assert await silent[0].next_message() is None
        assert (await caller.ask("ping"))["result"] == {}


async def test_one_client_too_many_is_told_so_and_the_others_stay(wires, listen, monkeypatch):
    monkeypatch.setattr(door_module, "_MOST_CLIENTS", 2)
    async with house(wires, listen) as there:
        first, second = await there.caller(), await there.caller()
        third = await there.stranger()
        await third.greet()
        assert "2 MCP clients" in await refused(third)
        second.stream.socket.close()
        await until(lambda: there.door.clients == 1)
        await there.caller()
        assert (await first.ask("ping"))["result"] == {}


async def test_sixty_four_clients_are_served(wires, listen):
    async with house(wires, listen) as there:
        callers = [await there.caller() for _ in range(64)]
        async with trio.open_nursery() as nursery:
            for caller in callers:
                nursery.start_soon(caller.ask, "ping")


@pytest.mark.parametrize("given", [{}, {"token": None}, {"token": "wrong"}, {"token": 7}])
async def test_where_anybody_could_connect_the_token_is_needed(wires, listen, given):
    async with house(wires, listen, mcp="tcp:127.0.0.1:0", token="secret") as there:
        caller = await there.stranger()
        await caller.greet(**given)
        why = await refused(caller)
        assert "mcp.token" in why
        assert "secret" not in why
        await there.caller(token="secret")


async def test_families_that_are_not_there_are_refused_with_those_that_are(wires, listen):
    async with house(wires, listen) as there:
        await until(lambda: there.line.pool().live)
        for tools in ("scnee", "core,nonsense", "nonsense,scene"):
            caller = await there.stranger()
            await caller.greet(tools)
            why = await refused(caller)
            assert "core, full" in why
            assert "test" in why
            assert "bridge" in why


async def test_without_blender_they_are_refused_too_after_a_while(wires, listen, monkeypatch):
    monkeypatch.setattr(catalogue, "_UNTIL_BLENDER_TELLS", 0.02)
    wires["default"].path = None
    async with house(wires, listen) as there:
        caller = await there.stranger()
        await caller.greet("scnee")
        assert "did you mean 'scene'?" in await refused(caller)


async def test_a_family_that_only_an_add_on_has_is_waited_for(blender, wires, listen):
    wires["default"].path = None
    async with house(wires, listen) as there:
        caller = await there.stranger()
        await caller.greet("test")
        wires["default"].path = blender.path
        await caller.initialize()
        names = [tool["name"] for tool in (await caller.ask("tools/list"))["result"]["tools"]]
        assert "test_echo" in names


async def test_a_draining_door_takes_nobody_new_and_answers_what_is_in_flight(blender, wires, listen):
    async with house(wires, listen) as there:
        caller = await there.caller()
        number = await caller.start("test_wait", name="a")
        await until(lambda: "a" in blender.ran)
        there.door.stop_accepting()
        await until(lambda: there.listener.socket.fileno() < 0)
        with pytest.raises(OSError, match=r"refused|No such file|ConnectionRefused"):
            await there.stranger()
        async with trio.open_nursery() as nursery:
            settled = trio.Event()

            async def settle() -> None:
                await there.door.settled()
                settled.set()

            nursery.start_soon(settle)
            assert (await caller.ask("ping"))["result"] == {}
            assert not settled.is_set()
            blender.gates["a"].set()
            assert (await caller.answer(number))["result"]["structuredContent"] == {"waited": "a"}
            await settled.wait()
        there.door.close()
        assert await caller.next_message() is None


async def test_what_does_not_end_in_time_is_answered_with_what_is_known_of_it(blender, wires, listen):
    async with house(wires, listen) as there:
        caller = await there.caller()
        number = await caller.start("test_wait", name="a")
        await until(lambda: "a" in blender.ran)
        there.door.stop_accepting()
        there.door.cancel()
        await there.door.settled()
        result = (await caller.answer(number))["result"]
        assert result["isError"]
        assert json.loads(result["content"][0]["text"])["error"]["code"] == "cancelled"


async def test_streams_of_notifications_end_in_order_when_the_door_closes(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.stranger()
        await caller.greet()
        listening = {"notifications": {"toolsListChanged": True}}
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        number = await caller.send("subscriptions/listen", {**listening, "_meta": meta})
        assert (await caller.hear())["method"] == "notifications/subscriptions/acknowledged"
        there.door.stop_accepting()
        await there.door.settled()
        assert "result" in await caller.answer(number)


async def test_a_bug_in_serving_one_client_ends_that_one(wires, listen, monkeypatch):
    async with house(wires, listen) as there:
        other = await there.caller()

        async def broken(*_):
            raise RuntimeError("a bug")

        with monkeypatch.context() as patched:
            patched.setattr("bridge.frontends.mcp.session.Session.serve", broken)
            caller = await there.stranger()
            await caller.greet()
            assert await caller.next_message() is None
        assert (await other.ask("ping"))["result"] == {}


async def test_cancelled_the_door_does_not_wait_for_who_does_not_read(wires, listen):
    async with house(wires, listen) as there:
        deaf = await there.caller()
        await until(lambda: there.line.pool().live)
        for _ in range(20):
            await deaf.start("test_echo", value="x" * 100_000)
        await until(lambda: not there.door._sessions()[0]._writer.idle)
        there.serving.cancel()
        await until(lambda: there.door.clients == 0)
