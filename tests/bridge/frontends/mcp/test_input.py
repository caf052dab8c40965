"""Whatever a client sends, it ends nobody but that client, and mostly not even that one."""

from __future__ import annotations

import json
import random
from contextlib import suppress

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.frontends.mcp import eras, lines, stream
from tests.bridge.blender import PATIENCE, Wires, running_blender
from tests.bridge.line import until

from .over_socket import house, line

GARBAGE = [
    b"garbage",
    b"{",
    b"null",
    b"7",
    b"[]",
    b'"text"',
    b"\xff\xfe\x00",
    b'{"jsonrpc": "2.0", "id": 1, "method": "p\xff"}',
    b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}',
    b'{"id": 1, "method": "ping"}',
    b'{"jsonrpc": "2.0", "id": 1, "method": 7}',
    b'{"jsonrpc": "2.0", "id": null, "method": "ping"}',
    b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}',
    b'{"jsonrpc": "2.0", "id": true, "method": "ping"}',
    b'{"jsonrpc": "2.0", "id": [], "method": "ping"}',
    b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}',
    b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]',
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b"[" * 100_000,
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
async def test_what_is_no_message_is_answered_with_what_is_wrong_with_it(wires, listen, garbage):
    async with house(wires, listen) as there:
        caller = await there.caller()
        await caller.say(garbage + b"\n")
        answer = await caller.next_message()
        assert answer["error"]["code"] in (-32700, -32600)
        assert (await caller.ask("ping"))["result"] == {}


async def test_a_request_that_is_none_is_answered_under_its_id(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.caller()
        await caller.say(b'{"jsonrpc": "2.0", "id": "mine", "method": 7}\n')
        assert (await caller.answer("mine"))["error"]["code"] == -32600


async def test_a_line_that_is_too_long_is_passed_over(wires, listen, monkeypatch):
    monkeypatch.setattr("bridge.frontends.mcp.session.LONGEST_LINE", 200_000)
    async with house(wires, listen) as there:
        caller = await there.caller()
        for size in (200_001, 1_000_000):
            await caller.say(b"x" * size + b"\n" + line({"id": size, "method": "ping"}))
            assert "200000 are the most" in (await caller.next_message())["error"]["message"]
            assert (await caller.answer(size))["result"] == {}


PARAMS = [7, [], "x", {"name": 7}, {"name": None}, {"name": "test_echo", "arguments": 7}, {"name": "x" * 100_000},
          {"name": "test_echo", "arguments": {"value": 2**70}}, {"name": "test_echo", "_meta": 7}, {}]  # fmt: skip


@pytest.mark.parametrize(
    "method", ["tools/call", "tools/list", "resources/read", "prompts/get", "initialize", "no/such"]
)
async def test_parameters_of_a_wrong_kind_are_an_error_of_that_request(wires, listen, method):
    async with house(wires, listen) as there:
        caller = await there.caller()
        for params in PARAMS:
            answer = await caller.ask(method, params)
            assert "error" in answer or "result" in answer
            assert "Traceback" not in json.dumps(answer)
        assert (await caller.ask("ping"))["result"] == {}


async def test_half_a_line_and_then_nothing_is_the_end_of_that_client(wires, listen):
    async with house(wires, listen) as there:
        caller, other = await there.caller(), await there.caller()
        await caller.say(line({"id": 9, "method": "ping"})[:-10])
        caller.stream.socket.close()
        await until(lambda: there.door.clients == 1)
        assert (await other.ask("ping"))["result"] == {}


async def test_notifications_that_nobody_knows_mean_nothing(wires, listen):
    async with house(wires, listen) as there:
        caller = await there.caller()
        for method, params in [
            ("notifications/cancelled", {"requestId": 12345}),
            ("notifications/cancelled", {"requestId": []}),
            ("notifications/cancelled", {"requestId": "9" * 5000}),
            ("notifications/progress", {"progressToken": 1, "progress": "x"}),
            ("notifications/no/such", {}),
            ("notifications/initialized", {}),
        ]:
            await caller.note(method, **params)
        await caller.say(b'{"jsonrpc": "2.0", "id": 77, "result": {}}\n{"jsonrpc": "2.0", "id": 78, "error": {}}\n')
        assert (await caller.ask("ping"))["result"] == {}


async def test_who_does_not_read_is_let_go_and_nobody_else_waits(wires, listen, monkeypatch):
    monkeypatch.setattr(stream, "_STALLED", 0.1)
    async with house(wires, listen) as there:
        deaf, other = await there.caller(), await there.caller()
        text = "x" * 100_000
        with suppress(trio.BrokenResourceError):
            while True:
                await deaf.start("test_echo", value=text)
        await until(lambda: there.door.clients == 1)
        assert (await other.ask("ping"))["result"] == {}


async def test_who_only_asks_is_not_read_from_for_ever(wires, listen):
    async with house(wires, listen) as there:
        deaf = await there.caller()
        many = line({"id": 1, "method": "ping"}) * 1000
        with trio.move_on_after(2):
            for _ in range(100):
                await deaf.say(many)
        assert there.door._sessions()[0]._writer._lock.statistics().tasks_waiting < 100


async def test_a_message_that_is_cancelled_on_its_way_is_sent_to_its_end():
    ours, theirs = trio.testing.lockstep_stream_pair()
    writer = stream.MessageWriter(ours)
    received = bytearray()

    async def read() -> None:
        while received.count(b"\n") < 2:
            received.extend(await theirs.receive_some(3))

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                scope.cancel()
                nursery.start_soon(read)
                await writer.send_value({"first": 1})
            await writer.send_value({"second": 2})
    assert received == b'{"first":1}\n{"second":2}\n'


async def test_more_requests_at_a_time_than_one_client_may_have_are_refused(blender, wires, listen, monkeypatch):
    monkeypatch.setattr(eras, "_MOST_AT_A_TIME", 3)
    async with house(wires, listen) as there:
        caller = await there.caller()
        running = [await caller.start("test_wait", name="a") for _ in range(3)]
        await until(lambda: there.door._sessions()[0]._eras.in_flight == 3)
        told = (await caller.ask("tools/list"))["error"]["data"]
        assert (told["code"], told["outcome"], told["retryable"]) == ("busy", "not_executed", True)
        assert (await caller.ask("ping"))["result"] == {}
        await caller.note("notifications/cancelled", requestId=running[-1])
        await until(lambda: there.door._sessions()[0]._eras.in_flight < 3)
        assert "result" in await caller.ask("tools/list")
        blender.gates["a"].set()


async def test_lines_are_found_wherever_the_pieces_end():
    text = b"one\n\ntwo\nthree\nfour"
    for size in range(1, len(text)):
        sender, receiver = trio.testing.memory_stream_one_way_pair()

        async def send(sender=sender, size=size):
            for start in range(0, len(text), size):
                await sender.send_all(text[start : start + size])
            await sender.aclose()

        found = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            reader = lines.Lines(receiver, 4)
            while True:
                try:
                    if (next_line := await reader.next_line()) is None:
                        break
                    found.append(next_line)
                except lines.LineTooLong:
                    found.append("too long")
        assert found == [b"one", b"", b"two", "too long"], size


async def test_a_line_without_an_end_takes_no_memory_without_end():
    sender, receiver = trio.testing.memory_stream_one_way_pair()
    reader = lines.Lines(receiver, 1000)
    await sender.send_all(b"x" * 1_000_000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader.next_line)
        await trio.testing.wait_all_tasks_blocked()
        assert len(reader._buffer) < 100_000
        nursery.cancel_scope.cancel()


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_fuzzed_input_ends_neither_the_door_nor_another_client(tmp_path_factory, data):
    directory = tmp_path_factory.mktemp("m")
    seeds = [line({"id": 1, "method": m, "params": p}) for m in ("tools/call", "tools/list") for p in (PARAMS[-2], {})]
    chaos = random.Random(data.draw(st.integers(0, 1 << 32)))
    with running_blender(directory / "b.sock") as blender:
        async with house({"default": Wires(blender.path)}, f"unix:{directory / 'bridge.sock'}") as there:
            other = await there.caller()
            caller = await there.caller()
            for _ in range(20):
                kind = chaos.randrange(4)
                if kind == 0:
                    said = data.draw(st.binary(max_size=200))
                elif kind == 1:
                    said = json.dumps(data.draw(ANYTHING)).encode()
                elif kind == 2:
                    said = bytearray(chaos.choice(seeds))
                    said[chaos.randrange(len(said))] = chaos.randrange(256)
                else:
                    value = {
                        "jsonrpc": "2.0",
                        "id": 1,
                        "method": chaos.choice(["tools/call", "ping", "resources/read"]),
                    }
                    said = json.dumps({**value, "params": data.draw(ANYTHING)}).encode()
                await caller.say(bytes(said) + b"\n")
            assert (await other.ask("ping"))["result"] == {}
            assert (await (await there.caller()).ask("ping"))["result"] == {}
            assert there.door.clients >= 2


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["name", "arguments", "_meta", "uri", "params", "id", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
