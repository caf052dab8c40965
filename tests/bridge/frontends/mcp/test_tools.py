"""The catalogue as tools: which are listed, how many bytes that takes, and that nothing is lost on the way."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from blender_addon.commands import CATALOGUE as PACKAGED
from bridge.frontends.mcp.listing import described
from bridge.frontends.mcp.profiles import CORE, mistake, selects
from bridge.frontends.mcp.tools import CALL, SEARCH, Tools
from bridge.methods import CATALOGUE as OWN

CATALOGUE = [*PACKAGED.describe(), *OWN.describe()]
TOOLS = Tools(CATALOGUE)
BY_NAME = {entry["name"]: entry for entry in CATALOGUE}
MOST_TOOLS, MOST_BYTES = 25, 24_000


@cache
def shown(selection: str) -> dict[str, Any]:
    tools = described(TOOLS, selection)
    return {tool.name: tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools}


def entry(name: str, params: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    hints = {"read_only": False, "destructive": True, "idempotent": False}
    schema = {"type": "object", "properties": params or {}, "required": [], "additionalProperties": False}
    return {"name": name, "doc": "Do it.", "params": schema, "result": {}, "hints": hints, **more}


def test_the_core_profile_is_small():
    tools = shown("core")
    assert len(tools) <= MOST_TOOLS
    assert len(json.dumps({"tools": list(tools.values())}, separators=(",", ":")).encode()) <= MOST_BYTES


def test_every_name_in_the_core_profile_is_a_command():
    assert set(CORE) <= BY_NAME.keys()


@pytest.mark.parametrize("selection", ["core", "full", "mesh", "core,mesh", " mesh , jobs "])
def test_the_doors_own_tools_are_in_every_selection(selection):
    assert {SEARCH, CALL} <= shown(selection).keys()


@pytest.mark.parametrize(
    ("selection", "method", "listed"),
    [("core", "scene.summary", True), ("core", "mesh.read", False), ("full", "mesh.read", True),
     ("mesh", "mesh.read", True), ("mesh", "scene.summary", False), ("core,mesh", "scene.summary", True),
     ("core,mesh", "mesh.read", True), ("mesh, node", "node.add", True), ("me", "mesh.read", False)],
)  # fmt: skip
def test_a_selection_is_profiles_and_families(selection, method, listed):
    assert selects(selection, method) is listed


@pytest.mark.parametrize("selection", ["core", "full", "core,mesh", "mesh, scene", "mesh,"])
def test_what_there_is_may_be_selected(selection):
    assert mistake(selection, TOOLS.families) is None


@pytest.mark.parametrize("selection", ["", ",", "meshes", "core,nothing", "Core", "x" * 5000])
def test_what_there_is_not_is_a_mistake_that_names_all_families(selection):
    told = mistake(selection, TOOLS.families)
    assert told is not None
    assert all(family in told for family in TOOLS.families)
    assert len(told) < 1000


def test_every_command_is_a_tool_with_a_description_and_an_object_of_arguments():
    tools = shown("full")
    assert tools.keys() == {name.replace(".", "_") for name in BY_NAME} | {SEARCH, CALL}
    for tool in tools.values():
        assert tool["description"]
        assert tool["inputSchema"]["type"] == "object"


def test_hints_are_the_registrys():
    tools = shown("full")
    for name, command in BY_NAME.items():
        hints = tools[name.replace(".", "_")]["annotations"]
        assert hints["readOnlyHint"] is command["hints"]["read_only"]
        if not command["hints"]["read_only"]:
            assert hints["destructiveHint"] is command["hints"]["destructive"]
            assert hints.get("idempotentHint", False) is command["hints"]["idempotent"]


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_what_is_listed_allows_what_the_command_allows_and_names_the_same_parameters(name):
    listed = shown("full")[name.replace(".", "_")]["inputSchema"]
    whole = BY_NAME[name]["params"]
    assert listed["properties"].keys() - {"max_size", "save_to"} == whole["properties"].keys() - {"max_size", "save_to"}
    assert listed.get("required", []) == whole["required"]
    for param, schema in whole["properties"].items():
        for key in ("type", "enum", "default", "pattern", "minItems", "maxItems"):
            if key in schema and "$part" not in json.dumps(schema):
                assert listed["properties"][param][key] == schema[key], param


def test_bounds_that_mean_something_are_shown_and_those_in_the_millions_are_not():
    bounds = {"type": "number", "minimum": 0, "maximum": 1e9}
    name = {"type": "string", "minLength": 1, "maxLength": 255, "default": {"minLength": 1, "required": []}}
    [tool, *_] = described(Tools([entry("a.b", {"size": bounds, "minLength": name})]), "full")
    assert tool.input_schema["properties"] == {
        "size": {"type": "number", "minimum": 0},
        "minLength": {"type": "string", "default": {"minLength": 1, "required": []}},
    }


def test_other_commands_are_called_by_their_tools_names_in_descriptions():
    tools = Tools([entry("a.b", doc="See c.d, e.g. c.e and bpy.ops."), entry("c.d")])
    assert tools.find("a_b").description == "See c_d, e.g. c.e and bpy.ops."


@pytest.mark.parametrize("query", ["write mesh", "mesh.write", "Binary ARRAYS mesh"])
def test_search_finds_by_words_of_name_and_description(query):
    assert "mesh_write" in [tool.name for tool in TOOLS.search(query, 5)]


def test_search_finds_nothing_where_no_word_fits():
    assert TOOLS.search("xyzzy", 5) == []
    assert TOOLS.search("", 5) == []


def test_a_picture_can_be_asked_for_in_a_size_and_arrays_into_a_directory():
    assert "max_size" in shown("core")["render_still"]["inputSchema"]["properties"]
    assert "save_to" in shown("full")["mesh_read"]["inputSchema"]["properties"]
    assert "max_size" not in shown("core")["object_create"]["inputSchema"]["properties"]


def test_no_tool_asks_for_a_part_that_mcp_has_no_word_for():
    assert "$part" not in json.dumps([tool["inputSchema"] for tool in shown("full").values()])
