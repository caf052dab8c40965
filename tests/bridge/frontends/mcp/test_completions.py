"""What a client may type on: the names of objects."""

from __future__ import annotations

import pytest

from .over_http import UNCLOSED, serving, stateless

pytestmark = pytest.mark.filterwarnings(UNCLOSED)
OBJECTS = {"type": "ref/resource", "uri": "blender://object/{name}"}


def add_objects(blender, *names):
    """As scene.objects tells them."""

    @blender.catalogue.command("scene.objects")
    def objects(*, query: str = "", fields: list[str] | None = None, limit: int = 50) -> object:
        """List those whose name contains the query."""
        found = [{"name": name} for name in names if query in name]
        return {"objects": found[:limit], "total": len(found)}


async def completed(site, ref, argument, value):
    params = {"ref": ref, "argument": {"name": argument, "value": value}}
    async with site.http() as http:
        request = {"jsonrpc": "2.0", "id": 1, "method": "completion/complete", "params": params}
        return (await http.post("/mcp", **stateless(request))).json()["result"]["completion"]


async def test_a_name_is_completed_from_those_there_are(wires, listen, blender):
    add_objects(blender, "Cube", "Cube.001", "Lamp")
    async with serving(wires, listen) as site:
        assert await completed(site, OBJECTS, "name", "Cub") == {
            "values": ["Cube", "Cube.001"], "total": 2, "hasMore": False,
        }  # fmt: skip


async def test_of_many_the_first_hundred_are_told(wires, listen, blender):
    add_objects(blender, *(f"Cube.{number:03}" for number in range(250)))
    async with serving(wires, listen) as site:
        found = await completed(site, OBJECTS, "name", "Cube")
        assert (len(found["values"]), found["total"], found["hasMore"]) == (100, 250, True)


@pytest.mark.parametrize(
    ("ref", "argument"),
    [
        ({"type": "ref/prompt", "name": "build"}, "what"),
        ({"type": "ref/resource", "uri": "blender://scene"}, "name"),
        (OBJECTS, "other"),
    ],
)
async def test_for_anything_else_there_is_nothing_to_say(wires, listen, ref, argument):
    async with serving(wires, listen) as site:
        assert (await completed(site, ref, argument, "x"))["values"] == []


async def test_without_a_blender_there_is_nothing_to_say_either(wires, listen):
    wires["default"].path = None
    async with serving(wires, listen) as site:
        assert (await completed(site, OBJECTS, "name", "Cub"))["values"] == []
