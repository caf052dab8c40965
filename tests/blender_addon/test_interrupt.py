"""Interrupting what runs on the main thread: it stops the right command, and nothing around it."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from blender_addon.call import Call, Interrupted
from blender_addon.interrupt import AsyncExceptionInterrupter, SignalInterrupter, best_interrupter

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals to a thread are POSIX")

LONG = 60.0


@pytest.fixture
def interrupter():
    before = signal.getsignal(signal.SIGUSR1)
    made = SignalInterrupter()
    made.install()
    yield made
    signal.signal(signal.SIGUSR1, before)


@pytest.fixture(params=[SignalInterrupter, AsyncExceptionInterrupter])
def either(request):
    before = signal.getsignal(signal.SIGUSR1)
    made = request.param()
    made.install()
    yield made
    signal.signal(signal.SIGUSR1, before)


class Striker:
    """Stops a call from another thread once the command has begun, again and again until told that it ended."""

    def __init__(self, interrupter, call):
        self.begun, self.ended = threading.Event(), threading.Event()
        self.call, self.interrupter = call, interrupter
        self.thread = threading.Thread(target=self.strike)

    def strike(self):
        self.begun.wait(LONG)
        self.call.stop_reason = "cancelled"
        self.interrupter.strike(self.call)
        while not self.ended.wait(0.02):
            self.interrupter.strike(self.call)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def spin():
    while True:
        pass


def acquire_twice():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def wait_for_a_process():
    subprocess.run([sys.executable, "-c", "import time; time.sleep(60)"], check=True)


COMMANDS = [spin, lambda: time.sleep(LONG), acquire_twice, wait_for_a_process]


@pytest.mark.parametrize("command", COMMANDS, ids=["a loop", "a sleep", "a lock", "a subprocess"])
def test_a_signal_stops_a_command_in(command, interrupter):
    call = Call("1", "a.b")
    with Striker(interrupter, call) as striker, pytest.raises(Interrupted):
        interrupter.guarded(call, lambda: (striker.begun.set(), command()))


def test_an_asynchronous_exception_stops_a_loop():
    interrupter = AsyncExceptionInterrupter()
    call = Call("1", "a.b")
    with Striker(interrupter, call) as striker, pytest.raises(Interrupted):
        interrupter.guarded(call, lambda: (striker.begun.set(), spin()))


def test_a_command_that_swallows_the_first_is_struck_again(interrupter):
    call, swallowed = Call("1", "a.b"), []

    def command():
        try:
            striker.begun.set()
            spin()
        except:  # noqa: E722  as bad as user code can be
            swallowed.append(True)
        spin()

    with Striker(interrupter, call) as striker, pytest.raises(Interrupted):
        interrupter.guarded(call, command)
    assert swallowed == [True]


def test_a_late_signal_does_not_hit_the_next_command(interrupter):
    first, second = Call("1", "a.b"), Call("2", "a.b")
    first.stop_reason = "cancelled"
    assert interrupter.guarded(second, lambda: (os.kill(os.getpid(), signal.SIGUSR1), "whole")[1]) == "whole"


def test_a_strike_at_another_call_sends_nothing(interrupter):
    stopped = Call("1", "a.b")
    stopped.stop_reason = "cancelled"
    seen = []
    signal.signal(signal.SIGUSR1, lambda *_: seen.append(True))
    interrupter.guarded(Call("2", "a.b"), lambda: interrupter.strike(stopped))
    assert seen == []


def test_a_signal_between_commands_raises_nothing(interrupter):
    os.kill(os.getpid(), signal.SIGUSR1)


def test_a_signal_in_the_guard_itself_raises_nothing(interrupter):
    """A C function as the command: the signal is handled in the guard's own frame, as the command has returned."""
    call = Call("1", "a.b")
    call.stop_reason = "cancelled"
    assert interrupter.guarded(call, functools.partial(signal.raise_signal, signal.SIGUSR1)) is None


def test_a_shielded_block_is_not_split(either):
    call, whole = Call("1", "a.b"), []

    def command():
        with either.shield():
            striker.begun.set()
            while call.stop_reason is None:
                pass
            for _ in range(20_000):
                either.strike(call)
            whole.append(True)
        spin()

    with Striker(either, call) as striker, pytest.raises(Interrupted):
        either.guarded(call, command)
    assert whole == [True]


def test_a_shield_on_another_thread_leaves_the_command_open(interrupter):
    call, inside, done = Call("1", "a.b"), threading.Event(), threading.Event()

    def other():
        with interrupter.shield():
            inside.set()
            done.wait(LONG)

    thread = threading.Thread(target=other)

    def command():
        thread.start()
        inside.wait(LONG)
        striker.begun.set()
        spin()

    with Striker(interrupter, call) as striker, pytest.raises(Interrupted):
        interrupter.guarded(call, command)
    done.set()
    thread.join()


def begin_and_count(striker, count):
    striker.begun.set()
    for _ in range(count):
        pass


@pytest.fixture
def eager_threads():
    """Threads take turns within microseconds, so that a strike can fall anywhere."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_after_many_races_no_exception_escapes_the_guard(either, eager_threads):
    """Commands end by themselves while they are struck: each ends whole or interrupted, and nothing lands outside."""
    outcomes = set()
    for turn in range(300):
        call = Call("1", "a.b")
        with Striker(either, call) as striker:
            try:
                either.guarded(call, functools.partial(begin_and_count, striker, turn * 100))
                outcomes.add("whole")
            except Interrupted:
                outcomes.add("interrupted")
    assert outcomes == {"whole", "interrupted"}


def test_posix_uses_signals():
    assert isinstance(best_interrupter(), SignalInterrupter)


@pytest.mark.parametrize("other", [signal.SIG_DFL, signal.SIG_IGN])
def test_a_command_that_takes_the_signal_away_is_not_struck(interrupter, other):
    call = Call("1", "a.b")
    call.stop_reason = "cancelled"

    def command():
        signal.signal(signal.SIGUSR1, other)
        interrupter.strike(call)
        return "whole"

    assert interrupter.guarded(call, command) == "whole"


def test_the_next_command_is_interrupted_again(interrupter):
    interrupter.guarded(Call("1", "a.b"), lambda: signal.signal(signal.SIGUSR1, signal.SIG_DFL))
    call = Call("2", "a.b")
    striker = Striker(interrupter, call)
    with striker, pytest.raises(Interrupted):
        interrupter.guarded(call, lambda: (striker.begun.set(), time.sleep(LONG)))


def test_afterwards_the_signal_is_as_it_was(interrupter):
    inner = SignalInterrupter()
    inner.install()
    inner.uninstall()
    assert signal.getsignal(signal.SIGUSR1) == interrupter._handler


def test_a_handler_that_someone_put_in_its_place_is_left_there(interrupter):
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    interrupter.uninstall()
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN
