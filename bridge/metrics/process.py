"""The bridge itself: version, clients, background errors, and how late its event loop is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import trio
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from bridge import events, protocol
from bridge.status import Status

from .histogram import Histogram

LAG_INTERVAL = 0.25
MAX_TASKS = 500
OTHER = "other"


class ProcessMetrics:
    """One set of series for the whole bridge."""

    def __init__(self, status: Status) -> None:
        self.handlers: events.Handlers = {events.BackgroundError: self._failed}
        self._status = status
        self._errors: Counter[str] = Counter()
        self._lag = Histogram()

    def _failed(self, event: events.BackgroundError) -> None:
        # Tasks are named after instances, which are few; whatever is not shall not blow up the series.
        task = event.task if event.task in self._errors or len(self._errors) < MAX_TASKS else OTHER
        self._errors[task] += 1

    async def watch_loop(self) -> None:
        """Measure every LAG_INTERVAL seconds how late the event loop wakes a sleeper, until cancelled."""
        while True:
            due = trio.current_time() + LAG_INTERVAL
            await trio.sleep_until(due)
            self._lag.observe(trio.current_time() - due)

    def families(self) -> Iterator[Metric]:
        """Every series, now."""
        yield InfoMetricFamily("bpy_bridge", "The running bridge", value={"version": protocol.VERSION})
        yield GaugeMetricFamily(
            "bpy_bridge_client_connections", "Connections of tools to the framed door", value=self._status.clients
        )
        errors = CounterMetricFamily(
            "bpy_bridge_background_errors_total", "Exceptions that a background task survived", labels=["task"]
        )
        for task, count in self._errors.items():
            errors.add_metric([task], count)
        yield errors
        yield HistogramMetricFamily(
            "bpy_bridge_event_loop_lag_seconds",
            "How late the event loop wakes a sleeper",
            buckets=self._lag.buckets(),
            sum_value=self._lag.sum,
        )
