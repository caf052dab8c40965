"""Who comes in, who is kept out, and who makes room."""

from __future__ import annotations

import resource

import pytest
import trio

from blender_addon.wire import Fault
from bridge.pool import PoolSettings
from tests.bridge.line import bridge, until

TOKEN = "correct horse battery staple"
TCP = "tcp:127.0.0.1:0"


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip("this machine does not allow 4096 open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_the_right_token_opens_the_tcp_door(wires):
    async with bridge(wires, TCP, token=TOKEN) as line:
        tool = await line.tool()
        assert await tool.call("r", "test.echo", {"value": 1}) == {"value": 1}


async def test_a_client_with_another_token_does_not_believe_the_bridge(wires):
    async with bridge(wires, TCP, token=TOKEN) as line:
        tool = await line.stranger()
        tool.session._token = "wrong"
        with pytest.raises(Fault, match="could not prove") as caught:
            await tool.greet()
        assert caught.value.code == "unauthorized"


async def test_a_wrong_proof_costs_a_delay_and_is_unauthorized(wires):
    async with bridge(wires, TCP, token=TOKEN) as line:
        tool, other = await line.stranger(), await line.tool()
        began = trio.current_time()
        tool.session.greet()
        await tool.say(tool.session.outbox.pop())
        await tool.receive()
        auth = bytearray(tool.session.outbox.pop())
        auth[-3] = ord("0") if auth[-3] != ord("0") else ord("1")
        await tool.say(bytes(auth))
        assert await other.call("r", "test.echo"), "others do not wait meanwhile"
        fault = await tool.refusal()
        assert (fault.code, fault.outcome) == ("unauthorized", "not_executed")
        assert trio.current_time() - began > 0.9


@pytest.mark.parametrize("first", ["request", "auth"])
async def test_nothing_is_answered_before_the_token_was_proved(first, blender, wires):
    async with bridge(wires, TCP, token=TOKEN) as line:
        tool = await line.stranger()
        if first == "request":
            await tool.send("r", "test.echo")
        else:
            await tool.say(b'\0\0\0\x5a\0\0\0\0{"kind":"auth","proof":"' + b"0" * 64 + b'"}')
        assert (await tool.refusal()).code == "unauthorized"
    assert blender.ran == []


async def test_another_version_of_the_protocol_is_refused(wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.stranger()
        tool.session.greet()
        await tool.say(tool.session.outbox.pop().replace(b'"protocol":1', b'"protocol":2'))
        assert (await tool.refusal()).code == "unsupported_protocol"


async def test_who_says_no_hello_in_time_is_closed(wires, listen):
    async with bridge(wires, listen, handshake_timeout=0.1) as line:
        silent = await line.stranger()
        tool = await line.tool()
        assert await silent.at_end()
        assert await tool.call("r", "test.echo")


async def test_who_has_not_proved_the_token_takes_up_no_memory(wires):
    async with bridge(wires, TCP, token=TOKEN) as line:
        tool = await line.stranger()
        tool.session.greet()
        hello = tool.session.outbox.pop()
        await tool.say(hello[:4] + (1_000_000).to_bytes(4, "big") + hello[8:])
        fault = await tool.refusal()
        assert (fault.code, line.memory.used) == ("payload_too_large", 0)


async def test_a_request_may_follow_the_hello_at_once(wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.stranger()
        tool.session.greet()
        await tool.say(tool.session.outbox.pop() + tool.frame("r", "test.echo", {"value": 1}))
        await tool.receive()
        assert (await tool.answer("r")).body == {"value": 1}


async def test_half_a_hello_holds_the_door_no_longer_than_the_handshake_s_time(wires, listen):
    async with bridge(wires, listen, handshake_timeout=0.1) as line:
        slow = await line.stranger()
        slow.session.greet()
        await slow.say(slow.session.outbox.pop()[:20])
        assert await slow.at_end()


async def test_who_leaves_in_the_handshake_is_forgotten(wires, listen):
    async with bridge(wires, listen) as line:
        await (await line.stranger()).leave()
        await until(lambda: line.door.clients == 0)
        assert await (await line.tool()).call("r", "test.echo")


async def test_garbage_instead_of_a_hello_is_answered_and_closed(wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.stranger()
        await tool.say(b'{"type":"ping"}')
        fault = await tool.refusal()
        assert fault.code == "bad_frame"
        assert "another add-on" in fault.message


async def test_512_silent_clients_keep_no_other_out(many_files, blender, wires, listen):
    async with bridge(wires, listen, max_clients=600) as line:
        silent = [await line.tool() for _ in range(512)]
        tool = await line.tool()
        assert await tool.call("r", "test.echo", {"value": 1}) == {"value": 1}
        assert line.door.clients == 513
        assert await silent[0].call("r", "test.echo", {"value": 2}) == {"value": 2}


async def test_beyond_max_clients_the_one_that_was_silent_for_longest_makes_room(blender, wires, listen):
    async with bridge(wires, listen, max_clients=4) as line:
        first, second, third, fourth = [await line.tool() for _ in range(4)]
        await first.call("r", "test.echo")
        await second.send("r", "test.wait", {"name": "second"})
        await until(lambda: "second" in blender.ran)
        newcomer = await line.tool()
        assert await third.at_end()
        assert await newcomer.call("r", "bridge.status")
        assert await fourth.call("r", "bridge.status")
        another = await line.tool()
        assert await first.at_end()
        blender.gates["second"].set()
        assert (await second.answer("r")).ok
        assert await another.call("r", "bridge.status")


async def test_strangers_do_not_crowd_out_those_who_have_proved_the_token(wires):
    async with bridge(wires, TCP, token=TOKEN, max_clients=8) as line:
        known = [await line.tool() for _ in range(5)]
        strangers = [await line.stranger() for _ in range(20)]
        await until(lambda: line.door.clients == 8)
        assert await strangers[0].at_end()
        for tool in known:
            assert await tool.call("r", "test.echo")


async def test_where_everybody_is_busy_a_newcomer_is_let_in_all_the_same(blender, wires, listen):
    async with bridge(wires, listen, max_clients=1, pool=PoolSettings()) as line:
        busy = await line.tool()
        await busy.send("r", "test.wait", {"name": "r"})
        await until(lambda: blender.ran)
        newcomer = await line.tool()
        assert await newcomer.ping()
        blender.gates["r"].set()
        assert (await busy.answer("r")).ok


async def test_a_ping_is_answered_while_blender_is_busy(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await tool.send("r", "test.wait", {"name": "r", "stubborn": True})
        await until(lambda: blender.ran)
        status = await tool.ping()
        assert status.pop("uptime") >= 0
        assert status == {"pid": status["pid"], "version": "0.1.0", "instances": 1, "ready": 1}
        blender.gates["r"].set()
        assert (await tool.answer("r")).ok


async def test_without_files_for_newcomers_a_silent_client_makes_room(wires, listen, monkeypatch):
    async with bridge(wires, listen) as line:
        silent = await line.tool()
        accept = type(line.listener.socket).accept
        failures = [OSError(24, "Too many open files"), OSError(103, "Software caused connection abort")]

        def failing(listening):
            if failures and listening is line.listener.socket:
                raise failures.pop(0)
            return accept(listening)

        monkeypatch.setattr("socket.socket.accept", failing)
        tool = await line.tool()
        assert await silent.at_end()
        assert await tool.call("r", "test.echo")


async def test_another_user_is_not_let_in(wires, listen, monkeypatch):
    async with bridge(wires, listen) as line:
        with monkeypatch.context() as context:
            context.setattr("bridge.frontends.framed.door.same_user", lambda _: False)
            assert await (await line.stranger()).at_end()
        assert await (await line.tool()).call("r", "test.echo")
