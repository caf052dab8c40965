"""What the probes found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import get_args

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from bridge import events
from bridge.fleet import Fleet

_STATES: tuple[events.HealthState, ...] = get_args(events.HealthState)
_RESULTS = [state for state in _STATES if state != "unknown"]


class _Health:
    __slots__ = ("checks", "failures", "last_success", "state")

    def __init__(self) -> None:
        self.state: events.HealthState = "unknown"
        self.failures = 0
        self.last_success = 0.0
        self.checks: Counter[str] = Counter(dict.fromkeys(_RESULTS, 0))


class HealthMetrics:
    """One set of series for each instance of the fleet, from the start."""

    def __init__(self, fleet: Fleet) -> None:
        self.handlers: events.Handlers = {events.ProbeFinished: self._probed}
        self._fleet = fleet
        self._health: defaultdict[str, _Health] = defaultdict(_Health)

    def _probed(self, event: events.ProbeFinished) -> None:
        health = self._health[event.instance]
        health.state = event.state
        health.failures = event.failures
        if event.state == "unknown":
            return  # nothing was probed
        health.checks[event.state] += 1
        if not event.failures:
            health.last_success = event.checked_at

    def families(self) -> Iterator[Metric]:
        """Every series, now."""
        checks = CounterMetricFamily(
            "bpy_bridge_health_checks_total", "Probes that have ended, by result", labels=["instance", "result"]
        )
        state = GaugeMetricFamily(
            "bpy_bridge_health_state", "1 for the state that the last probe found", labels=["instance", "state"]
        )
        failures = GaugeMetricFamily(
            "bpy_bridge_health_consecutive_failures", "Probes that have failed in a row", labels=["instance"]
        )
        success = GaugeMetricFamily(
            "bpy_bridge_health_last_success_timestamp_seconds",
            "When a probe last succeeded, in Unix time; 0 before the first",
            labels=["instance"],
        )
        for name in self._fleet.instances:
            health = self._health[name]
            for result, count in health.checks.items():
                checks.add_metric([name, result], count)
            for known in _STATES:
                state.add_metric([name, known], known == health.state)
            failures.add_metric([name], health.failures)
            success.add_metric([name], health.last_success)
        yield from (checks, state, failures, success)
