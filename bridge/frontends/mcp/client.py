"""One MCP client: which Blender it drives, which tools it is shown, and what it has seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import trio
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged

from blender_addon.wire import Buffer, Request, split_parts
from blender_addon.wire.envelope import Parts
from bridge import protocol
from bridge.connection import Reply
from bridge.errors import RequestError, error_from_fault
from bridge.service import Call, Service

from .catalogue import Catalogue, Meant
from .progress import Progress
from .tools import Tool, Tools

_MOST_STREAMS = 16


class Shared(NamedTuple):
    """What all clients have in common; `folders` are those below which alone results are saved, None is anywhere."""

    service: Service
    catalogue: Catalogue
    folders: Sequence[Path] | None = None


class Client:
    """What the handlers know of whoever asks: `id` is its name in the logs, `picture` the last that it was shown.

    `listed` are the tools that it was shown last, None before it has asked for them; `session` is where it hears that
    they are others now in the era that has sessions, `listen` in the later one.
    """

    def __init__(self, client_id: str, shared: Shared, *, tools: str, instance: str | None) -> None:
        self.id = client_id
        self.selection = tools
        self.meant = Meant.of(instance)
        self.listed: list[Tool] | None = None
        self.session: ServerSession | None = None
        self.picture: tuple[bytes, str] | None = None
        self.folders = shared.folders
        self._calls: set[Call] = set()
        self._service = shared.service
        self._catalogue = shared.catalogue
        self._boots: dict[str, str] = {}
        self._requests = 0
        self._bus = InMemorySubscriptionBus()
        self.listen = ListenHandler(self._bus, max_subscriptions=_MOST_STREAMS)
        self.listening = 0
        self.level: str | None = None

    async def perform(
        self, method: str, payload: Buffer, parts: Parts | None = None, progress: Progress | None = None
    ) -> tuple[Reply, bool]:
        """The reply, and whether its Blender is another process than the one that answered this client last.

        The caller drops the reply. Raises RequestError; cancelled, the request is cancelled in Blender too, and what
        comes of it is waited for.
        """
        self._requests += 1
        request = Request(f"{self._requests}", method, None, self.meant.instance, parts=parts)
        on_event = None if progress is None else progress.put
        call = self._service.call(request, payload, on_event, self.id, self.meant.affinity)
        self._calls.add(call)
        try:
            reply = await self._in_order(call, progress)
        finally:
            self._calls.discard(call)
        return reply, self._restarted(call.instance, reply.boot)

    @property
    def in_flight(self) -> int:
        """Calls without an answer yet."""
        return len(self._calls)

    def cancel(self) -> None:
        """Have the calls in flight end now: each is answered with what is known of it."""
        for call in self._calls:
            call.cancel()

    async def _in_order(self, call: Call, progress: Progress | None) -> Reply:
        """The reply; cancelled, the call ends as calls do: Blender is told, and the log."""
        reply: Reply | None = None
        refused: RequestError | None = None
        try:
            async with trio.open_nursery() as beside:
                beside.start_soon(_cancel_with, beside.cancel_scope, call)
                if progress is not None:
                    beside.start_soon(progress.report)
                with trio.CancelScope(shield=True):
                    try:
                        reply = await self._service.perform(call)
                    except RequestError as error:
                        refused = error
                if progress is not None:
                    await progress.tell()
                beside.cancel_scope.cancel()
        except BaseException:
            # Cancelled after the answer had come: nobody takes it.
            if reply is not None:
                reply.drop()
            raise
        if reply is None:
            assert refused is not None
            raise refused
        return reply

    def _restarted(self, instance: str, boot: str | None) -> bool:
        if boot is None:
            return False
        before = self._boots.get(instance)
        self._boots[instance] = boot
        return before not in (None, boot)

    async def value(self, method: str, params: dict[str, Any]) -> Any:
        """The JSON value of a result. Raises RequestError where the request failed."""
        reply, _ = await self.perform(method, protocol.json_bytes(params))
        try:
            if not reply.ok:
                raise error_from_fault(protocol.fault_from_payload(reply.payload))
            return protocol.json_value(split_parts(reply.payload, reply.parts)[0])
        finally:
            reply.drop()

    async def tools(self) -> Tools:
        """The catalogue as it is now, or as it was a moment ago where Blender has no time to say."""
        return await self._catalogue.now(self.meant)

    async def tool(self, name: str) -> tuple[Tool | None, Tools]:
        """The tool of that name, which a Blender that starts may bring yet; and all that are known."""
        tools = await self._catalogue.complete(self.meant, lambda tools: tools.find(name) is not None)
        return tools.find(name), tools

    async def tools_changed(self) -> None:
        """Tell the client that its list of tools is another one."""
        if self.session is not None:
            await self.session.send_tool_list_changed()
        await self._bus.publish(ToolsListChanged())


async def _cancel_with(done: trio.CancelScope, call: Call) -> None:
    try:
        await trio.sleep_forever()
    finally:
        if not done.cancel_called:
            call.cancel()
