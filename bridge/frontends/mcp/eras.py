"""Both of the protocol's eras on one pair of streams.

A request that says everything itself, in `_meta`, is of the era without sessions (2026-07-28); any other belongs to the
session that `initialize` opens. The SDK's own loop decides for one of them at the first request, and refuses clients
that ask what there is (server/discover) and then initialize.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from mcp.server import Server
from mcp.server.connection import Connection, NotifyOnlyOutbound
from mcp.server.models import InitializationOptions
from mcp.server.runner import ServerRunner, aclose_shielded, serve_one
from mcp.shared.dispatcher import DispatchContext
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import InboundLadderRejection, classify_inbound_request
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp.shared.transport_context import TransportContext
from mcp_types import PROTOCOL_VERSION_META_KEY

from .stream import Malformed, MessageReader, MessageWriter

State = TypeVar("State")
Asked = DispatchContext[TransportContext]

_MOST_AT_A_TIME = 64
_BUSY = -32000
_UNBOUNDED = ("ping", "subscriptions/listen")


class Eras(Generic[State]):
    """Serves one client. `in_flight` are its requests without an answer, streams of notifications not counted."""

    def __init__(self, server: Server[State], state: State, options: InitializationOptions) -> None:
        self.in_flight = 0
        self._server = server
        self._state = state
        self._options = options

    async def serve(self, reader: MessageReader, writer: MessageWriter) -> None:
        """Serve until the client leaves. What it has in flight is cancelled then."""

        async def tell(error: Exception) -> None:
            if isinstance(error, Malformed):
                await writer.send_value(error.answer)

        dispatcher: JSONRPCDispatcher[TransportContext] = JSONRPCDispatcher(
            reader, writer, inline_methods=frozenset({"initialize"}), on_stream_exception=tell
        )
        session = Connection.for_loop(dispatcher)
        runner = ServerRunner(self._server, session, self._state, init_options=self._options)
        outbound = NotifyOnlyOutbound(dispatcher)

        async def on_request(asked: Asked, method: str, params: Mapping[str, Any] | None) -> dict[str, Any]:
            if method in _UNBOUNDED:
                return await answer(asked, method, params)
            if self.in_flight >= _MOST_AT_A_TIME:
                message = f"busy: {_MOST_AT_A_TIME} requests of this client are in flight; nothing ran, try again"
                data = {"code": "busy", "outcome": "not_executed", "retryable": True}
                raise MCPError(code=_BUSY, message=message, data=data)
            self.in_flight += 1
            try:
                return await answer(asked, method, params)
            finally:
                self.in_flight -= 1

        async def answer(asked: Asked, method: str, params: Mapping[str, Any] | None) -> dict[str, Any]:
            if method == "initialize" or not _says_everything(params):
                return await runner.on_request(asked, method, params)
            route = classify_inbound_request({"method": method, "params": params})
            if isinstance(route, InboundLadderRejection):
                raise MCPError(code=route.code, message=route.message, data=route.data)
            connection = Connection.from_envelope(
                route.protocol_version, route.client_info, route.client_capabilities, outbound=outbound
            )
            return await serve_one(
                self._server, asked, method, params, connection=connection, lifespan_state=self._state
            )

        try:
            await dispatcher.run(on_request, runner.on_notify)
        finally:
            await aclose_shielded(session)  # noqa: ASYNC102  # shielded and bounded, as its name says


def _says_everything(params: Mapping[str, Any] | None) -> bool:
    meta = (params or {}).get("_meta")
    return isinstance(meta, Mapping) and PROTOCOL_VERSION_META_KEY in meta
