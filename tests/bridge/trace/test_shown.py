"""bridge.trace: what passes on the wire is shown live, on both hops."""

from __future__ import annotations

import json
import re

from blender_addon import wire
from tests.bridge.blender import PATIENCE
from tests.bridge.line import bridge, until

from .watching import TOKEN, kind, watch


async def test_a_request_is_shown_on_both_hops_and_so_is_its_answer(wires, listen):
    async with bridge(wires, listen) as line:
        watching, tool = await watch(line, {"method": "test.echo"}), await line.tool()
        await tool.call("r1", "test.echo", {"value": 1})
        shown = await watching.answered("r1")
        assert [(record["hop"], record["direction"], kind(record)) for record in shown] == [
            ("client", "in", "request"),
            ("blender", "out", "request"),
            ("blender", "in", "response"),
            ("client", "out", "response"),
        ]
        assert {record["method"] for record in shown} == {"test.echo"}
        assert [record["instance"] for record in shown[1:3]] == ["default", "default"]
        assert re.fullmatch(r"default-[12]", shown[1]["connection"]), "the other one is for health"
        assert shown[0]["connection"] == shown[3]["connection"] == "c2"
        assert [record["time"] for record in shown] == sorted(record["time"] for record in shown)


async def test_sizes_are_those_on_the_wire_and_an_answer_says_how_long_it_took(wires, listen):
    async with bridge(wires, listen) as line:
        watching, tool = await watch(line), await line.tool()
        frame = tool.frame("r1", "test.echo", {"value": "é"})
        await tool.say(frame)
        assert (await tool.answer("r1")).ok
        shown = await watching.answered("r1")
        asked = next(record for record in shown if kind(record) == "request")
        assert 8 + asked["envelope_length"] + asked["payload_length"] == len(frame)
        assert asked["envelope"] == {"kind": "request", "id": "r1", "method": "test.echo"}
        assert "seconds" not in asked
        inner, outer = (record["seconds"] for record in shown if kind(record) == "response")
        assert 0 < inner <= outer < PATIENCE


async def test_a_large_payload_is_measured_not_shown(wires, listen):
    async with bridge(wires, listen) as line:
        watching, tool = await watch(line, {"payloads": True, "method": "test.blob"}), await line.tool()
        await tool.call("r1", "test.blob", {"size": 3_000_000})
        answers = [record for record in await watching.answered("r1") if kind(record) == "response"]
        assert [record["payload_length"] > 3_000_000 for record in answers] == [True, True]
        for record in answers:
            assert json.loads(record["payload"]) == {"blob": {"$part": "blob"}}, "the JSON part alone"
            assert record["envelope"]["parts"][1]["length"] == 3_000_000


async def test_a_failed_answer_is_shown_with_its_code(wires, listen):
    async with bridge(wires, listen) as line:
        watching, tool = await watch(line, {"errors_only": True}), await line.tool()
        await tool.call("fine", "test.echo")
        await tool.refused("test.fail", request_id="failed")
        await tool.refused("bridge.statsu", request_id="unknown")
        shown = await watching.answered("unknown")
        assert [record["code"] for record in shown] == ["execution_failed", "execution_failed", "unknown_method"]
        assert "payload" not in shown[0]


async def test_events_cancels_and_pings_are_shown_with_the_method_that_they_are_about(blender, wires, listen):
    async with bridge(wires, listen) as line:
        watching, tool = await watch(line, {"connection": "c2"}), await line.tool()
        await tool.call("r1", "test.progress", {"steps": 1})
        await tool.send("r2", "test.wait", {"name": "gate"})
        await until(lambda: "gate" in blender.ran)
        await tool.cancel("r2")
        assert (await tool.error("r2")).code == "cancelled"
        await tool.ping()
        pong = await watching.until(lambda record: kind(record) == "pong")
        assert pong["seconds"] > 0
        assert [(kind(record), record.get("method")) for record in watching.records[2:]] == [
            ("request", "test.progress"),
            ("event", "test.progress"),
            ("response", "test.progress"),
            ("request", "test.wait"),
            ("cancel", "test.wait"),
            ("response", "test.wait"),
            ("ping", None),
            ("pong", None),
        ]


async def test_the_goodbye_is_shown(wires, listen):
    async with bridge(wires, listen) as line:
        watching = await watch(line, {"connection": "c2"})
        await line.tool()
        line.door.stop_accepting("the test is over")
        goodbye = await watching.until(lambda record: kind(record) == "goodbye")
        assert (goodbye["direction"], goodbye["envelope"]["reason"]) == ("out", "the test is over")


async def test_what_is_no_frame_is_shown_as_refused_without_its_bytes(wires, listen):
    async with bridge(wires, listen) as line:
        watching, stranger = await watch(line), await line.stranger()
        await stranger.say(b'{"token": "' + TOKEN.encode())
        assert (await stranger.refusal()).code == "bad_frame"
        await watching.until(lambda record: kind(record) == "response")
        refused, answered = (record for record in watching.records if record["connection"] == "c2")
        assert (refused["direction"], refused["envelope"], refused["code"]) == ("in", None, "bad_frame")
        assert (answered["direction"], answered["envelope"]["id"], answered["code"]) == ("out", None, "bad_frame")
        assert "horse" not in watching.text


async def test_an_envelope_that_is_no_object_or_nested_deeply_is_shown_as_far_as_can_be(wires, listen):
    async with bridge(wires, listen) as line:
        watching, one, other = await watch(line), await line.tool(), await line.tool()
        await one.say(wire.head(b"[1]", 0))
        assert (await one.refusal()).code == "bad_envelope"
        deep = b'{"kind":"ping","id":"deep","more":' + b"[" * 500 + b"]" * 500 + b"}"
        await other.say(wire.head(deep, 0))
        shown = await watching.until(lambda record: kind(record) == "ping" and record["connection"] == "c3")
        assert json.dumps(shown["envelope"]["more"]).count("[") < 20
        assert any(record["envelope"] is None and record["envelope_length"] == 3 for record in watching.records)
