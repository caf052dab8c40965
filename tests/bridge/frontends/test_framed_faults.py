"""Bad input: each client gets its error, and every other goes on undisturbed."""

from __future__ import annotations

import json
import struct
from contextlib import asynccontextmanager

import pytest

from blender_addon.wire import head
from bridge.pool import PoolSettings
from tests.bridge.line import bridge, until


def envelope(**fields) -> bytes:
    return head(json.dumps(fields).encode(), 0)


@asynccontextmanager
async def undisturbed(wires, listen, **options):
    """The line, with a client whose request is in flight meanwhile and whose answer comes in the end."""
    blender = options.pop("blender")
    async with bridge(wires, listen, **options) as line:
        other = await line.tool()
        await other.send("other", "test.wait", {"name": "other"})
        await until(lambda: "other" in blender.ran)
        yield line, await line.tool()
        assert (await other.ping())["ready"] == 1
        blender.gates["other"].set()
        assert (await other.answer("other")).body == {"waited": "other"}


FATAL = {
    "bytes that are no frame": (b"GET / HTTP/1.1\r\n\r\n", "bad_frame"),
    "the unframed dialect": (b'{"type": "get_scene_info"}', "bad_frame"),
    "no envelope": (struct.pack(">II", 0, 0), "bad_frame"),
    "an oversized envelope": (struct.pack(">II", 65_537, 0), "bad_frame"),
    "an envelope that is no JSON": (head(b"{nonsense", 0), "bad_envelope"),
    "an envelope that is no object": (head(b"[1]", 0), "bad_envelope"),
    "an envelope that is not UTF-8": (head(b'{"kind":"\xff"}', 0), "bad_envelope"),
    "an unknown kind": (envelope(kind="hug", id="1"), "bad_envelope"),
    "no id": (envelope(kind="request", method="test.echo"), "bad_envelope"),
    "a wrong id": (envelope(kind="request", id="no spaces", method="test.echo"), "bad_envelope"),
    "a second hello": (envelope(kind="hello", protocol=1, nonce="0" * 32, peer={"name": "x", "version": "1"}),) * 1
    + ("bad_envelope",),
    "what only a server says": (envelope(kind="goodbye", reason="no"), "bad_envelope"),
}


@pytest.mark.parametrize("what", FATAL)
async def test_what_breaks_the_protocol_ends_that_connection_alone(what, blender, wires, listen):
    data, code = FATAL[what]
    async with undisturbed(wires, listen, blender=blender) as (_line, tool):
        await tool.say(data)
        fault = await tool.refusal()
        assert (fault.code, fault.outcome, fault.request_id) == (code, "not_executed", None)


WRONG_FIELDS = {
    "no method": {},
    "a method that is no text": {"method": 1},
    "a deadline of zero": {"method": "test.echo", "deadline": 0},
    "a deadline that is no number": {"method": "test.echo", "deadline": "soon"},
    "parts that do not add up": {"method": "test.echo", "parts": [{"name": "json", "length": 5}]},
    "parts without json": {"method": "test.echo", "parts": [{"name": "co", "length": 0}]},
}


@pytest.mark.parametrize("what", WRONG_FIELDS)
async def test_a_wrong_field_answers_its_request_and_the_connection_stays(what, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await tool.say(envelope(kind="request", id="r", **WRONG_FIELDS[what]))
        fault = await tool.error("r")
        assert (fault.code, fault.outcome) == ("bad_envelope", "not_executed")
        assert await tool.call("r", "test.echo", {"value": 1}) == {"value": 1}


@pytest.mark.parametrize("payload", [b"nonsense", b"[1]", b'"text"'])
@pytest.mark.parametrize("method", ["test.echo", "bridge.status"])
async def test_parameters_that_are_no_object_are_a_bad_payload(payload, method, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        fault = await tool.refused(method, payload=payload)
        assert (fault.code, fault.outcome) == ("bad_payload", "not_executed")


async def test_an_oversized_payload_is_answered_before_it_is_read(blender, wires, listen):
    async with undisturbed(wires, listen, blender=blender, max_payload=1_000_000) as (_line, tool):
        request = tool.frame("r", "test.echo", payload=b"")
        length = struct.unpack(">I", request[:4])[0]
        await tool.say(struct.pack(">II", length, 1_000_001) + request[8:])
        fault = await tool.refusal()
        assert (fault.code, fault.request_id) == ("payload_too_large", None)
        assert fault.data == {"length": 1_000_001, "limit": 1_000_000}


async def test_the_refusal_of_an_oversized_payload_survives_the_payload(wires, listen):
    async with bridge(wires, listen, max_payload=100_000) as line:
        tool = await line.tool()
        await tool.say(tool.frame("r", "test.echo", payload=bytes(2_000_000)))
        assert (await tool.refusal()).code == "payload_too_large"


async def test_what_was_in_flight_on_a_connection_that_broke_the_protocol_is_cancelled(blender, wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(max_connections=1)) as line:
        tool, other = await line.tool(), await line.tool()
        await tool.send("r", "test.wait", {"name": "r"})
        await until(lambda: blender.ran)
        await tool.say(b"garbage")
        assert await other.call("next", "test.echo", {"value": 1}) == {"value": 1}
        assert line.door.clients == 2, "at once, while the refusal is still on its way"
        assert (await tool.refusal()).code == "bad_frame"
        await tool.say(bytes(1_000_000))


@pytest.mark.parametrize("sent", [1, 7, 8, 30, -1])
async def test_half_a_frame_and_then_silence_closes_that_client_alone(sent, blender, wires, listen):
    async with undisturbed(wires, listen, blender=blender, frame_timeout=0.1) as (_line, tool):
        await tool.say(tool.frame("r", "test.echo", payload=b'{"value": 1}')[:sent])
        assert await tool.at_end()
    assert blender.ran == ["other"]


async def test_half_a_large_payload_and_then_the_end_leaves_nothing_behind(blender, wires, listen):
    async with undisturbed(wires, listen, blender=blender) as (line, tool):
        await tool.say(tool.frame("r", "test.echo", payload=bytes(5_000_000))[:3_000_000])
        await until(lambda: line.memory.used >= 5_000_000)
        await tool.leave()
        await until(lambda: line.memory.used < 5_000_000)


async def test_a_frame_may_come_byte_by_byte(wires, listen):
    async with bridge(wires, listen, frame_timeout=5) as line:
        tool = await line.tool()
        for byte in tool.frame("r", "test.echo", {"value": 1}):
            await tool.say(bytes([byte]))
        assert (await tool.answer("r")).body == {"value": 1}


async def test_a_reader_that_takes_nothing_of_its_answer_is_closed(wires, listen):
    async with bridge(wires, listen, frame_timeout=0.2) as line:
        deaf, tool = await line.tool(), await line.tool()
        await deaf.send("r", "test.blob", {"size": 20_000_000})
        await until(lambda: line.door.clients == 1)
        await tool.call("r", "test.echo")
        with pytest.raises((EOFError, OSError)):
            await deaf.answer("r")


async def test_an_envelope_that_grows_too_long_for_blender_is_refused_unrun(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        bare = len(tool.frame("r", "", payload=b"", deadline=None)) - 8
        await tool.send("r", "m" * (65_536 - bare), payload=b"")
        fault = await tool.error("r")
        assert (fault.code, fault.outcome) == ("bad_envelope", "not_executed")
        assert await tool.call("r", "test.echo", {"value": 1}) == {"value": 1}
        assert len(wires["default"].opened) == 1


async def test_a_bug_in_the_bridge_costs_one_request_and_is_found_by_its_reference(wires, listen, monkeypatch):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        monkeypatch.setattr(line.service, "status", lambda: 1 / 0)
        fault = await tool.refused("bridge.status")
        assert (fault.code, fault.outcome) == ("internal", "not_executed")
        assert fault.data["reference"] in fault.message
        assert await tool.call("r", "test.echo")


async def test_a_bug_in_serving_a_client_costs_that_client(wires, listen, monkeypatch):
    async with bridge(wires, listen) as line:
        tool, other = await line.tool(), await line.tool()
        monkeypatch.setattr(line.service.status, "pong", lambda: 1 / 0)
        await tool.say(tool.session.ping("p"))
        assert await tool.at_end()
        assert await other.call("r", "test.echo")
