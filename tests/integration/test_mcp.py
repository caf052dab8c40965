"""MCP as assistants use it: the SDK's own client, the relay on standard input and output, a real bridge and Blender."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trio
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError
from PIL import Image

from .serving import PATIENCE, environment, until

pytestmark = pytest.mark.blender

SLEEP = "import time\nwhile True:\n    time.sleep(0.01)"


def relay(home: Path, *flags: str, **variables: str) -> StdioServerParameters:
    arguments = ["-m", "bridge", "mcp", *flags]
    return StdioServerParameters(command=sys.executable, args=arguments, env={**environment(home), **variables})


@asynccontextmanager
async def client(home: Path, *flags: str, mode: str = "auto", **options: object) -> AsyncIterator[Client]:
    with open(os.devnull, "w") as nowhere:
        async with Client(stdio_client(relay(home, *flags), nowhere), mode=mode, **options) as found:
            yield found


async def value(client: Client, tool: str, /, **arguments: object) -> dict:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content[0].text
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


async def picture(client: Client, tool: str, /, **arguments: object) -> Image.Image:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content[0].text
    assert result.structured_content is None
    return Image.open(io.BytesIO(base64.b64decode(result.content[-1].data)))


def bridge(home: Path, *words: str) -> int:
    """The exit code of one of our commands."""
    command = [sys.executable, "-m", "bridge", *words]
    return subprocess.call(command, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def alone(_bpy: None, tmp_path: Path) -> Iterator[Path]:
    """A home where no bridge runs yet, and none afterwards."""
    home = tmp_path / "home"
    yield home
    bridge(home, "stop", "--force", "--timeout", "5")


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_an_assistant_builds_looks_takes_back_and_renders(client_of_blender, shared, mode):
    async with client(shared.home, mode=mode) as assistant:
        tools = {tool.name for tool in (await assistant.list_tools()).tools}
        assert {"object_create", "viewport_preview", "history_undo", "render_still"} <= tools
        before = (await value(assistant, "scene_summary"))["object_count"]
        made = await value(assistant, "object_create", type="monkey", name="Ape", location=[0, 0, 2])
        assert made["name"] == "Ape"
        await value(assistant, "material_set", object="Ape", base_color="#ff0000")
        looked = await picture(assistant, "viewport_preview", objects=["Ape"], size=128, max_size=96)
        assert max(looked.size) == 96
        assert len(looked.convert("RGB").getcolors(96 * 96)) > 10
        assert (await value(assistant, "scene_summary"))["object_count"] == before + 1
        for _ in ("the material", "the object"):
            await value(assistant, "history_undo")
        assert (await value(assistant, "scene_summary"))["object_count"] == before
        told = []

        async def progress(done: float, total: float | None, message: str | None) -> None:
            told.append((done, total))

        arguments = {"width": 64, "height": 48, "engine": "workbench"}
        result = await assistant.call_tool("render_still", arguments, progress_callback=progress)
        assert Image.open(io.BytesIO(base64.b64decode(result.content[-1].data))).size == (64, 48)
        assert told
        last = (await assistant.read_resource("blender://render/last")).contents[0]
        assert last.blob == result.content[-1].data
        assert (await assistant.get_prompt("build", {"what": "a hut"})).messages


@pytest.fixture
def client_of_blender(client):
    """The shared Blender in its factory scene."""
    return client


async def test_two_assistants_at_once_get_each_their_own_answers(client_of_blender, shared):
    async with AsyncExitStack() as stack:
        both = [await stack.enter_async_context(client(shared.home)) for _ in range(2)]
        answers: list[tuple[str, str]] = []

        async def ask(assistant: Client, number: int, name: str) -> None:
            slow = "import time; time.sleep(0.05); " if number % 5 == 0 else ""
            code = f"{slow}result = args['said']"
            said = f"{name} {number}"
            answer = await value(assistant, "code_execute", code=code, args={"said": said})
            answers.append((said, answer["result"]))

        async with trio.open_nursery() as nursery:
            for number in range(20):
                for name, assistant in zip("ab", both, strict=True):
                    nursery.start_soon(ask, assistant, number, name)
        assert len(answers) == 40
        assert all(said == answer for said, answer in answers)


async def test_what_an_assistant_no_longer_waits_for_ends_in_blender(client_of_blender, shared):
    async with client(shared.home) as assistant:
        with trio.move_on_after(1.0):
            await assistant.call_tool("code_execute", {"code": SLEEP})
        with trio.fail_after(PATIENCE):
            assert (await value(assistant, "code_execute", code="result = 7"))["result"] == 7


async def test_an_assistant_that_goes_takes_its_work_with_it(client_of_blender, shared):
    async with client(shared.home) as stays:
        async with client(shared.home) as goes, trio.open_nursery() as nursery:
            nursery.start_soon(goes.call_tool, "code_execute", {"code": SLEEP})
            await running(stays, "code.execute")
            nursery.cancel_scope.cancel()
        with trio.fail_after(PATIENCE):
            assert (await value(stays, "code_execute", code="result = 7"))["result"] == 7


async def running(assistant: Client, method: str) -> None:
    """Wait until Blender does it, by what the bridge says of itself meanwhile."""
    with trio.fail_after(PATIENCE):
        while (await value(assistant, "bridge_status"))["instances"][0]["pool"]["leased"] == 0:
            await trio.sleep(0.01)


async def test_commands_that_code_registers_in_blender_are_listed_and_told(client_of_blender, shared):
    changed = trio.Event()

    async def hear(message: object) -> None:
        if "ToolListChanged" in type(message).__name__ or "tools/list_changed" in str(message):
            changed.set()

    register = """
import importlib, sys
package = next(name for name in sys.modules if name.endswith("commands.scene")).rsplit(".", 1)[0]
catalogue = sys.modules[package].CATALOGUE

@catalogue.command("extra.hello", read_only=True)
def hello() -> str:
    '''Say hello.'''
    return "hello"
"""
    forget = register.split("@catalogue", maxsplit=1)[0] + 'catalogue.remove("extra.hello")'
    async with client(shared.home, "--tools", "full", mode="legacy", message_handler=hear) as assistant:
        assert "extra_hello" not in {tool.name for tool in (await assistant.list_tools()).tools}
        await value(assistant, "code_execute", code=register)
        try:
            with trio.fail_after(PATIENCE):
                await changed.wait()
            assert "extra_hello" in {tool.name for tool in (await assistant.list_tools()).tools}
            assert (await value(assistant, "extra_hello"))["result"] == "hello"
        finally:
            await value(assistant, "code_execute", code=forget)


async def test_where_no_bridge_runs_one_is_started_and_answers_before_blender_is_there(alone):
    async with client(alone, mode="legacy") as assistant:
        assert (await assistant.list_tools()).tools
        assert (await value(assistant, "scene_summary"))["blender"]
    assert bridge(alone, "status") == 0


async def test_many_that_start_at_the_same_instant_share_one_bridge(alone):
    pids = set()

    async def ask() -> None:
        async with client(alone) as assistant:
            pids.add((await value(assistant, "bridge_status"))["pid"])

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(ask)
    assert len(pids) == 1


async def test_an_assistant_outlives_a_restart_of_the_bridge(alone):
    bridge(alone, "start", "--http", "off")
    async with client(alone, mode="legacy") as assistant:
        before = await value(assistant, "bridge_status")
        assert before["http"] is None
        await value(assistant, "scene_summary")
        assert bridge(alone, "restart") == 0
        after = await value(assistant, "bridge_status")
        assert after["pid"] != before["pid"]
        assert after["http"] is None


async def test_a_bridge_that_was_killed_leaves_no_call_unanswered_and_its_flags_to_the_next(alone):
    bridge(alone, "start", "--http", "off")
    async with client(alone, mode="legacy") as assistant:
        pid = (await value(assistant, "bridge_status"))["pid"]
        errors = []

        async def call() -> None:
            try:
                await assistant.call_tool("code_execute", {"code": SLEEP})
            except MCPError as error:
                errors.append(error)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(call)
            await running(assistant, "code.execute")
            os.kill(pid, signal.SIGKILL)
        assert "not known whether it ran" in str(errors[0])
        assert errors[0].error.data == {"outcome": "unknown", "retryable": False}
        after = await value(assistant, "bridge_status")
        assert after["pid"] != pid
        assert after["http"] is None


@pytest.mark.filterwarnings("ignore:ping is removed as of 2026-07-28")
async def test_a_bridge_that_was_stopped_stays_so_until_the_assistant_asks_for_something(alone):
    async with client(alone, mode="legacy") as assistant:
        await value(assistant, "bridge_status")
        assert bridge(alone, "stop") == 0
        await assistant.send_ping()
        assert bridge(alone, "status") == 6
        await value(assistant, "bridge_status")
        assert bridge(alone, "status") == 0


async def test_a_bridge_that_ends_answers_what_runs_first(alone):
    async with client(alone, mode="legacy") as assistant:
        await value(assistant, "scene_summary")
        answers = []

        async def call() -> None:
            code = (
                f"import os, time\nwhile not os.path.exists({str(alone / 'go')!r}):\n    time.sleep(0.01)\nresult = 7"
            )
            answers.append(await value(assistant, "code_execute", code=code))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(call)
            await running(assistant, "code.execute")
            pid = (await value(assistant, "bridge_status"))["pid"]
            os.kill(pid, signal.SIGTERM)
            await trio.to_thread.run_sync(until, lambda: not (alone / "mcp.sock").exists())
            (alone / "go").touch()
        assert answers[0]["result"] == 7


def ended(home: Path, *flags: str) -> tuple[int, str]:
    """The exit code and the words of a relay that ends by itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", "mcp", *flags],
        env=environment(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        code = process.wait(PATIENCE)
        said, complaint = process.communicate()
        assert said == ""
        assert complaint.count("\n") == 1
        return code, complaint
    finally:
        process.kill()
        process.communicate()


async def test_a_door_on_a_port_wants_the_token_and_the_relay_has_it(start):
    served = start(settings={"BPY_BRIDGE_MCP": "tcp:127.0.0.1:0"})
    assert served.ready["mcp"].startswith("tcp:127.0.0.1:")
    async with client(served.home) as assistant:
        assert (await value(assistant, "bridge_status"))["mcp"] == served.ready["mcp"]
    token = served.home / "mcp.token"
    assert token.stat().st_mode & 0o077 == 0
    token.write_text("another\n")
    code, complaint = ended(served.home)
    assert (code, "the token is wrong" in complaint) == (2, True)


def test_a_bridge_without_the_door_is_told(start):
    code, complaint = ended(start(settings={"BPY_BRIDGE_MCP": "off"}).home)
    assert (code, "no MCP door" in complaint) == (2, True)


def test_tools_that_are_not_there_are_told(shared):
    code, complaint = ended(shared.home, "--tools", "scnee")
    assert (code, "did you mean 'scene'?" in complaint) == (2, True)
