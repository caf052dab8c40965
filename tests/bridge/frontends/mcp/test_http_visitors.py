"""Who is who over HTTP, and who hears that the tools are others now."""

from __future__ import annotations

import pytest
import trio

from tests.bridge.line import until

from .over_http import UNCLOSED, initialize, messages, next_message, serving, session_of, stateless, tool_call

pytestmark = pytest.mark.filterwarnings(UNCLOSED)
PATH = "/mcp?tools=full"
LISTING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
WANTED = {"notifications": {"toolsListChanged": True}}
LISTEN = {"jsonrpc": "2.0", "id": "l", "method": "subscriptions/listen", "params": WANTED}


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Changes are looked for often."""
    monkeypatch.setattr("bridge.frontends.mcp.catalogue._INTERVAL", 0.01)


def add_command(site, blender) -> None:
    """As an add-on does that is switched on. This Blender tells no revision: the bridge has to forget what it knows."""

    @blender.catalogue.command("late.command")
    def command() -> None:
        """Do nothing."""

    site.line.service._catalogues._kept.clear()


def clients(site):
    return list(site.app._visitors._clients)


async def test_a_session_hears_of_new_tools_on_its_stream(wires, listen, blender):
    async with serving(wires, listen) as site, site.http() as http:
        headers = await session_of(http)
        await http.post(PATH, json=LISTING, headers=headers)
        async with http.stream("GET", "/mcp", headers=headers) as stream:
            lines = stream.aiter_lines()
            add_command(site, blender)
            assert (await next_message(lines))["method"] == "notifications/tools/list_changed"
            await lines.aclose()


async def test_a_session_is_told_that_it_may_hear_of_them(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        [answer] = messages((await http.post(PATH, json=initialize())).text)
        assert answer["result"]["capabilities"]["tools"] == {"listChanged": True}


async def test_the_later_era_hears_of_them_where_it_listens(wires, listen, blender):
    async with serving(wires, listen) as site, site.http() as http:
        async with http.stream("POST", PATH, **stateless(LISTEN)) as stream:
            lines = stream.aiter_lines()
            assert (await next_message(lines))["method"] == "notifications/subscriptions/acknowledged"
            add_command(site, blender)
            assert (await next_message(lines))["method"] == "notifications/tools/list_changed"
            await lines.aclose()


@pytest.mark.parametrize(("query", "who"), [("client=a", "client=b"), ("tools=core", "tools=full"), ("", "instance=x")])
async def test_two_of_one_name_are_told_apart_by_their_address(wires, listen, query, who):
    async with serving(wires, listen) as site, site.http() as http:
        for words in (query, who, query):
            await http.post(f"/mcp?{words}", **stateless(tool_call("bridge_status")))
        assert len(clients(site)) == 2


async def test_two_names_are_two_clients(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        for name in ("one", "other", "one"):
            await http.post(PATH, **stateless(tool_call("bridge_status"), client=name))
        assert len(clients(site)) == 2


async def test_a_session_that_has_ended_is_forgotten(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        headers = await session_of(http)
        await http.post(PATH, json=tool_call("bridge_status"), headers=headers)
        assert len(clients(site)) == 1
        await http.delete("/mcp", headers=headers)
        await until(lambda: clients(site) == [])


async def test_a_name_that_was_not_here_for_long_is_a_new_client(wires, listen, monkeypatch):
    monkeypatch.setattr("bridge.frontends.mcp.http._IDLE", 0.01)
    async with serving(wires, listen) as site, site.http() as http:
        seen = set()
        while len(seen) < 2:
            await http.post(PATH, **stateless(tool_call("bridge_status")))
            [(client, _)] = site.app._visitors._clients.values()
            seen.add(client)
            await trio.sleep(0.02)  # longer than it is remembered


async def test_a_session_and_who_listens_are_remembered_however_long_they_are_silent(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        site.app._visitors._forgotten_after = -1.0
        headers = await session_of(http)
        async with http.stream("POST", PATH, **stateless(LISTEN)) as stream:
            lines = stream.aiter_lines()
            await next_message(lines)
            seen = set()
            for _ in range(2):
                await http.post(PATH, json=tool_call("bridge_status"), headers=headers)
                await http.post(PATH, **stateless(tool_call("bridge_status")))
                seen |= {client for client, _ in site.app._visitors._clients.values()}
            await lines.aclose()
        assert len(seen) == 2


async def test_only_so_many_are_kept(wires, listen, monkeypatch):
    monkeypatch.setattr("bridge.frontends.mcp.visitors._MOST", 2)
    async with serving(wires, listen) as site, site.http() as http:
        for name in "abc":
            await http.post(PATH, **stateless(tool_call("bridge_status"), client=name))
        assert [key[1] for key in clients(site)] == ["b 1", "c 1"]
