"""What a client does while the bridge is busy: it sends again, in time, unless it is told not to."""

from __future__ import annotations

import socket
import threading

import anyio
import pytest

from blender_addon.wire import Fault
from bridge import errors
from bridge.client import AsyncClient, Client, backoff

from .conftest import FakeBridge, _Connection


@pytest.fixture
def busy_for(monkeypatch):
    """The bridge refuses so many requests as busy, and then answers."""

    def set_up(count: float, **data: float) -> None:
        left = [count]

        def work(self, request, params, parts):
            left[0] -= 1
            if left[0] < 0:
                self.answer(request.id, params)
            else:
                self.fail(request.id, Fault("busy", "full", data=data))

        monkeypatch.setattr(_Connection, "work", work, raising=False)

    return set_up


def deadlines(bridge: FakeBridge) -> list[float]:
    return [request.deadline for request in bridge.requests if request.deadline is not None]


def test_a_busy_bridge_is_asked_again_until_it_answers(bridge, call, busy_for):
    busy_for(3)
    assert call(bridge.address, "work", {"a": 1}, timeout=30).value == {"a": 1}
    assert len(bridge.requests) == 4


def test_each_try_sends_what_is_left_of_the_callers_time(bridge, call, busy_for):
    busy_for(3)
    call(bridge.address, "work", timeout=30)
    assert deadlines(bridge)[0] <= 30
    assert deadlines(bridge) == sorted(set(deadlines(bridge)), reverse=True)


def test_the_key_stays_the_same(bridge, call, busy_for):
    busy_for(1)
    call(bridge.address, "work", key="k", timeout=30)
    assert [request.key for request in bridge.requests] == ["k", "k"]


def test_what_is_busy_to_the_end_is_busy(bridge, call, busy_for):
    busy_for(float("inf"), queued=7)
    with pytest.raises(errors.Busy) as raised:
        call(bridge.address, "work", timeout=0.2)
    assert raised.value.data == {"queued": 7}
    assert len(bridge.requests) > 1


@pytest.mark.parametrize("where", ["client", "call"])
def test_who_wants_to_know_at_once_is_told_at_once(bridge, call, busy_for, where):
    busy_for(1)
    options = {"client": {"retry_busy": False}} if where == "client" else {"retry_busy": False}
    with pytest.raises(errors.Busy):
        call(bridge.address, "work", **options)
    assert len(bridge.requests) == 1


def test_a_call_may_be_more_patient_than_its_client(bridge, call, busy_for):
    busy_for(1)
    call(bridge.address, "work", {"a": 1}, client={"retry_busy": False}, retry_busy=True)
    assert len(bridge.requests) == 2


@pytest.mark.parametrize("code", ["shutting_down", "blender_unavailable", "timeout"])
def test_no_other_refusal_is_sent_again(bridge, call, code):
    refusal = Fault(code, "no", outcome="not_executed").as_object()
    with pytest.raises(errors.RequestError):
        call(bridge.address, "error", refusal)
    assert len(bridge.requests) == 1


def test_a_cancel_during_a_pause_ends_the_call_at_once_and_nothing_is_sent_again(bridge, busy_for):
    busy_for(float("inf"), retry_after=1000.0)
    raised = []

    def work(client: Client) -> None:
        try:
            client.call("work", timeout=3000)
        except errors.RequestCancelled as error:
            raised.append(error.outcome)

    with Client(bridge.address) as client:
        thread = threading.Thread(target=work, args=(client,))
        thread.start()
        bridge.wait_for("work")
        assert client.cancel()
        thread.join(30)
        assert raised == ["not_executed"]
        assert not client.cancel()
        assert client.call("echo", {"a": 1}).value == {"a": 1}, "the client goes on"
    assert [request.method for request in bridge.requests] == ["work", "echo"]


def test_a_cancel_while_the_refusal_is_on_its_way_is_not_forgotten(bridge, busy_for):
    """The refusal is there before the cancel, but the client has not read it yet."""
    busy_for(float("inf"), retry_after=1000.0)
    with Client(bridge.address) as client:
        receive = client._receive

        def cancel_first(*args):
            event = receive(*args)
            assert client.cancel()
            return event

        client._receive = cancel_first
        with pytest.raises(errors.RequestCancelled):
            client.call("work", timeout=3000)


def test_an_interrupt_during_a_pause_leaves_the_client_as_it_was(bridge, busy_for, monkeypatch):
    busy_for(1)
    with Client(bridge.address) as client:

        def interrupt(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(backoff.Backoff, "pause", interrupt)
            with pytest.raises(KeyboardInterrupt):
                client.call("work")
        assert not client.cancel()
        assert client.call("work", {"a": 1}).value == {"a": 1}


def test_a_cancelled_task_leaves_its_pause_and_the_connection_stays(bridge, busy_for, run):
    busy_for(1, retry_after=1000.0)

    async def scenario():
        async with AsyncClient(bridge.address) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(client.call, "work")
            await anyio.to_thread.run_sync(bridge.wait_for, "work")
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        async with AsyncClient(bridge.address) as client:
            assert (await client.call("echo", {"a": 1})).value == {"a": 1}

    run(scenario)
    assert [request.method for request in bridge.requests] == ["work", "echo"]


class TestBackoff:
    """How long the pauses are."""

    @pytest.fixture(params=[0.0, 0.5, 1.0])
    def jitter(self, request, monkeypatch):
        monkeypatch.setattr(backoff, "_jitter", lambda: request.param)
        return request.param

    def pauses(self, count: int, left: float = 1e9, **data: object) -> list[float | None]:
        one = backoff.Backoff()
        return [one.pause(errors.Busy("full", data=data), left) for _ in range(count)]

    def test_they_double_up_to_five_seconds_and_jitter_takes_any_part_of_them(self, jitter):
        expected = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
        assert self.pauses(9) == pytest.approx([jitter * pause for pause in expected])

    def test_the_bridges_retry_after_comes_first(self, jitter):
        assert self.pauses(2, retry_after=2.0) == pytest.approx([2 + 0.05 * jitter, 2 + 0.1 * jitter])

    @pytest.mark.parametrize("said", [None, "soon", -3, [1]])
    def test_a_retry_after_that_is_none_counts_for_nothing(self, jitter, said):
        assert self.pauses(1, retry_after=said) == pytest.approx([0.05 * jitter])

    def test_half_of_what_is_left_is_the_most(self):
        assert self.pauses(1, left=1.0, retry_after=30.0) == [0.5]

    @pytest.mark.parametrize("left", [0.009, 0.0, -1.0])
    def test_with_no_time_for_another_try_there_is_none(self, left):
        assert self.pauses(1, left=left) == [None]

    def test_they_stay_finite_however_often_it_is_refused(self):
        assert all(pause is not None and pause <= 5.0 for pause in self.pauses(2000))


class TestFullBacklog:
    """A Unix socket whose backlog is full refuses with EAGAIN, whatever the socket's timeout."""

    @pytest.fixture
    def full(self, tmp_path):
        """A listener that takes nobody in, with no room for one more."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "full.sock"))
            listener.listen(0)
            with socket.socket(socket.AF_UNIX) as first:
                first.connect(str(tmp_path / "full.sock"))
                yield listener

    def test_a_client_waits_for_room(self, full, call, monkeypatch):
        pauses = threading.Semaphore(0)
        monkeypatch.setattr(backoff, "_jitter", lambda: pauses.release() or 0.5)

        def make_room():
            for _ in range(3):
                pauses.acquire(timeout=30)
            full.accept()[0].close()
            connections.append(FakeBridge(full, ""))

        connections: list[FakeBridge] = []
        thread = threading.Thread(target=make_room)
        thread.start()
        try:
            address = f"unix:{full.getsockname()}"
            assert call(address, "echo", {"a": 1}, client={"connect_timeout": 30.0}).value == {"a": 1}
        finally:
            thread.join(30)
            connections[0].close()

    def test_it_waits_no_longer_than_its_connect_timeout(self, full, call):
        with pytest.raises(errors.NotRunning):
            call(f"unix:{full.getsockname()}", "echo", client={"connect_timeout": 0.1})
