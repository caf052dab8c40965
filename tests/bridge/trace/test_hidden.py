"""bridge.trace: no token and no proof is ever shown, and payloads only to those who ask."""

from __future__ import annotations

import json

import pytest

from bridge.connection import open_connection
from bridge.log import HIDDEN
from bridge.memory import MemoryBudget
from bridge.trace import Trace, Wanted
from tests.bridge.blender import Wires, running_blender
from tests.bridge.line import bridge, until

from .watching import TOKEN, kind, one_frame, watch, watching_directly

TCP = "tcp:127.0.0.1:0"


async def test_handshakes_are_shown_and_neither_token_nor_proof_is(wires):
    async with bridge(wires, TCP, token=TOKEN) as line:
        watching, tool = await watch(line, {"payloads": True}), await line.stranger()
        said = bytearray()
        say = tool.say

        async def overheard(data: bytes) -> None:
            said.extend(data)
            await say(data)

        tool.say = overheard
        await tool.greet()
        proof = json.loads(bytes(said[said.rindex(b"{") :]))["proof"]
        await tool.call("r1", "test.echo", {"value": f"my token is {TOKEN}"})
        shown = await watching.answered("r1")
        handshake = [record for record in shown if record["connection"] == "c2"][:4]
        assert [kind(record) for record in handshake] == ["hello", "challenge", "auth", "welcome"]
        assert [record["envelope"].get("proof") for record in handshake] == [None, HIDDEN, HIDDEN, None]
        assert len(handshake[0]["envelope"]["nonce"]) == 32
        assert proof not in watching.text
        assert TOKEN not in watching.text


async def test_the_handshake_with_blender_hides_the_same(tmp_path):
    trace, shown = Trace(), []
    with running_blender(tmp_path / "b.sock", token=TOKEN) as blender:
        async with watching_directly(trace, shown):
            connection = await open_connection(
                Wires(blender.path),
                token=TOKEN,
                memory=MemoryBudget(1 << 20).share(1 << 20),
                max_payload=1 << 20,
                cancel_grace=1.0,
                make_tap=lambda: trace.tap("blender", "studio-1", instance="studio", secret=TOKEN),
            )
            connection.abort()
            await until(lambda: len(shown) == 5)
    records = [json.loads(data) for data in shown[1:]]
    assert [(record["direction"], kind(record)) for record in records] == [
        ("out", "hello"),
        ("in", "challenge"),
        ("out", "auth"),
        ("in", "welcome"),
    ]
    assert [record["envelope"].get("proof") for record in records] == [None, HIDDEN, HIDDEN, None]
    assert {(record["connection"], record["instance"]) for record in records} == {("studio-1", "studio")}


async def test_payloads_are_shown_only_to_who_asks_and_cut(wires, listen):
    async with bridge(wires, listen) as line:
        one = await watch(line, {"method": "test.echo"})
        other = await watch(line, {"method": "test.echo", "payloads": True, "payload_limit": 20})
        tool = await line.tool()
        await tool.call("r1", "test.echo", {"value": "confidential" * 10})
        assert not any("payload" in record for record in await one.answered("r1"))
        assert "confid" not in one.text
        assert [record["payload"] for record in await other.answered("r1")][:2] == ['{"value": "confident'[:20]] * 2


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"value": "x" + TOKEN + "y"}, f'{{"value": "x{HIDDEN}y"}}'),
        ({"api_token": "abc", "a": 1}, f'{{"api_token": "{HIDDEN}", "a": 1}}'),
        ({"Password": ["a", "b"]}, f'{{"Password": "{HIDDEN}"}}'),
        ({"deep": {"secret": 'a"b', "b": 2}}, f'{{"deep": {{"secret": "{HIDDEN}", "b": 2}}}}'),
    ],
)
async def test_in_payloads_secrets_are_hidden_by_value_and_by_name(sent, shown):
    assert (await one_frame(json.dumps(sent).encode(), Wanted(payloads=True)))["payload"] == shown


@pytest.mark.parametrize("limit", range(11, 11 + len(TOKEN) + 2))
async def test_a_payload_cut_within_a_secret_does_not_show_its_beginning(limit):
    payload = json.dumps({"value": TOKEN}).encode()
    shown = (await one_frame(payload, Wanted(payloads=True, payload_limit=limit)))["payload"]
    assert TOKEN[:4] not in shown
    assert shown.startswith('{"value": "')


async def test_in_envelopes_secrets_are_hidden_by_value_and_by_name():
    envelope = {"kind": "request", "id": "1", "method": TOKEN, "more": [{"My-Token": ["a"]}, f"<{TOKEN}>"]}
    shown = await one_frame(b"{}", Wanted(), json.dumps(envelope).encode())
    assert shown["envelope"]["more"] == [{"My-Token": HIDDEN}, f"<{HIDDEN}>"]
    assert TOKEN not in json.dumps(shown)
