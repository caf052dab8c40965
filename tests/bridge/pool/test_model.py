"""The real pool and the simple model go through the same arbitrary histories, and agree after every act.

Hypothesis builds a history on the model alone; at its end it is played to the pool in one trio run.
"""

from __future__ import annotations

from typing import Any

import pytest
import trio
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from trio.testing import MockClock, wait_all_tasks_blocked

from bridge.pool import Pool
from tests.bridge.pool.fakes import FOREVER, Client, Rig, running
from tests.bridge.pool.model import ACQUIRE_TIMEOUT, MAX_WAITING, WARM, Model

numbers = st.integers(min_value=0, max_value=99)


class Histories(RuleBasedStateMachine):
    """Each rule does its act on the model and notes what the pool has to look like after it."""

    @initialize(size=st.integers(1, 4))
    def open(self, size: int) -> None:
        self.model = Model(size)
        self.clients = 0
        self.history: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.size = size
        self._note("nothing")

    def _note(self, act: str, *arguments: Any) -> None:
        self.history.append((act, arguments, seen_in_model(self.model)))

    @rule()
    def acquire(self) -> None:
        self.model.acquire(self.clients)
        self.clients += 1
        self._note("acquire")

    @precondition(lambda self: self.model.holders)
    @rule(number=numbers)
    def release(self, number: int) -> None:
        client = pick(self.model.holders, number)
        self.model.release(client)
        self._note("release", client)

    @precondition(lambda self: self.model.holders)
    @rule(number=numbers)
    def poison(self, number: int) -> None:
        client = pick(self.model.holders, number)
        self.model.poison(client)
        self._note("poison", client)

    @precondition(lambda self: self.model.holders or self.model.queue)
    @rule(number=numbers)
    def cancel(self, number: int) -> None:
        client = pick([*self.model.holders, *self.model.queue], number)
        self.model.cancel(client)
        self._note("cancel", client)

    @rule()
    def break_idle(self) -> None:
        self.model.break_idle()
        self._note("break_idle")

    @rule()
    def pause(self) -> None:
        self.model.pause()
        self._note("pause")

    @rule()
    def park(self) -> None:
        self.model.park()
        self._note("park")

    @rule()
    def resume(self) -> None:
        self.model.resume()
        self._note("resume")

    @rule(size=st.integers(1, 4))
    def resize(self, size: int) -> None:
        self.model.resize(size)
        self._note("resize", size)

    @rule()
    def reconnect(self) -> None:
        self.model.reconnect()
        self._note("reconnect")

    @precondition(lambda self: self.model.endpoint != "up")
    @rule()
    def endpoint_is_up(self) -> None:
        self.model.change("up")
        self._note("endpoint", "up")

    @precondition(lambda self: self.model.endpoint != "down")
    @rule()
    def endpoint_is_down(self) -> None:
        self.model.change("down")
        self._note("endpoint", "down")

    @precondition(lambda self: self.model.endpoint == "up")
    @rule()
    def endpoint_hangs(self) -> None:
        self.model.change("hangs")
        self._note("endpoint", "hangs")

    @rule(seconds=st.integers(1, 120))
    def wait(self, seconds: int) -> None:
        self.model.wait(seconds)
        self._note("wait", seconds)

    @rule(number=numbers)
    def close(self, number: int) -> None:
        if number < 5:
            self.model.close()
            self._note("close")

    def teardown(self) -> None:
        if hasattr(self, "history"):
            trio.run(play, self.size, self.history, clock=MockClock(autojump_threshold=0))


def pick(clients: Any, number: int) -> int:
    return list(clients)[number % len(clients)]


def seen_in_model(model: Model) -> dict[str, Any]:
    return {
        "served": set(model.served),  # who is served in the same tick runs in any order
        "holders": set(model.holders),
        "queue": set(model.queue),
        "idle": len(model.idle),
        "ended": dict(model.ended),
    } | ({"connecting": len(model.dialing)} if model.endpoint != "down" else {})


def seen_in_pool(rig: Rig) -> dict[str, Any]:
    return {
        "served": {int(name) for name in rig.served},
        "holders": {number for number, client in enumerate(rig.clients) if client.holds},
        "queue": {number for number, client in enumerate(rig.clients) if client.waits},
        "idle": rig.pool.statistics().idle,
        "ended": {number: how_ended(client) for number, client in enumerate(rig.clients) if client.ended},
        "connecting": rig.pool.statistics().connecting,
    }


def how_ended(client: Client) -> str:
    if client.error is not None:
        return type(client.error).__name__
    return "cancelled" if client.cancelled else "done"


async def play(size: int, history: list[tuple[str, tuple[Any, ...], dict[str, Any]]]) -> None:
    limits = {"max_waiting": MAX_WAITING, "acquire_timeout": ACQUIRE_TIMEOUT, "connect_timeout": FOREVER}
    async with running(Pool, max_connections=size, warm=WARM, **limits) as rig:
        for act, arguments, expected in history:
            await perform(rig, act, *arguments)
            await wait_all_tasks_blocked()
            found = seen_in_pool(rig)
            assert {key: found[key] for key in expected} == expected, act
            assert rig.pool.statistics().exclusivity_violations == 0


async def perform(rig: Rig, act: str, *arguments: Any) -> None:
    match act:
        case "nothing":
            pass
        case "acquire":
            rig.client_soon()
        case "release" | "cancel":
            getattr(rig.clients[arguments[0]], act)()
        case "poison":
            rig.clients[arguments[0]].connection.poisoned = True
        case "break_idle":
            for connection in rig.endpoint.open:
                connection.dead = connection.dead or not connection.held
        case "endpoint":
            await change(rig, arguments[0])
        case "wait":
            await trio.sleep(arguments[0])
        case _:
            getattr(rig.pool, act)(*arguments)


async def change(rig: Rig, state: str) -> None:
    rig.endpoint.error = OSError("down") if state == "down" else None
    if state == "hangs":
        rig.endpoint.connect_gate = trio.Event()
    else:
        rig.endpoint.connect_gate.set()
    if state == "up":
        await trio.sleep(3)


@pytest.mark.filterwarnings("error")
def test_the_pool_agrees_with_the_model():
    _search(examples=150, steps=40)


@pytest.mark.soak
def test_the_pool_agrees_with_the_model_at_length():
    _search(examples=10_000, steps=80)


def _search(examples: int, steps: int) -> None:
    limits = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(Histories, settings=limits)
