"""Health of one Blender, measured now: a ping on a connection of its own, and what the answer means.

    healthy        it answers, and its main thread is free
    busy           it answers, and its main thread is occupied, by work of ours or of its own
    unresponsive   it answers, and its main thread is silent for too long with nothing of ours running
    unreachable    it does not answer, or with something else

The last two are failures. The I/O side of Blender answers pings, so that a render is `busy` and not `unreachable`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

import structlog
import trio
from trio_util import AsyncValue

from blender_addon.wire import Fault

from . import events
from .connection import Connection
from .errors import BlenderLost
from .events import HealthState
from .supervised import guarded, split

log = structlog.get_logger(__name__)

FAILURES: tuple[HealthState, ...] = ("unresponsive", "unreachable")
OCCUPIED_AFTER = 1.0
CALM = 1.0
_LONGEST = 1e9
_LONGEST_REASON = 1_000


@dataclass(frozen=True, slots=True)
class HealthLimits:
    """A probe every `interval` seconds, at most `timeout` seconds long; unhealthy after `failures` in a row.

    A main thread that is silent for `unresponsive_after` seconds, with nothing of ours running, is a failure.
    """

    interval: float = 300.0
    timeout: float = 5.0
    failures: int = 3
    unresponsive_after: float = 60.0


class Health(NamedTuple):
    """What the latest probe found; `reason` says it in words.

    `checked_at` and `last_success` are Unix times, `latency` is the ping's round trip in seconds, None where nothing
    answered. `failures` is how many probes have failed in a row, `blender` what Blender said of itself.
    """

    state: HealthState = "unknown"
    reason: str = "not checked yet"
    checked_at: float | None = None
    latency: float | None = None
    failures: int = 0
    unhealthy: bool = False
    last_success: float | None = None
    blender: Mapping[str, Any] | None = None

    @property
    def failed(self) -> bool:
        """The latest probe failed."""
        return self.state in FAILURES

    def as_object(self) -> dict[str, Any]:
        """The same as JSON."""
        return self._asdict()


class Finding(NamedTuple):
    """One probe's result."""

    state: HealthState
    reason: str
    latency: float | None = None
    blender: Mapping[str, Any] | None = None


def judge(pong: Mapping[str, Any], unresponsive_after: float) -> tuple[HealthState, str]:
    """What a pong says of Blender, and why. Never raises; a pong that is none is `unreachable`."""
    running, busy, age = pong.get("running"), pong.get("busy"), pong.get("last_tick_age")
    if running is not None:
        if isinstance(running, Mapping) and isinstance(running.get("method"), str) and _seconds(running.get("seconds")):
            return "busy", f"runs {running['method']} for {running['seconds']:.1f} s"
        return "unreachable", "answered a ping with something else: `running` is no running request"
    if not isinstance(busy, bool) or not _seconds(age):
        return "unreachable", "answered a ping with something else: `busy` or `last_tick_age` is missing or wrong"
    if age > unresponsive_after:
        return "unresponsive", f"its main thread is silent for {age:.0f} s, with nothing of ours running"
    if busy or age > OCCUPIED_AFTER:
        return "busy", f"its main thread is occupied for {age:.0f} s, by nothing of ours"
    return "healthy", "it answers and its main thread is free"


def _seconds(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LONGEST


class HealthMonitor:
    """Probes one Blender while `run` runs; `latest` has what the last probe found.

    `connect` opens the connection that is kept for the probes and used for nothing else. `on_lost` is called, and
    must not block, when that connection has died, and every second while there is none. `emit` receives events.
    `blender` is the version that Blender said last that it is, None before it has.
    `starting` says why nothing can answer yet, where that is as it should be: then nothing is probed, and the state is
    `unknown` with that reason, neither a failure nor a success.
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], Awaitable[Connection]],
        limits: HealthLimits,
        emit: events.Emit = events.ignore,
        *,
        on_lost: Callable[[], None],
        starting: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.name = name
        self.starting = starting
        self.blender: str | None = None
        self.latest: AsyncValue[Health] = AsyncValue(Health())
        self._connect = connect
        self._limits = limits
        self._emit = guarded(emit)
        self._on_lost = on_lost
        self._connection: Connection | None = None
        self._poked = False
        self._resting = trio.CancelScope()
        self._calm_until = 0.0
        self._failing_since: float | None = None

    @property
    def connected(self) -> bool:
        """The probes' connection is open and nothing speaks against it."""
        return self._connection is not None and self._connection.usable()

    async def run(self) -> None:
        """Probe now, every interval, when poked, and when Blender hangs up or says goodbye, until cancelled.

        Whatever a probe raises is logged, counted and a failed probe; Cancelled, KeyboardInterrupt and SystemExit
        propagate at once.
        """
        try:
            while True:
                started = trio.current_time()
                self._poked = False
                await self._probe()
                await self._rest(started + self._limits.interval)
        finally:
            self._drop()

    def poke(self) -> None:
        """Something has changed: probe again now, or as soon as the probe under way has ended."""
        self._poked = True
        self._resting.cancel()

    async def _rest(self, until: float) -> None:
        if self._poked:
            return
        with trio.CancelScope(deadline=until) as self._resting:
            while self._connection is None:
                # The other sockets of a process that ends do not close at the same instant.
                await trio.sleep(CALM)
                self._on_lost()
            # A peer that hangs up after each answer must not make the probes a busy loop.
            await trio.sleep_until(self._calm_until)
            await self._connection.stirred()
            self._calm_until = trio.current_time() + CALM

    async def _probe(self) -> None:
        started = trio.current_time()
        # What fails may do so without a checkpoint.
        await trio.lowlevel.checkpoint()
        try:
            finding = await self._examine()
        except trio.Cancelled:
            raise
        except BaseException as error:  # supervised: a check that fails in whatever way is a failed check
            survived, ending = split(error)
            if survived is None:
                raise
            self._drop()
            log.exception("health check raised", instance=self.name, exc_info=survived)
            self._emit(events.BackgroundError(f"health {self.name}", repr(survived)))
            if ending is not None:
                raise ending from None
            finding = Finding("unreachable", f"the check itself failed: {survived!r}")
        self._publish(finding, trio.current_time() - started)

    async def _examine(self) -> Finding:
        if (reason := self.starting()) is not None:
            self._drop()
            return Finding("unknown", reason)
        with trio.move_on_after(self._limits.timeout):
            try:
                pong, latency = await self._ask()
            except (OSError, Fault, trio.BrokenResourceError, trio.ClosedResourceError) as error:
                self._lose()
                return Finding("unreachable", _in_words(error))
            if isinstance(version := pong.get("blender"), str):
                self.blender = version
            state, reason = judge(pong, self._limits.unresponsive_after)
            if state == "unreachable":
                self._drop()
                return Finding(state, reason, latency)
            return Finding(state, reason, latency, pong)
        self._lose()
        return Finding("unreachable", f"no answer within {self._limits.timeout:g} s")

    async def _ask(self) -> tuple[Mapping[str, Any], float]:
        if self._connection is not None:
            if self._connection.usable():
                with suppress(BlenderLost):
                    return await _ping(self._connection)
            # It may be a restarted Blender's predecessor that has gone: only a new connection tells.
            self._lose()
        self._connection = await self._connect()
        return await _ping(self._connection)

    def _lose(self) -> None:
        self._drop()
        self._on_lost()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()

    def _publish(self, finding: Finding, seconds: float) -> None:
        before, now = self.latest.value, time.time()
        failed = finding.state in FAILURES
        answered = finding.state not in (*FAILURES, "unknown")
        failures = 0 if answered else before.failures + failed
        reason = finding.reason[:_LONGEST_REASON]
        health = Health(
            finding.state,
            reason,
            checked_at=now,
            latency=finding.latency,
            failures=failures,
            unhealthy=failures >= self._limits.failures,
            last_success=now if answered else before.last_success,
            blender=finding.blender,
        )
        self._log_change(before, health)
        self.latest.value = health
        self._emit(events.ProbeFinished(self.name, health.state, reason, seconds, failures, now))

    def _log_change(self, before: Health, health: Health) -> None:
        found = {"instance": self.name, "state": health.state, "reason": health.reason}
        if health.failed and self._failing_since is None:
            self._failing_since = trio.current_time()
        if health.unhealthy and not before.unhealthy:
            log.error("instance is unhealthy", failures=health.failures, last_success=health.last_success, **found)
        elif health.failed and not health.unhealthy:
            log.warning("health check failed", failures=health.failures, **found)
        elif health.state != "unknown" and not health.failed and self._failing_since is not None:
            down_for = round(trio.current_time() - self._failing_since, 3)
            log.info("instance answers again", failures=before.failures, down_for=down_for, **found)
            self._failing_since = None


def _in_words(error: Exception) -> str:
    text = error.message if isinstance(error, Fault) else str(error)
    return text or type(error).__name__


async def _ping(connection: Connection) -> tuple[Mapping[str, Any], float]:
    started = trio.current_time()
    pong = await connection.ping()
    return pong, trio.current_time() - started
