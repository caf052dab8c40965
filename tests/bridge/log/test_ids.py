"""What is logged while a client is served says which one, whichever of its tasks logs it."""

from __future__ import annotations

import json

import pytest
import structlog

from bridge import events
from tests.bridge.line import bridge, until

TCP = "tcp:127.0.0.1:0"


@pytest.fixture
def chatty(monkeypatch):
    """Have a line of a bridge log something for each request, deep inside and without an id."""

    def chatty(line):
        route = line.fleet.route

        def route_and_say(*asked):
            structlog.get_logger().info("asked")
            return route(*asked)

        monkeypatch.setattr(line.fleet, "route", route_and_say)

    return chatty


def said(lines, text):
    return [event for event in map(json.loads, lines()) if event["event"] == text]


async def test_each_client_has_an_id_of_its_own(lines, chatty, wires, listen):
    lines("json")
    async with bridge(wires, listen) as line:
        chatty(line)
        one, two = await line.tool(), await line.tool()
        for tool in (one, two, one):
            await tool.call("r", "test.echo")
    assert [event["connection"] for event in said(lines, "asked")] == ["c1", "c2", "c1"]


async def test_what_reads_on_behind_a_long_request_still_knows_the_client(lines, chatty, blender, wires, listen):
    lines("json")
    async with bridge(wires, listen) as line:
        chatty(line)
        tool = await line.tool()
        await tool.send("long", "test.wait", {"name": "long"})
        await until(lambda: "long" in blender.ran)
        await tool.send("next", "test.echo")
        await tool.ping()
        blender.gates["long"].set()
        await tool.answer("next")
    assert [event["connection"] for event in said(lines, "asked")] == ["c1", "c1"]


async def test_a_finished_request_has_the_id_of_its_client(wires, listen):
    async with bridge(wires, listen) as line:
        await line.tool()
        await (await line.tool()).call("r7", "test.echo")
    (finished,) = [event for event in line.events if isinstance(event, events.RequestFinished)]
    assert (finished.connection, finished.request) == ("c2", "r7")


async def test_a_bug_in_the_bridge_is_logged_with_every_id_there_is(lines, wires, listen, monkeypatch):
    lines("json")
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        monkeypatch.setattr(line.service, "_exchange", None)
        fault = await tool.refused("test.echo", request_id="r7")
    (bug,) = said(lines, "request failed inside the bridge")
    assert (bug["connection"], bug["request"], bug["instance"]) == ("c1", "r7", "default")
    assert bug["reference"] == fault.data["reference"]


async def test_a_refused_client_has_an_id_too_and_its_proof_is_not_logged(lines, wires):
    lines("json", "debug", secrets=["correct horse"])
    async with bridge(wires, TCP, token="correct horse") as line:
        tool = await line.stranger()
        tool.session.greet()
        await tool.say(tool.session.outbox.pop())
        await tool.receive()
        auth = tool.session.outbox.pop()
        proof = json.loads(auth[8:])["proof"]
        wrong = proof[:-1] + ("0" if proof[-1] != "0" else "1")
        await tool.say(auth.replace(proof.encode(), wrong.encode()))
        await tool.refusal()
    written = lines()
    (refused,) = [event for event in map(json.loads, written) if "refused" in event["event"]]
    assert refused["connection"] == "c1"
    assert not any(secret in text for text in written for secret in ("correct horse", wrong))


async def test_who_comes_and_goes_is_logged_for_who_debugs(lines, wires, listen):
    lines("json", "debug")
    async with bridge(wires, listen) as line:
        for _ in range(2):
            await (await line.tool()).leave()
    came_and_went = [json.loads(each) for each in lines()]
    for text in ("client has come", "client has gone"):
        assert sorted(event["connection"] for event in came_and_went if event["event"] == text) == ["c1", "c2"]


async def test_who_makes_room_for_another_is_named(lines, wires, listen):
    lines("json")
    async with bridge(wires, listen, max_clients=1) as line:
        await line.tool()
        await line.tool()
    (closed,) = said(lines, "client closed to make room")
    assert closed["connection"] == "c1"
