"""What both clients promise alike, on a real socket: the blocking one, and the async one on asyncio and on trio."""

from __future__ import annotations

import array
import json
import math
import socket
from pathlib import Path
from types import MappingProxyType

import pytest

from blender_addon.wire import Limits, Part
from bridge import errors
from bridge.client import Client, asynchronous, blocking, exchange

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "wire.json").read_text())


def test_a_call_returns_the_methods_value(bridge, call):
    assert call(bridge.address, "echo", {"a": [1, None, "é"]}).value == {"a": [1, None, "é"]}


def test_a_call_without_params_sends_an_empty_object(bridge, call):
    assert call(bridge.address, "echo").value == {}


def test_params_may_be_any_mapping(bridge, call):
    assert call(bridge.address, "echo", MappingProxyType({"a": 1})).value == {"a": 1}


def test_an_empty_answer_is_none(bridge, call):
    assert call(bridge.address, "nothing").value is None


def test_a_result_names_the_blender_process_that_answered(bridge, call):
    assert call(bridge.address, "echo").boot == "00112233445566aa"


def test_small_parts_travel_both_ways_with_their_meaning(bridge, call):
    co = array.array("f", [1.0, 2.0, 3.0])
    sent = {"co": Part(co, dtype="<f4", shape=(1, 3)), "none": Part(b""), "image": Part(b"png", media_type="image/png")}
    result = call(bridge.address, "echo", {"co": {"$part": "co"}}, parts=sent)
    assert result.value == {"co": {"$part": "co"}}
    assert result.parts == {
        "co": Part(co.tobytes(), dtype="<f4", shape=(1, 3)),
        "none": Part(b""),
        "image": Part(b"png", media_type="image/png"),
    }


def test_large_parts_travel_both_ways(start_bridge, call):
    bridge = start_bridge(limits=Limits(1 << 24, 4))
    data = bytes(range(256)) * 16_000
    result = call(bridge.address, "echo", {}, parts={"co": Part(data), "more": Part(data[:70_000])})
    assert result.parts["co"].data == data
    assert result.parts["more"].data == data[:70_000]


def test_the_request_carries_what_the_caller_asked_for(bridge, call):
    call(bridge.address, "echo", timeout=7.5, instance="studio", key="k1", boot="b1", client={"instance": "other"})
    request = bridge.requests[0]
    assert (request.instance, request.key, request.boot) == ("studio", "k1", "b1")
    assert request.deadline == pytest.approx(7.5, abs=5)


def test_a_call_goes_to_the_clients_instance_unless_it_names_another(bridge, call):
    call(bridge.address, "echo", client={"instance": "studio"})
    assert bridge.requests[0].instance == "studio"


def test_an_endless_timeout_is_a_year(bridge, call):
    call(bridge.address, "echo", timeout=math.inf)
    assert bridge.requests[0].deadline == pytest.approx(31_536_000, abs=30)


@pytest.mark.parametrize("timeout", [0, -1, math.nan])
def test_a_timeout_that_is_not_above_0_is_refused_before_anything_is_sent(bridge, call, timeout):
    with pytest.raises(ValueError, match="above 0"):
        call(bridge.address, "echo", timeout=timeout)
    assert not bridge.requests


@pytest.mark.parametrize("params", [{"a": object()}, {"a": math.nan}])
def test_params_that_are_not_json_are_refused_before_anything_is_sent(bridge, call, params):
    with pytest.raises((TypeError, ValueError)):
        call(bridge.address, "echo", params)
    assert not bridge.requests


def test_a_payload_over_the_bridges_limit_is_refused_before_anything_is_sent(bridge, call):
    with pytest.raises(errors.ProtocolViolation, match="at most 1048576") as raised:
        call(bridge.address, "echo", parts={"co": Part(bytes(1 << 20))})
    assert (raised.value.code, raised.value.outcome) == ("payload_too_large", "not_executed")
    assert not bridge.requests


def test_an_envelope_that_would_be_too_long_is_refused_before_anything_is_sent(bridge, call):
    with pytest.raises(errors.ProtocolViolation, match="fewer parts"):
        call(bridge.address, "echo", parts={f"part{number}": Part(b"") for number in range(3000)})
    assert not bridge.requests


@pytest.mark.parametrize("vector", VECTORS["errors"], ids=lambda vector: vector["code"])
def test_each_error_is_raised_as_its_class_with_all_that_it_says(bridge, call, vector):
    expected = type(errors.error_from_fault(errors.Fault(vector["code"], "")))
    with pytest.raises(expected) as raised:
        call(bridge.address, "error", vector, retry_busy=False)
    assert raised.value.as_object() == vector


@pytest.mark.parametrize("ok", [True, False])
def test_an_answer_that_cannot_be_read_has_an_unknown_outcome(bridge, call, ok):
    with pytest.raises(errors.BlenderLost) as raised:
        call(bridge.address, "bad_json", {"ok": ok})
    assert raised.value.outcome == "unknown"


def test_a_connection_that_ends_before_the_answer_has_an_unknown_outcome(bridge, call):
    with pytest.raises(errors.BlenderLost, match="connection to the bridge was lost") as raised:
        call(bridge.address, "vanish")
    assert (raised.value.code, raised.value.outcome) == ("blender_lost", "unknown")


def test_what_breaks_the_protocol_in_mid_request_leaves_the_outcome_unknown(bridge, call):
    with pytest.raises(errors.BlenderLost) as raised:
        call(bridge.address, "say_raw", {"hex": "7b7d0a"})
    assert raised.value.outcome == "unknown"


def test_the_bridges_own_last_word_is_the_error(bridge, call):
    with pytest.raises(errors.ShuttingDown, match="goes away") as raised:
        call(bridge.address, "refuse_all")
    assert raised.value.outcome == "not_executed"


def test_events_reach_their_callback_in_order(bridge, call):
    heard = []
    payloads = ['{"progress":1,"total":2}', "[]", "{", ""]
    call(bridge.address, "progress", {"payloads": payloads}, on_event=heard.append)
    assert heard == [{"event": "progress", "progress": 1, "total": 2}] + [{"event": "progress"}] * 3


def test_events_without_a_callback_are_let_pass(bridge, call):
    assert call(bridge.address, "progress", {"payloads": ["{}"]}).value is None


def test_what_is_said_of_other_requests_is_let_pass(bridge, call):
    others = [frame["hex"] for frame in VECTORS["frames"] if frame["name"] in ("response", "progress", "goodbye")]
    assert len(others) == 3
    assert call(bridge.address, "say_raw", {"hex": "".join(others)}, on_event=pytest.fail).value == "said"


def test_a_callback_that_raises_ends_its_call_and_cancels_it(bridge, call):
    def refuse(event):
        raise LookupError("from the callback")

    with pytest.raises(LookupError, match="from the callback"):
        call(bridge.address, "wait", on_event=refuse)
    bridge.wait_for("cancel 1")


def test_ping_returns_the_bridges_status(bridge, call):
    assert call(bridge.address, use="ping") == {"version": "1"}


def test_a_ping_that_is_not_answered_times_out(bridge, call):
    bridge.answers_pings = False
    with pytest.raises(errors.TimedOut):
        call(bridge.address, use="ping", timeout=0.05)


def test_methods_is_the_catalogue(bridge, call):
    assert call(bridge.address, use="methods") == [{"name": "echo"}]


def test_status_is_the_bridges(bridge, call):
    assert call(bridge.address, use="status") == {"pid": 1}


def test_a_bridge_that_never_answers_times_out_after_deadline_and_grace(bridge, call, monkeypatch):
    for module in (blocking, asynchronous, exchange):
        monkeypatch.setattr(module, "GRACE", 0.05)
    with pytest.raises(errors.TimedOut, match="did not answer") as raised:
        call(bridge.address, "hang", timeout=0.05)
    assert raised.value.outcome == "unknown"


# Connecting.


def test_both_sides_prove_the_token(start_bridge, call):
    bridge = start_bridge(token="secret", tcp=True)
    assert call(bridge.address, "echo", {"a": 1}, client={"token": "secret"}).value == {"a": 1}


def test_a_wrong_token_is_refused(start_bridge, call):
    bridge = start_bridge(token="secret", tcp=True)
    with pytest.raises(errors.ProtocolViolation, match="could not prove the token") as raised:
        call(bridge.address, "echo", client={"token": "other"})
    assert raised.value.code == "unauthorized"


def test_a_bridge_that_does_not_prove_the_token_is_refused(bridge, call):
    with pytest.raises(errors.ProtocolViolation, match="did not prove"):
        call(bridge.address, "echo", client={"token": "secret"})


@pytest.mark.parametrize("address", ["unix:/nonexistent/bridge.sock", "tcp:127.0.0.1:1"])
def test_nothing_at_the_address_is_not_running(call, address):
    with pytest.raises(errors.NotRunning, match="bpy-bridge start"):
        call(address, "echo", client={"token": "secret"})


def test_a_bridge_that_hangs_up_at_once_is_not_running(bridge, call):
    bridge.first_words = b"\0"
    bridge.hang_up()
    bridge.close()
    with pytest.raises(errors.NotRunning):
        call(bridge.address, "echo")


def test_a_server_of_something_else_is_a_protocol_violation(bridge, call):
    bridge.first_words = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with pytest.raises(errors.ProtocolViolation):
        call(bridge.address, "echo")


def test_a_server_that_says_nothing_is_not_running(silent, call):
    with pytest.raises(errors.NotRunning):
        call(silent, "echo", client={"connect_timeout": 0.05})


def test_a_malformed_address_is_a_configuration_error_with_an_example(call):
    with pytest.raises(errors.ConfigurationError, match=r"tcp:127\.0\.0\.1:9870"):
        call("127.0.0.1", "echo", client={"token": "secret"})


def test_without_an_address_the_running_bridge_is_looked_up(bridge, call, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_ADDRESS", bridge.address)
    assert call(None, "echo", {"a": 1}).value == {"a": 1}


def test_a_system_without_unix_sockets_says_what_to_use(bridge, monkeypatch):
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(errors.ConfigurationError, match="tcp: address"), Client(bridge.address):
        pass
