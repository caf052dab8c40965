"""Messages of JSON-RPC, a line each, as the SDK's dispatcher reads and writes them."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import anyio
import trio
from mcp.shared.message import SessionMessage
from mcp_types.jsonrpc import jsonrpc_message_adapter

from .lines import Lines

_STALLED = 30.0


class _Closing:
    async def aclose(self) -> None:
        """The socket is the door's: it closes it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class MessageReader(_Closing):
    """The messages of a client; a line that is none is handed on as the error that it is."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    async def receive(self) -> SessionMessage | Exception:
        """The next message. Raises StopAsyncIteration at the end."""
        while (line := await self._lines.next_line()) is not None:
            if not line.strip():
                continue
            try:
                return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
            except ValueError as error:
                return error
        raise StopAsyncIteration

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        return await self.receive()


class MessageWriter(_Closing):
    """Messages to a client, each in one piece."""

    def __init__(self, stream: trio.abc.SendStream) -> None:
        self._stream = stream
        self._lock = trio.Lock()
        self._broken = False

    async def send(self, item: SessionMessage) -> None:
        """A cancellation waits for the message's end: half of one would spoil all that follow.

        Raises anyio.BrokenResourceError where the client has gone or takes nothing for 30 seconds.
        """
        data = item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
        with trio.CancelScope(shield=True):
            async with self._lock:
                await self._send(data)

    async def _send(self, data: bytes) -> None:
        if self._broken:
            raise anyio.BrokenResourceError
        with trio.move_on_after(_STALLED) as patience:
            try:
                await self._stream.send_all(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                self._broken = True
                raise anyio.BrokenResourceError from error
        if patience.cancelled_caught:
            self._broken = True
            raise anyio.BrokenResourceError
