"""What can be read without calling a tool, and the prompts."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from blender_addon.wire import Fault
from bridge.frontends.mcp.prompts import _PROMPTS
from tests.bridge.line import until

from .over_socket import house
from .test_tools import TOOLS


@pytest.fixture
def scene(blender):
    """A Blender with one object, of a name that has to be quoted."""

    @blender.catalogue.command("scene.summary", read_only=True)
    def summary() -> Any:
        """Describe the scene."""
        return {"objects": 1}

    @blender.catalogue.command("object.get", read_only=True)
    def get(*, name: str) -> Any:
        """Describe an object."""
        if name != "Tür / ä":
            raise Fault("invalid_params", f"there is no object {name!r}", data={"nearest": ["Tür / ä"]})
        return {"name": name}

    return blender


async def test_all_that_can_be_read_is_listed_and_can_be(scene, wires, listen):
    async with house(wires, listen) as there:
        caller = await there.caller()
        listed = {resource["uri"] for resource in (await caller.ask("resources/list"))["result"]["resources"]}
        assert listed == {"blender://scene", "blender://render/last", "blender://log"}
        [template] = (await caller.ask("resources/templates/list"))["result"]["resourceTemplates"]
        uri = template["uriTemplate"].replace("{name}", quote("Tür / ä", safe=""))
        for asked, value in (("blender://scene", {"objects": 1}), (uri, {"name": "Tür / ä"})):
            [content] = (await caller.ask("resources/read", {"uri": asked}))["result"]["contents"]
            assert (content["uri"], content["mimeType"]) == (asked, "application/json")
            assert json.loads(content["text"]) == value


@pytest.mark.parametrize("uri", ["blender://nothing", "file:///etc/passwd", "", "blender://object/Tor"])
async def test_what_is_not_there_is_an_error_that_says_what_is(scene, wires, listen, uri):
    async with house(wires, listen) as there:
        error = (await (await there.caller()).ask("resources/read", {"uri": uri}))["error"]
        assert error["code"] == -32602
        assert "blender://scene" in error["message"] or error["data"]["data"]["nearest"] == ["Tür / ä"]


async def test_where_it_cannot_be_read_now_that_is_another_error(scene, wires, listen):
    async with house(wires, listen) as there:
        caller = await there.caller()
        await until(lambda: there.line.pool().live)
        there.line.fleet.instances["default"].pool.close()
        error = (await caller.ask("resources/read", {"uri": "blender://scene"}))["error"]
        assert error["code"] == -32603
        assert (error["data"]["outcome"], error["data"]["retryable"]) == ("not_executed", True)


async def test_prompts_are_filled_in(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.caller()
        prompts = (await caller.ask("prompts/list"))["result"]["prompts"]
        assert {"build", "render", "inspect", "mend"} == {prompt["name"] for prompt in prompts}
        for prompt in prompts:
            given = {argument["name"]: "a HUT {what}" for argument in prompt.get("arguments", [])}
            asked = {"name": prompt["name"], "arguments": given}
            [message] = (await caller.ask("prompts/get", asked))["result"]["messages"]
            assert ("a HUT {what}" in message["content"]["text"]) is bool(given)


@pytest.mark.parametrize(
    "asked", [{"name": "nothing"}, {"name": "build"}, {"name": "build", "arguments": {"what": ""}}]
)
async def test_a_prompt_that_is_not_there_or_lacks_something_is_an_error(wires, listen, asked):
    async with house(wires, listen) as there:
        assert (await (await there.caller()).ask("prompts/get", asked))["error"]["code"] == -32602


def test_prompts_speak_of_tools_that_there_are():
    words = {word.strip(".,;:()") for prompt in _PROMPTS.values() for word in prompt.text.split()}
    named = {word for word in words if "_" in word and not word.startswith("tool_")}
    assert named
    assert all(TOOLS.find(word) for word in named)
