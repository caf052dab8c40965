"""Those who watch the wire: a tool that has asked for a trace, and a list beside one tap."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import trio

from blender_addon import wire
from bridge.trace import Trace, Wanted
from tests.bridge.blender import PATIENCE
from tests.bridge.line import Line, until
from tests.bridge.tool import Tool

TOKEN = "correct horse battery staple"


class Watching:
    """A tool that has asked for a trace; `records` is what it was shown so far."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool

    @property
    def records(self) -> list[dict[str, Any]]:
        return [record for name, record in self.tool.seen if name == "log" and "envelope" in record]

    @property
    def text(self) -> str:
        return json.dumps(self.tool.seen, ensure_ascii=False)

    async def until(self, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first record that is like this."""
        while True:
            for record in self.records:
                if wanted(record):
                    return record
            await self.tool._until(wire.Event, "trace")

    async def answered(self, request_id: str) -> list[dict[str, Any]]:
        """What was shown up to the answer that the client was given to that request."""
        await self.until(lambda record: is_answer(record, request_id))
        return self.records

    async def ended(self) -> dict[str, Any]:
        answer = await self.tool.answer("trace")
        assert answer.ok, answer.body
        return answer.body


def kind(record: dict[str, Any]) -> str | None:
    return record["envelope"] and record["envelope"]["kind"]


def is_answer(record: dict[str, Any], request_id: str) -> bool:
    return record["hop"] == "client" and kind(record) == "response" and record["envelope"]["id"] == request_id


async def watch(line: Line, params: dict[str, Any] | None = None, **fields: Any) -> Watching:
    tool = await line.tool()
    await tool.send("trace", "bridge.trace", params, **fields)
    assert "watching" in await tool._until(wire.Event, "trace")
    return Watching(tool)


@asynccontextmanager
async def watching_directly(trace: Trace, shown: list[bytes], wanted: Wanted | None = None):
    def send(name: str, data: Any) -> bool:
        shown.append(bytes(data))
        return True

    async with trio.open_nursery() as nursery:
        with trace.watch("", wanted or Wanted()) as seeing:
            nursery.start_soon(seeing.run, send, trio.current_time() + PATIENCE)
            await until(lambda: shown)
            yield
            seeing.close()


async def one_frame(payload: bytes, wanted: Wanted, envelope: bytes = b'{"kind":"pong","id":"1"}') -> dict[str, Any]:
    """The record of a frame on a wire whose token is TOKEN."""
    trace, shown = Trace(), []
    async with watching_directly(trace, shown, wanted):
        trace.tap("client", "c1", secret=f" {TOKEN}\n").came(wire.Frame(envelope, payload))
        await until(lambda: len(shown) == 2)
    return json.loads(shown[1])
