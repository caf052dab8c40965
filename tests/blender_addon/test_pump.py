"""Work from its submission to its answer: order, bounds, what stops it, and what each end is told."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import pytest

from blender_addon.call import Interrupted
from blender_addon.execution import execute
from blender_addon.interrupt import SignalInterrupter
from blender_addon.pump import BlockingPump, Pump
from blender_addon.wire import Fault
from blender_addon.work import Ticket, Work
from tests.blender_addon.pumping import PAST, Function, failing, keyed, refused, run_all
from tests.blender_addon.serving import PATIENCE, CooperativeInterrupter


def test_work_runs_in_the_order_of_its_submission(pump, submit, client):
    ran = []
    for name in "abc":
        submit(name, lambda call: ran.append(call.request_id))
    run_all(pump)
    assert ran == ["a", "b", "c"]
    assert list(client.answers) == ["a", "b", "c"]


def test_a_result_is_answered(pump, submit, client):
    submit("1", lambda call: {"x": 1})
    run_all(pump)
    assert client.answers["1"].ok
    assert client.said("1") == {"x": 1}


def test_the_queue_is_bounded_and_says_how_full_it_is(pump, submit):
    for name in "abc":
        submit(name)
    running = pump.take()
    submit("d")
    fault = refused(submit, "e")
    assert (fault.code, fault.data["queued"], fault.data["limit"], fault.data["running"]) == ("busy", 3, 3, 1)
    assert fault.data["current"]["method"] == "a.b"
    pump.run(running)


def test_cancelled_work_leaves_room_in_the_queue(pump, submit):
    works = [submit(name) for name in "abc"]
    pump.stop(works[1], "cancelled")
    submit("d")


@pytest.mark.parametrize(("reason", "code"), [("cancelled", "cancelled"), ("timeout", "timeout")])
def test_work_that_is_stopped_while_it_waits_never_runs(pump, submit, client, reason, code):
    ran = []
    pump.stop(submit("1", lambda call: ran.append(1)), reason)
    assert client.error("1") == (code, "not_executed")
    run_all(pump)
    assert ran == []


def test_work_whose_deadline_passed_in_the_queue_never_runs(pump, submit, client):
    ran = []
    submit("1", lambda call: ran.append(1), deadline=PAST)
    run_all(pump)
    assert client.error("1") == ("timeout", "not_executed")
    assert ran == []


def test_work_whose_socket_went_while_it_waited_never_runs(pump, submit, client):
    ran = []
    pump.abandon(submit("1", lambda call: ran.append(1)).tickets[0])
    run_all(pump)
    assert (ran, client.answers) == ([], {})


def stop_itself(pump, reason, then):
    def function(call):
        pump.stop(pump._running, reason)
        return then(call)

    return function


def checking(call):
    call.check()


@pytest.mark.parametrize(
    ("reason", "then", "error"),
    [
        ("cancelled", checking, ("cancelled", "failed")),
        ("timeout", checking, ("timeout", "unknown")),
        ("cancelled", failing, ("cancelled", "failed")),
        ("cancelled", lambda call: {}, ("cancelled", "unknown")),
        ("timeout", lambda call: {}, ("timeout", "unknown")),
    ],
    ids=["cancelled", "deadline", "cancelled, another error", "cancel swallowed", "deadline swallowed"],
)
def test_work_that_is_stopped_while_it_runs_says_what_is_known(pump, submit, client, reason, then, error):
    submit("1", stop_itself(pump, reason, then))
    run_all(pump)
    assert client.error("1") == error


def test_work_that_had_finished_when_the_cancel_came_answers_with_its_result(pump, submit, client, monkeypatch):
    monkeypatch.setattr("blender_addon.pump.execute", finish_then(lambda work: pump.stop(work, "cancelled")))
    submit("1", lambda call: {"done": True})
    run_all(pump)
    assert client.said("1") == {"done": True}


def finish_then(happen):
    def executed(work, *rest):
        answer = execute(work, *rest)
        happen(work)
        return answer

    return executed


def test_check_raises_at_the_deadline(pump, submit, client):
    def function(call):
        call.deadline = PAST
        call.check()

    submit("1", function)
    run_all(pump)
    assert client.error("1") == ("timeout", "unknown")


def test_an_interrupt_that_nobody_asked_for_is_the_commands_own_failure(pump, submit, client):
    def function(call):
        raise Interrupted

    submit("1", function)
    run_all(pump)
    assert client.error("1") == ("execution_failed", "failed")


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt(), RecursionError()])
def test_whatever_a_command_raises_is_its_answer(pump, submit, client, error):
    def function(call):
        print("so far")
        raise error

    submit("1", function)
    run_all(pump)
    data = client.said("1")["data"]
    assert client.error("1") == ("execution_failed", "failed")
    assert (data["type"], data["stdout"]) == (type(error).__name__, "so far\n")


def test_a_traceback_begins_in_the_command(client):
    pump = Pump(SignalInterrupter())
    pump.submit(Work(Ticket(client, "1", None), "a.b", Function(failing), {}))
    run_all(pump)
    trace = client.said("1")["data"]["traceback"]
    assert "in failing" in trace
    assert "execution.py" not in trace
    assert "guarded" not in trace


def test_an_error_that_cannot_describe_itself_is_still_answered(pump, submit, client):
    class BadError(Exception):
        def __str__(self):
            raise ValueError

    def function(call):
        raise BadError

    submit("1", function)
    run_all(pump)
    assert client.said("1")["data"]["type"] == "BadError"


def test_a_commands_own_fault_is_passed_on(pump, submit, client):
    def function(call):
        raise Fault("invalid_params", "no such object", data={"nearest": ["Cube"]})

    submit("1", function)
    run_all(pump)
    assert client.error("1") == ("invalid_params", "not_executed")
    assert client.said("1")["data"] == {"nearest": ["Cube"]}


def test_a_result_beyond_the_payloads_limit_is_a_failure(client):
    pump = Pump(CooperativeInterrupter(), max_payload=100)
    work = Work(Ticket(client, "1", None), "a.b", Function(lambda call: {"x": "x" * 200}), {})
    pump.submit(work)
    run_all(pump)
    assert client.error("1") == ("execution_failed", "failed")


def test_what_a_command_prints_is_passed_on(pump, submit, capsys):
    submit("1", lambda call: print("hello"))
    run_all(pump)
    assert capsys.readouterr().out == "hello\n"


def test_nothing_is_kept_of_the_arguments_after_the_answer(pump, client):
    class Argument:
        pass

    argument = Argument()
    alive = weakref.ref(argument)
    pump.submit(Work(Ticket(client, "1", None), "a.b", Function(lambda call: {}), {"x": argument}))
    del argument
    run_all(pump)
    gc.collect()
    assert alive() is None


def test_no_work_is_running_when_its_answer_is_written(pump, submit, client):
    busy = []
    client.answer = lambda ticket, answer: busy.append(pump.status()["busy"])
    submit("1")
    run_all(pump)
    assert busy == [False]


def test_a_command_cannot_enter_the_next(pump, submit):
    inner = []
    submit("1", lambda call: inner.append(pump.take()))
    submit("2")
    run_all(pump)
    assert inner == [None]


def test_status_tells_what_runs_and_what_waits(pump, submit):
    seen = []
    submit("1", lambda call: seen.append(pump.status()))
    submit("2")
    run_all(pump)
    assert (seen[0]["busy"], seen[0]["queued"]) == (True, 1)
    assert {**seen[0]["running"], "seconds": 0} == {"id": "1", "method": "a.b", "seconds": 0}
    assert pump.status()["running"] is None


def test_progress_reaches_the_requester_within_its_total(pump, submit, client):
    submit("1", lambda call: call.progress(9, 3, "over"))
    run_all(pump)
    assert client.events == [{"progress": 3, "total": 3, "message": "over"}]


def test_progress_is_throttled_but_for_the_last(pump, submit, client):
    submit("1", lambda call: [call.progress(n, 1000) for n in range(1, 1001)])
    run_all(pump)
    assert client.events[-1]["progress"] == 1000
    assert len(client.events) < 1000


@pytest.mark.parametrize("total", [0, -1, float("nan"), float("inf")])
def test_progress_of_no_sensible_total_is_dropped(pump, submit, client, total):
    submit("1", lambda call: call.progress(1, total))
    run_all(pump)
    assert (client.answers["1"].ok, client.events) == (True, [])


def test_progress_after_the_answer_is_dropped(pump, submit, client):
    calls = []
    submit("1", calls.append)
    run_all(pump)
    calls[0].progress(1, 1)
    assert client.events == []


def test_closing_answers_what_waits_and_takes_nothing_more(pump, submit, client):
    submit("1")
    submit("2", **keyed())
    pump.close("the end")
    assert client.error("1") == client.error("2") == ("shutting_down", "not_executed")
    assert refused(submit, "3").code == "shutting_down"


def test_closing_lets_what_runs_finish(pump, submit, client):
    returned = []

    def function(call):
        returned.append(pump.close("the end"))
        return {"finished": True}

    work = submit("1", function)
    run_all(pump)
    assert returned == [work]
    assert client.said("1") == {"finished": True}


def test_who_stays_behind_learns_of_the_end(pump, submit):
    work = submit("1")
    ended = pump.ending(work)
    assert not ended.is_set()
    run_all(pump)
    assert ended.is_set()
    assert pump.ending(work).is_set()


@pytest.fixture
def driven(pump):
    thread = threading.Thread(target=BlockingPump(pump).run)
    thread.start()
    yield pump
    pump.close("the test is over")
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_parked_pump_wakes_for_work(driven, submit):
    until = time.monotonic() + PATIENCE
    for n in range(100):
        assert driven.ending(submit(str(n))).wait(until - time.monotonic())


def test_a_parked_pump_counts_as_ticking(driven, submit):
    assert driven.ending(submit("1")).wait(PATIENCE)
    while not driven._parked:
        pass
    assert driven.status()["last_tick_age"] == 0.0


def test_a_wait_for_work_ends_at_its_timeout(pump):
    pump.park(0.0)
    assert pump.take() is None
