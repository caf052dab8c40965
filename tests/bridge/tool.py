"""A tool client on trio that says exactly what it is told to, and keeps every answer until it is asked for."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import trio

from blender_addon import wire
from blender_addon.wire import Part
from blender_addon.wire.session import State


class Answer(NamedTuple):
    ok: bool
    body: Any
    parts: dict[str, Part]
    boot: str | None
    described: Any = None


class Tool:
    """One connection to the bridge."""

    def __init__(self, stream: trio.SocketStream, *, token: str | None = None) -> None:
        self.stream = stream
        self.session = wire.ClientSession(wire.Peer("tool", "1"), token=token)
        self.answers: dict[str, Answer] = {}
        self.seen: list[tuple[str, Any]] = []
        self.goodbye: str | None = None
        self._decoder = wire.FrameDecoder()

    async def greet(self) -> None:
        self.session.greet()
        await self._flush()
        while not isinstance((await self.receive())[0], wire.Opened):
            await self._flush()

    async def _flush(self) -> None:
        while self.session.outbox:
            await self.say(self.session.outbox.pop(0))

    async def say(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def receive(self) -> tuple[Any, Any]:
        """The next frame's meaning and its payload. Raises EOFError at the end, Fault where the bridge refuses us."""
        while (frame := self._decoder.next_frame()) is None:
            data = await self.stream.receive_some(self._decoder.buffer().nbytes)
            if not data:
                raise EOFError
            self._decoder.feed(data)
        return self.session.receive(frame), frame.payload

    def frame(self, request_id: str, method: str, params: Any = None, *, payload: bytes | None = None, **fields: Any):
        body = json.dumps(params or {}).encode() if payload is None else payload
        return wire.head(self.session.request(wire.Request(request_id, method, **fields)), len(body)) + body

    async def send(self, request_id: str, method: str, params: Any = None, **fields: Any) -> None:
        await self.say(self.frame(request_id, method, params, **fields))

    async def cancel(self, request_id: str) -> None:
        await self.say(self.session.cancel(request_id))

    async def ping(self) -> dict[str, Any]:
        """The pong's status object. All that was sent before has been read when it comes."""
        await self.say(self.session.ping("ping"))
        return await self._until(wire.Pong, "ping")

    async def answer(self, request_id: str) -> Answer:
        if request_id not in self.answers:
            await self._until(wire.Response, request_id)
        return self.answers.pop(request_id)

    async def _until(self, kind: type, request_id: str) -> Any:
        while True:
            event, payload = await self.receive()
            value = self._keep(event, payload)
            if isinstance(event, kind) and event.id == request_id:
                return value

    def _keep(self, event: Any, payload: Any) -> Any:
        if isinstance(event, wire.Goodbye):
            self.goodbye = event.reason
            return None
        data, parts = wire.split_parts(payload, getattr(event, "parts", None))
        value = json.loads(bytes(data)) if len(data) else None
        if isinstance(event, wire.Response):
            assert event.id not in self.answers, "two answers to one request"
            self.answers[event.id] = Answer(event.ok, value, parts, event.boot, event.parts)
            self.seen.append(("response", event.id))
        elif isinstance(event, wire.Event):
            self.seen.append((event.name, value))
        return value

    async def call(self, request_id: str, method: str, params: Any = None, **fields: Any) -> Any:
        """The result of a request that succeeds."""
        await self.send(request_id, method, params, **fields)
        answer = await self.answer(request_id)
        assert answer.ok, answer.body
        return answer.body

    async def error(self, request_id: str) -> wire.Fault:
        """The error that the request is answered with."""
        answer = await self.answer(request_id)
        assert not answer.ok, answer.body
        return wire.Fault.from_object(answer.body)

    async def refused(self, method: str, params: Any = None, *, request_id: str = "refused", **fields: Any):
        await self.send(request_id, method, params, **fields)
        return await self.error(request_id)

    async def refusal(self) -> wire.Fault:
        """The error, with id null, that ends the connection; then there is nothing more."""
        if self.session.state is State.HELLO:
            self.session.greet()
        try:
            await self._until(wire.Response, "")
        except wire.Fault as fault:
            assert await self.at_end()
            return fault
        raise AssertionError

    async def at_end(self) -> bool:
        """The bridge has closed, having said nothing more."""
        try:
            return await self.stream.receive_some(1) == b""
        except trio.BrokenResourceError:
            return True

    async def leave(self) -> None:
        await self.stream.aclose()
