"""Messages of JSON-RPC, a line each, as the SDK's dispatcher reads and writes them."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import anyio
import trio
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR
from mcp_types.jsonrpc import jsonrpc_message_adapter

from bridge import protocol

from .lines import Lines, LineTooLong

_STALLED = 30.0
_MOST_WAITING = 64


class Malformed(ValueError):
    """A line is no message; `answer` tells its sender."""

    def __init__(self, code: int, message: str, number: object = None) -> None:
        super().__init__(message)
        known = number if isinstance(number, int | str) and not isinstance(number, bool) else None
        self.answer = {"jsonrpc": "2.0", "id": known, "error": {"code": code, "message": message}}


class _Closing:
    async def aclose(self) -> None:
        """The socket is the door's: it closes it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class MessageWriter(_Closing):
    """Messages to a client, each in one piece."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._lock = trio.Lock()
        self.broken = False

    @property
    def idle(self) -> bool:
        """Nothing is being written."""
        return not self._lock.locked()

    async def send(self, item: SessionMessage) -> None:
        """A cancellation waits for the message's end: half of one would spoil all that follow.

        Raises anyio.BrokenResourceError where the client has gone or takes nothing for 30 seconds.
        """
        await self._whole(item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")

    async def send_value(self, value: dict[str, Any]) -> None:
        """The same for a message that the SDK has no words for."""
        await self._whole(protocol.json_bytes(value) + b"\n")

    async def relief(self) -> None:
        """Wait while many messages wait for the client to read: one that only asks is not read from."""
        if self._lock.statistics().tasks_waiting > _MOST_WAITING:
            async with self._lock:
                pass

    async def _whole(self, data: bytes) -> None:
        with trio.CancelScope(shield=True):
            async with self._lock:
                if not self.broken:
                    await self._send(data)
        if self.broken:
            raise anyio.BrokenResourceError

    async def _send(self, data: bytes) -> None:
        try:
            with trio.fail_after(_STALLED):
                await self._stream.send_all(data)
        except (trio.TooSlowError, trio.BrokenResourceError, trio.ClosedResourceError):
            self.broken = True
            # Who does not read is not read from.
            await trio.aclose_forcefully(self._stream)


class MessageReader(_Closing):
    """The messages of a client; a line that is none is handed on as the error that it is."""

    def __init__(self, lines: Lines, writer: MessageWriter) -> None:
        self._lines = lines
        self._writer = writer

    async def receive(self) -> SessionMessage | Exception:
        """The next message. Raises StopAsyncIteration at the end."""
        while True:
            # Lines that have come together are not read without a look at what they have begun, and at others.
            await trio.lowlevel.checkpoint()
            await self._writer.relief()
            try:
                line = await self._lines.next_line()
            except LineTooLong as error:
                return Malformed(INVALID_REQUEST, str(error))
            if line is None or self._writer.broken:
                raise StopAsyncIteration
            if line.strip():
                return _message(line)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        return await self.receive()


def _message(line: bytes) -> SessionMessage | Malformed:
    try:
        value = protocol.json_value(line)
    except ValueError as error:
        return Malformed(PARSE_ERROR, f"this line is not JSON: {error}")
    number = value.get("id") if isinstance(value, dict) else None
    # Without this it would be taken for a notification, and never be answered.
    odd = isinstance(value, dict) and "id" in value and (isinstance(number, bool) or not isinstance(number, int | str))
    try:
        message = None if odd else jsonrpc_message_adapter.validate_python(value, by_name=False)
    except ValueError:
        message = None
    if message is None:
        return Malformed(INVALID_REQUEST, "this line is no JSON-RPC 2.0 request, notification or response", number)
    return SessionMessage(message)
