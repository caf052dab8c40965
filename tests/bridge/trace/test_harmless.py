"""Watching changes nothing for those who are watched."""

from __future__ import annotations

import json

from blender_addon import wire
from bridge.connection import Exchange, open_connection
from bridge.memory import MemoryBudget
from bridge.trace import Trace, Wanted, Watcher
from tests.bridge.blender import Wires, running_blender
from tests.bridge.line import bridge
from tests.bridge.tool import Tool

from .watching import watch, watching_directly


async def test_while_nobody_watches_nothing_is_recorded(wires, listen, monkeypatch):
    shown = []
    monkeypatch.setattr(Trace, "show", lambda *_: shown.append(1))
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await tool.call("r1", "test.echo")
        assert shown == []
        with line.fleet.trace.watch("", Wanted()):
            await tool.call("r2", "test.echo")
        assert shown


async def test_the_bytes_on_the_wire_are_the_same(wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        answers = []
        for watched in (False, True):
            if watched:
                await watch(line, {"payloads": True})
            for params in ({"value": "x" * 10}, {"value": "x" * 10_000}):
                await tool.say(tool.frame("same", "test.echo", params))
                answers.append(await raw_frame(tool))
        assert answers[:2] == answers[2:]


async def raw_frame(tool: Tool) -> bytes:
    data = b""
    while len(data) < 8 or len(data) < 8 + int.from_bytes(data[:4], "big") + int.from_bytes(data[4:8], "big"):
        data += await tool.stream.receive_some()
    tool.session.receive(wire.Frame(data[8 : 8 + int.from_bytes(data[:4], "big")], b""))
    return data


async def test_a_bug_in_showing_a_frame_harms_no_request(wires, listen, monkeypatch):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await watch(line)
        monkeypatch.setattr(Watcher, "see", lambda *_: 1 / 0)
        assert await tool.call("r1", "test.echo", {"value": 1}) == {"value": 1}


async def test_a_request_s_own_bytes_are_only_read(tmp_path):
    trace, shown = Trace(), []
    with running_blender(tmp_path / "b.sock") as blender:
        async with watching_directly(trace, shown, Wanted(payloads=True)):
            memory = MemoryBudget(1 << 26).share(1 << 26)
            connection = await open_connection(
                Wires(blender.path), token=None, memory=memory, max_payload=1 << 25, cancel_grace=1.0,
                make_tap=lambda: trace.tap("blender", "b-1"),
            )  # fmt: skip
            payload = memoryview(json.dumps({"value": "y" * 200_000}).encode())
            exchange = Exchange(wire.Request("b1", "test.echo", 10.0), payload)
            await connection.call(exchange)
            assert json.loads(bytes(exchange.reply.payload)) == json.loads(bytes(payload))
            exchange.reply.drop()
            connection.abort()
            assert memory.used == 0
