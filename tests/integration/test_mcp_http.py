"""MCP over HTTP as assistants use it: the SDK's own client, `bpy-bridge serve`, and a real Blender."""

from __future__ import annotations

import base64
import io
import json
import signal
import urllib.error
import urllib.request
from contextlib import asynccontextmanager

import httpx2
import pytest
import trio
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from PIL import Image

from bridge.paths import read_token

from .serving import until

pytestmark = [
    pytest.mark.blender,
    # The SDK's client leaves streams of events half read behind; trio finds that worth a word.
    pytest.mark.filterwarnings("ignore:Async generator 'http(x|core)2:ResourceWarning"),
]
eras = pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])


@asynccontextmanager
async def assistant(served, mode, query=""):
    """The SDK's client at the bridge's door."""
    headers = {"Authorization": f"Bearer {read_token(served.home / 'mcp.token')}"}
    timeout = httpx2.Timeout(60)
    async with httpx2.AsyncClient(headers=headers, timeout=timeout, trust_env=False) as http:
        transport = streamable_http_client(f"{served.ready['http']}/mcp{query}", http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


async def told(client, tool, /, **arguments):
    """What a tool answers; it must not fail."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


def picture(result):
    [content] = [content for content in result.content if content.type == "image"]
    assert result.structured_content is None
    return Image.open(io.BytesIO(base64.b64decode(content.data)))


@eras
async def test_build_look_undo_render(shared, mode):
    with trio.fail_after(120):
        async with assistant(shared, mode) as client:
            await told(client, "tool_call", name="file_new")
            before = await told(client, "scene_summary")
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert {"object_create", "viewport_preview", "history_undo", "render_still"} <= tools.keys()
            assert tools["scene_summary"].annotations.read_only_hint

            made = await told(client, "object_create", type="cube", name="Hut", size=3.0)
            assert made["name"] == "Hut"
            await told(client, "material_set", object="Hut", base_color=[0.8, 0.1, 0.1])
            seen = picture(await client.call_tool("viewport_preview", {"max_size": 128}))
            assert max(seen.size) <= 128

            await told(client, "history_undo")
            await told(client, "history_undo")
            assert (await told(client, "scene_summary"))["object_count"] == before["object_count"]

            steps = []

            async def step(progress, total, message):
                steps.append(progress)

            options = {"engine": "workbench", "width": 320, "height": 200, "max_size": 160}
            rendered = await client.call_tool("render_still", options, progress_callback=step)
            assert picture(rendered).size == (160, 100)
            last = (await client.read_resource("blender://render/last")).contents[0]
            assert Image.open(io.BytesIO(base64.b64decode(last.blob))).size == (160, 100)


@eras
async def test_what_is_wrong_is_told_so_that_it_can_be_mended(shared, mode):
    async with assistant(shared, mode) as client:
        result = await client.call_tool("object_get", {"name": "Cubee"})
        assert result.is_error
        assert "Nothing ran" in result.content[0].text
        error = result.structured_content["error"]
        assert (error["code"], error["outcome"], error["data"]["nearest"]) == (
            "invalid_params",
            "not_executed",
            ["Cube"],
        )
        result = await client.call_tool("object_creat", {})
        assert result.is_error
        assert "object_create" in result.content[0].text


@eras
async def test_a_ping_and_what_the_bridge_knows_are_answered_during_a_long_call(shared, mode):
    async with assistant(shared, mode, "?tools=full") as client, trio.open_nursery() as nursery:
        code = "import time\nwhile True: time.sleep(0.01)"
        nursery.start_soon(client.call_tool, "code_execute", {"code": code})
        with shared.client() as watching:
            await trio.to_thread.run_sync(until, lambda: watching.status()["instances"][0]["pool"]["leased"])
        with trio.fail_after(5):
            status = await told(client, "bridge_status")
            assert status["instances"][0]["pool"]["leased"]
            await client.list_tools()
        nursery.cancel_scope.cancel()


@eras
async def test_who_gives_up_stops_blender(shared, mode):
    async with assistant(shared, mode, "?tools=full") as client:
        with trio.move_on_after(0.5):
            await client.call_tool("code_execute", {"code": "import time\nwhile True: time.sleep(0.01)"})
        with trio.fail_after(30):
            assert (await told(client, "scene_summary"))["object_count"] >= 0


def opened(served, path, **headers):
    """The status and headers of a POST."""
    request = urllib.request.Request(served.ready["http"] + path, b"{}", headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def test_without_the_token_there_is_nothing_here(shared):
    status, headers = opened(shared, "/mcp")
    assert (status, headers["WWW-Authenticate"].split()[0]) == (401, "Bearer")


def test_switched_off_it_is_not_there_and_its_library_is_not_loaded(start):
    served = start(settings={"BPY_BRIDGE_MCP": "off", "PYTHONPROFILEIMPORTTIME": "1"})
    assert "mcp" not in served.ready
    assert opened(served, "/mcp")[0] == 404
    assert not (served.home / "mcp.token").exists()
    assert served.end() == 0
    assert "| bridge.frontends.mcp" in served.log.replace("  ", "")
    assert "mcp.server" not in served.log


def test_without_the_http_door_assistants_come_by_the_relay_alone(start):
    served = start("--http", "off")
    assert "http" not in served.ready
    assert served.ready["mcp"].startswith("unix:")


@eras
async def test_ending_waits_for_what_runs_and_answers_it(start, mode):
    served = start()
    with trio.fail_after(120):
        async with assistant(served, mode, "?tools=full") as client:
            await client.list_tools()
            results = []

            async def ask():
                code = "import time\nfor _ in range(100): time.sleep(0.01)\nresult = 7"
                results.append(await client.call_tool("code_execute", {"code": code}))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask)
                with served.client() as watching:
                    await trio.to_thread.run_sync(until, lambda: watching.status()["instances"][0]["pool"]["leased"])
                served.process.send_signal(signal.SIGTERM)
            assert results[0].structured_content["result"] == 7
            assert await trio.to_thread.run_sync(served.process.wait, 60) == 0


def test_the_sdk_says_nothing_in_the_log_that_is_not_for_its_user(shared):
    assert "StreamableHTTP session manager" not in shared.log
    assert "Created new transport" not in shared.log
