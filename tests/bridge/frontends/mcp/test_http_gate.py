"""Who gets in over HTTP: programs of this machine that have the token."""

from __future__ import annotations

import pytest
import trio

from tests.bridge.line import until

from .over_http import TOKEN, initialize, serving, session_of, stateless, tool_call


async def opened(site, path="/mcp", **headers):
    async with site.http(**headers) as http:
        return await http.post(path, json=initialize())


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"])
async def test_who_has_not_the_token_is_told_where_it_is(wires, listen, given):
    async with serving(wires, listen) as site:
        answer = await opened(site, Authorization=given)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "bpy-bridge mcp token" in answer.json()["error"]
        assert TOKEN not in answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_who_has_it_is_served(wires, listen, scheme):
    async with serving(wires, listen) as site:
        assert (await opened(site, Authorization=f"{scheme} {TOKEN}")).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost.evil.example", "null", "file://"])
async def test_a_web_page_of_another_site_is_refused_whatever_it_has(wires, listen, origin):
    async with serving(wires, listen) as site:
        assert (await opened(site, Origin=origin)).status_code == 403
        assert (await opened(site, Origin=origin, Authorization="")).status_code == 403


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:3000", "http://localhost"])
async def test_a_page_of_this_machine_that_has_the_token_is_served(wires, listen, origin):
    async with serving(wires, listen) as site:
        assert (await opened(site, Origin=origin)).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9871", "localhost.evil.example"])
async def test_another_name_for_this_machine_is_refused(wires, listen, host):
    async with serving(wires, listen) as site:
        assert (await opened(site, Host=host)).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/openid-configuration",
        "/register",
        "/mcp/",
        "/mcp/x",
    ],
)
async def test_nobody_here_grants_anything_and_clients_that_look_for_it_find_nothing(wires, listen, path):
    async with serving(wires, listen) as site, site.http() as http:
        for answer in (await http.get(path), await http.post(path, json={})):
            assert answer.status_code == 404


async def test_a_body_that_is_too_large_is_refused_whether_or_not_it_says_so(wires, listen, monkeypatch):
    monkeypatch.setattr("bridge.frontends.mcp.http._LARGEST_BODY", 1000)
    large = b'{"x": "' + b"x" * 2000 + b'"}'

    async def chunks():
        yield large[:900]
        yield large[900:]

    headers = {"Content-Type": "application/json"}
    async with serving(wires, listen) as site, site.http() as http:
        assert (await http.post("/mcp", content=large, headers=headers)).status_code == 413
        assert (await http.post("/mcp", content=chunks(), headers=headers)).status_code == 413
        await session_of(http)


async def test_a_large_body_without_the_token_is_not_read(wires, listen):
    async with serving(wires, listen) as site, site.http(Authorization="") as http:
        answer = await http.post("/mcp", content=b"x" * 5_000_000, headers={"Content-Type": "application/json"})
        assert answer.status_code == 401
        assert (await http.get("/livez")).status_code == 200


@pytest.mark.parametrize(
    ("content", "status"), [(b"{", 400), (b"[]", 400), (b"\xff\xfe", 400), (b'{"jsonrpc": "2.0"}', 400)]
)
async def test_garbage_is_an_error_of_who_sent_it(wires, listen, content, status):
    async with serving(wires, listen) as site, site.http() as http:
        sent = {"Content-Type": "application/json"}
        for headers in (sent, {**sent, "MCP-Protocol-Version": "2026-07-28"}):
            assert (await http.post("/mcp", content=content, headers=headers)).status_code == status
        await session_of(http)


async def test_beyond_its_bound_it_says_when_to_come_again_and_the_probes_are_answered(
    wires, listen, blender, monkeypatch
):
    monkeypatch.setattr("bridge.frontends.mcp.http._MOST_REQUESTS", 1)
    async with serving(wires, listen) as site, site.http() as http, trio.open_nursery() as nursery:
        waiting = stateless(tool_call("test_wait", {"name": "a"}))
        nursery.start_soon(lambda: http.post("/mcp?tools=full", **waiting))
        while "a" not in blender.ran:
            await trio.sleep(0.002)
        answer = await http.post("/mcp", json=initialize())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert (await http.get("/livez")).status_code == 200
        blender.gates["a"].set()


async def test_an_unknown_method_of_http_is_refused_with_those_there_are(wires, listen):
    async with serving(wires, listen) as site, site.http() as http:
        answer = await http.put("/mcp", json={}, headers=await session_of(http))
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, DELETE")


async def test_tools_that_there_are_not_are_refused_with_those_there_are(wires, listen):
    async with serving(wires, listen) as site:
        await until(lambda: site.line.pool().live)
        answer = await opened(site, "/mcp?tools=tset")
        assert answer.status_code == 400
        assert "did you mean 'test'?" in answer.json()["error"]


async def test_while_no_blender_can_say_what_it_has_any_may_come(wires, listen):
    wires["default"].path = None
    async with serving(wires, listen) as site:
        assert (await opened(site, "/mcp?tools=later")).status_code == 200
