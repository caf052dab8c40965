"""What the pools hold now, and how long connections were waited for, used and opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import get_args

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from bridge import events
from bridge.fleet import Fleet
from bridge.pool import PoolStatistics

from .histogram import Histogram

_STATES = ("idle", "leased", "connecting", "checking")


class _Pool:
    __slots__ = ("acquires", "connect", "connect_failures", "discarded", "use", "wait")

    def __init__(self) -> None:
        self.wait = Histogram()
        self.use = Histogram()
        self.connect = Histogram()
        self.acquires: dict[str, int] = dict.fromkeys(get_args(events.AcquireOutcome), 0)
        self.discarded: dict[str, int] = dict.fromkeys(get_args(events.DiscardReason), 0)
        self.connect_failures = 0


class PoolMetrics:
    """One set of series for each instance of the fleet: all of them, at 0, before anything has happened."""

    def __init__(self, fleet: Fleet) -> None:
        self.handlers: events.Handlers = {
            events.LeaseGranted: self._granted,
            events.LeaseReleased: self._released,
            events.LeaseRefused: self._refused,
            events.ConnectionOpened: self._opened,
            events.ConnectFailed: self._connect_failed,
            events.ConnectionDiscarded: self._discarded,
        }
        self._fleet = fleet
        self._pools: defaultdict[str, _Pool] = defaultdict(_Pool)

    def _granted(self, event: events.LeaseGranted) -> None:
        instance, waited = event
        pool = self._pools[instance]
        pool.wait.observe(waited)
        pool.acquires["ok"] += 1

    def _released(self, event: events.LeaseReleased) -> None:
        instance, used = event
        self._pools[instance].use.observe(used)

    def _refused(self, event: events.LeaseRefused) -> None:
        pool = self._pools[event.instance]
        pool.wait.observe(event.waited)
        pool.acquires[event.outcome] += 1

    def _opened(self, event: events.ConnectionOpened) -> None:
        self._pools[event.instance].connect.observe(event.seconds)

    def _connect_failed(self, event: events.ConnectFailed) -> None:
        self._pools[event.instance].connect_failures += 1

    def _discarded(self, event: events.ConnectionDiscarded) -> None:
        self._pools[event.instance].discarded[event.reason] += 1

    def families(self) -> Iterator[Metric]:
        """Every series, now."""
        snapshots = []
        for instance in self._fleet.instances.values():
            # Nobody looks at idle connections before they are lent: a dead one must not be counted as one to have.
            instance.pool.evict_broken()
            snapshots.append(instance.pool.statistics())
        yield from _gauges(snapshots)
        yield from self._counters()
        yield from self._histograms()

    def _counters(self) -> Iterator[Metric]:
        acquires = CounterMetricFamily(
            "bpy_bridge_pool_acquires_total", "Acquires that have ended, by outcome", labels=["instance", "outcome"]
        )
        discarded = CounterMetricFamily(
            "bpy_bridge_pool_discarded_total", "Connections closed, by reason", labels=["instance", "reason"]
        )
        failures = CounterMetricFamily(
            "bpy_bridge_pool_connect_failures_total", "Attempts to connect to Blender that failed", labels=["instance"]
        )
        for name in self._fleet.instances:
            pool = self._pools[name]
            for outcome, count in pool.acquires.items():
                acquires.add_metric([name, outcome], count)
            for reason, count in pool.discarded.items():
                discarded.add_metric([name, reason], count)
            failures.add_metric([name], pool.connect_failures)
        yield from (acquires, discarded, failures)

    def _histograms(self) -> Iterator[Metric]:
        wait = HistogramMetricFamily(
            "bpy_bridge_pool_wait_seconds", "From acquire to grant or refusal", labels=["instance"]
        )
        use = HistogramMetricFamily("bpy_bridge_pool_use_seconds", "From grant to release", labels=["instance"])
        connect = HistogramMetricFamily(
            "bpy_bridge_pool_connect_seconds", "To connect to Blender and shake hands", labels=["instance"]
        )
        for name in self._fleet.instances:
            pool = self._pools[name]
            for family, histogram in ((wait, pool.wait), (use, pool.use), (connect, pool.connect)):
                family.add_metric([name], histogram.buckets(), histogram.sum)
        yield from (wait, use, connect)


def _gauges(snapshots: list[PoolStatistics]) -> Iterator[Metric]:
    connections = GaugeMetricFamily(
        "bpy_bridge_pool_connections", "Connections to Blender, by what they do now", labels=["instance", "state"]
    )
    limit = GaugeMetricFamily(
        "bpy_bridge_pool_max_connections", "How many connections there may be", labels=["instance"]
    )
    waiters = GaugeMetricFamily("bpy_bridge_pool_waiters", "Requests that wait for a connection", labels=["instance"])
    oldest = GaugeMetricFamily(
        "bpy_bridge_pool_oldest_wait_seconds", "How long the first of the waiting has waited", labels=["instance"]
    )
    violations = CounterMetricFamily(
        "bpy_bridge_pool_exclusivity_violations_total",
        "Attempts to lend a connection twice, each prevented; anything but 0 is a bug",
        labels=["instance"],
    )
    for now in snapshots:
        for state in _STATES:
            connections.add_metric([now.name, state], getattr(now, state))
        limit.add_metric([now.name], now.max_connections)
        waiters.add_metric([now.name], now.waiting)
        oldest.add_metric([now.name], now.oldest_wait)
        violations.add_metric([now.name], now.exclusivity_violations)
    yield from (connections, limit, waiters, oldest, violations)
