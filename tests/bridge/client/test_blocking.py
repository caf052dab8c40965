"""The blocking client alone: threads, interrupts, and connections that come and go between calls."""

from __future__ import annotations

import signal
import threading

import pytest

from blender_addon.wire import Limits, Part, head
from bridge import errors
from bridge.client import Client, blocking

GOODBYE = head(b'{"kind":"goodbye","reason":"soon"}', 0)


@pytest.fixture
def client(bridge):
    with Client(bridge.address) as opened:
        yield opened


def test_entering_connects(bridge, client):
    assert client.ping() == {"version": "1"}
    assert bridge.accepted == 1


def test_calls_share_one_connection(bridge, client):
    assert [client.call("echo", {"n": n}).value for n in range(20)] == [{"n": n} for n in range(20)]
    assert bridge.accepted == 1


def test_a_first_call_connects_where_nobody_entered(bridge):
    client = Client(bridge.address)
    assert client.call("echo", {"a": 1}).value == {"a": 1}
    client.close()


def test_a_closed_client_is_of_no_more_use(client):
    client.close()
    with pytest.raises(errors.BridgeError, match="closed"):
        client.call("echo")


def test_a_failed_request_leaves_the_connection_as_it_was(bridge, client):
    fault = errors.ExecutionFailed("it raised")
    with pytest.raises(errors.ExecutionFailed):
        client.call("error", fault.as_object())
    assert client.call("echo", {"a": 1}).value == {"a": 1}
    assert bridge.accepted == 1


def test_the_call_after_a_lost_connection_connects_anew(bridge, client):
    with pytest.raises(errors.BlenderLost):
        client.call("vanish")
    assert client.call("echo", {"a": 1}).value == {"a": 1}
    assert bridge.accepted == 2


def test_a_connection_that_ended_while_idle_is_replaced_before_anything_is_sent(bridge, client, monkeypatch):
    monkeypatch.setattr(blocking, "_CHECKED_AFTER_IDLE", 0.0)
    bridge.hang_up()
    bridge.wait_for("closed")
    assert client.call("echo", {"a": 1}).value == {"a": 1}


def test_a_connection_that_was_idle_and_lives_is_kept(bridge, client, monkeypatch):
    monkeypatch.setattr(blocking, "_CHECKED_AFTER_IDLE", 0.0)
    for n in range(3):
        assert client.call("echo", {"n": n}).value == {"n": n}
    assert bridge.accepted == 1


def test_what_was_said_while_idle_is_taken_in_by_the_check(bridge, client, monkeypatch):
    monkeypatch.setattr(blocking, "_CHECKED_AFTER_IDLE", 0.0)
    client.ping()
    bridge.say(GOODBYE)
    assert client.call("echo", {"a": 1}).value == {"a": 1}
    assert bridge.accepted == 1


def test_what_was_said_before_a_pong_is_let_pass(bridge, client):
    bridge.say(GOODBYE)
    assert client.ping() == {"version": "1"}


def test_a_request_whose_time_is_up_before_it_is_sent_was_not_run(bridge, client, monkeypatch):
    monkeypatch.setattr(blocking, "GRACE", -10.0)
    with pytest.raises(errors.TimedOut) as raised:
        client.call("echo", timeout=1)
    assert raised.value.outcome == "not_executed"
    assert not bridge.requests


def test_a_request_that_could_not_be_sent_whole_was_not_run(bridge, client):
    bridge.hang_up()
    bridge.wait_for("closed")
    with pytest.raises(errors.BlenderLost, match="was not run") as raised:
        client.call("echo")
    assert raised.value.outcome == "not_executed"


def test_a_request_that_the_bridge_does_not_take_in_was_not_run(start_bridge, monkeypatch):
    monkeypatch.setattr(blocking, "GRACE", 0.05)
    bridge = start_bridge(limits=Limits(1 << 26, 4))
    with Client(bridge.address) as client:
        client.call("stop_reading")
        with pytest.raises(errors.TimedOut, match="could not be sent") as raised:
            client.call("echo", parts={"co": Part(bytes(1 << 25))}, timeout=0.05)
    assert raised.value.outcome == "not_executed"


# Interrupts.


@pytest.fixture
def ctrl_c():
    """Call it to be interrupted once, soon, wherever the main thread is then.

    A timer that ticks on: a signal between Python's last look and the system call that blocks would be slept through.
    """

    def interrupt(number, stack):
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("method", ["wait", "hang"])
def test_an_interrupt_cancels_the_call_whether_the_bridge_answers_that_or_not(
    bridge, client, monkeypatch, method, ctrl_c
):
    monkeypatch.setattr(blocking, "CANCEL_WAIT", 0.2)
    with pytest.raises(KeyboardInterrupt):
        client.call(method, on_event=lambda event: ctrl_c())
    bridge.wait_for("cancel 1")
    assert client.call("echo", {"a": 1}).value == {"a": 1}


def test_an_interrupt_in_the_callback_waits_for_the_answer_to_the_cancel(bridge, client, monkeypatch):
    monkeypatch.setattr(blocking, "CANCEL_WAIT", 600.0)

    def interrupt(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.call("wait", on_event=interrupt)
    assert bridge.seen.get_nowait() == "wait"
    bridge.wait_for("cancel 1")


def test_an_interrupt_while_sending_cancels_nothing_and_closes(start_bridge, ctrl_c):
    bridge = start_bridge(limits=Limits(1 << 26, 4))
    with Client(bridge.address) as client:
        client.call("stop_reading")
        ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            client.call("echo", parts={"co": Part(bytes(1 << 25))})
        bridge.over.set()
        bridge.wait_for("closed")
    assert [request.method for request in bridge.requests] == ["stop_reading"]


def test_an_interrupt_while_connecting_leaves_no_socket_behind(silent, ctrl_c):
    ctrl_c()
    with pytest.raises(KeyboardInterrupt), Client(silent):
        pass


def test_cancel_ends_the_call_that_runs(bridge, client):
    with pytest.raises(errors.RequestCancelled) as raised:
        client.call("wait", on_event=lambda event: client.cancel())
    assert raised.value.outcome == "not_executed"
    assert client.call("echo", {"a": 1}).value == {"a": 1}
    assert bridge.accepted == 1


def test_cancel_may_come_from_another_thread(bridge, client):
    def cancel() -> None:
        bridge.wait_for("wait")
        while not client.cancel():
            pass

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(errors.RequestCancelled):
        client.call("wait")
    thread.join()


def test_cancel_says_that_no_call_runs(client):
    assert client.cancel() is False


def test_a_second_thread_is_refused(bridge, client):
    refused = []

    def call_too(event):
        def second() -> None:
            try:
                client.call("echo")
            except errors.BridgeError as error:
                refused.append(str(error))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        client.cancel()

    with pytest.raises(errors.RequestCancelled):
        client.call("wait", on_event=call_too)
    assert refused
    assert all("one Client per thread" in message for message in refused)
