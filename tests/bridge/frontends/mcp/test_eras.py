"""Both of the protocol's eras on a socket, whichever a client begins with."""

from __future__ import annotations

import pytest
import trio

from tests.bridge.line import until

from .over_socket import SESSIONS, STATELESS, house


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", SESSIONS])
async def test_a_session_speaks_the_clients_version(wires, listen, version):
    async with house(wires, listen) as there:
        caller = await there.stranger()
        await caller.greet()
        client = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        assert (await caller.ask("initialize", client))["result"]["protocolVersion"] == version


async def test_a_version_from_the_future_is_answered_with_the_latest_that_has_sessions(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.stranger()
        await caller.greet()
        client = {"protocolVersion": "2099-01-01", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        assert (await caller.ask("initialize", client))["result"]["protocolVersion"] == SESSIONS


async def test_a_request_that_says_everything_needs_no_session(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.stranger()
        await caller.greet()
        found = (await caller.stateless("server/discover"))["result"]
        assert STATELESS in found["supportedVersions"]
        assert found["capabilities"]["tools"] == {"listChanged": True}
        assert (await caller.stateless("tools/list"))["result"]["resultType"] == "complete"
        call = await caller.stateless("tools/call", name="bridge_status", arguments={})
        assert call["result"]["structuredContent"]["state"] == "running"


async def test_in_that_era_progress_is_told_and_a_call_can_be_cancelled(blender, wires, listen):
    async with house(wires, listen) as there:
        caller = await there.stranger()
        await caller.greet()
        name, arguments = "test_progress", {"steps": 1}
        await caller.stateless("tools/call", name=name, arguments=arguments, _meta={"progressToken": 1})
        assert [message["method"] for message in caller.heard] == ["notifications/progress"]
        async with trio.open_nursery() as nursery:
            call = {"name": "test_wait", "arguments": {"name": "a"}}
            nursery.start_soon(lambda: caller.stateless("tools/call", **call))
            await until(lambda: "a" in blender.ran)
            await caller.note("notifications/cancelled", requestId=2)
            await until(lambda: blender.pump.running is None)
            nursery.cancel_scope.cancel()


async def test_who_asks_what_there_is_may_then_open_a_session(wires, listen):
    """Some clients do, and the SDK's own loop refuses them."""
    async with house(wires, listen) as there:
        for everything in (False, True):
            caller = await there.stranger()
            await caller.greet()
            await (caller.stateless("server/discover") if everything else caller.ask("server/discover"))
            assert (await caller.initialize())["protocolVersion"] == SESSIONS
            assert "result" in await caller.ask("tools/list")


async def test_before_a_session_is_open_only_a_ping_is_answered(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.stranger()
        await caller.greet()
        assert (await caller.ask("ping"))["result"] == {}
        assert "error" in await caller.ask("tools/list")
        await caller.initialize()
        assert "result" in await caller.ask("tools/list")


async def test_a_request_that_says_only_half_of_everything_is_told_what_is_missing(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.stranger()
        await caller.greet()
        for version in (STATELESS, "2099-01-01", 7):
            meta = {"io.modelcontextprotocol/protocolVersion": version}
            assert "error" in await caller.ask("tools/list", {"_meta": meta})
