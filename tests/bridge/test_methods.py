"""The bridge's own methods: described like Blender's commands, refused like them."""

from __future__ import annotations

from bridge.methods import CATALOGUE
from tests.bridge.line import bridge


def test_each_method_is_described_like_a_command():
    for entry in CATALOGUE.describe():
        assert set(entry) == {"name", "doc", "params", "result", "hints"}
        assert set(entry["hints"]) == {"read_only", "destructive", "idempotent"}
        assert entry["name"].startswith(("bridge.", "jobs."))
        assert entry["doc"].endswith(".")


async def test_an_unknown_method_comes_with_the_nearest(wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        fault = await tool.refused("bridge.statsu")
        assert (fault.code, fault.data["nearest"][0]) == ("unknown_method", "bridge.status")
        assert "did you mean 'bridge.status'" in fault.message


async def test_a_parameter_that_it_does_not_take_is_named(wires, listen):
    async with bridge(wires, listen) as line:
        fault = await (await line.tool()).refused("bridge.status", {"verbose": True})
        assert fault.code == "invalid_params"
        assert fault.data["problems"][0]["param"] == "verbose"


async def test_what_is_no_object_is_a_bad_payload(wires, listen):
    async with bridge(wires, listen) as line:
        assert (await (await line.tool()).refused("bridge.status", [1])).code == "bad_payload"
