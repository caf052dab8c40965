"""One MCP client: which Blender it drives, which tools it is shown, and what it has seen."""

from __future__ import annotations

from typing import Any

from blender_addon.wire import Buffer, Request, split_parts
from blender_addon.wire.envelope import Parts
from bridge import protocol
from bridge.connection import OnEvent, Reply
from bridge.errors import error_from_fault
from bridge.fleet import Affinity
from bridge.service import Service

from .tools import Tools


class Client:
    """What the handlers know of whoever asks: `id` is its name in the logs, `picture` the last that it was shown."""

    def __init__(self, client_id: str, service: Service, *, tools: str, instance: str | None) -> None:
        self.id = client_id
        self.selection = tools
        self._service = service
        self._instance = instance
        self._affinity = Affinity()
        self._boots: dict[str, str] = {}
        self._requests = 0
        self._tools: Tools | None = None
        self.picture: tuple[bytes, str] | None = None

    async def perform(
        self, method: str, payload: Buffer, parts: Parts | None = None, on_event: OnEvent | None = None
    ) -> tuple[Reply, bool]:
        """The reply, and whether its Blender is another process than the one that answered this client last.

        The caller drops the reply. Raises RequestError; cancelled, the request is cancelled in Blender too.
        """
        self._requests += 1
        request = Request(f"{self._requests}", method, None, self._instance, parts=parts)
        call = self._service.call(request, payload, on_event, self.id, self._affinity)
        reply = await self._service.perform(call)
        return reply, self._restarted(call.instance, reply.boot)

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
        """The catalogue as it is now: what Blender's add-ons have registered included. Never raises for its absence."""
        catalogue = await self.value("bridge.methods", {})
        if self._tools is None or self._tools.catalogue != catalogue:
            self._tools = Tools(catalogue, self.selection)
        return self._tools

    async def known_tools(self) -> Tools:
        """The catalogue as it was when it was asked for last."""
        return self._tools if self._tools is not None else await self.tools()
