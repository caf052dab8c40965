"""The whole: what is done with events, and the page that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import exposition
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from bridge import events
from bridge.fleet import Fleet
from bridge.status import Status

from .health import HealthMetrics
from .jobs import JobMetrics
from .pools import PoolMetrics
from .process import ProcessMetrics
from .requests import RequestMetrics


class Metrics(Collector):
    """Every series of one bridge. All is called in trio's thread.

    `handlers` is what it does with each type of event: well under a microsecond each. `watch_loop` is a task that
    measures the event loop's lag until cancelled.
    """

    def __init__(self, fleet: Fleet, status: Status) -> None:
        process = ProcessMetrics(status)
        self._parts = (process, RequestMetrics(), PoolMetrics(fleet), HealthMetrics(fleet), JobMetrics())
        self.handlers: events.Handlers = {
            kind: handler for part in self._parts for kind, handler in part.handlers.items()
        }
        self.watch_loop = process.watch_loop
        # A registry of its own: what other libraries of the process register globally is none of ours.
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    def page(self, accept: str) -> tuple[bytes, str]:
        """Every series now, and its content type: OpenMetrics where the Accept header names it, else plain text."""
        if "application/openmetrics-text" in accept.lower():
            page: bytes = openmetrics.generate_latest(self._registry)  # type: ignore[no-untyped-call]
            return page, openmetrics.CONTENT_TYPE_LATEST
        return exposition.generate_latest(self._registry), exposition.CONTENT_TYPE_PLAIN_0_0_4

    def collect(self) -> Iterator[Metric]:
        """Every family but those of the process, for the registry."""
        for part in self._parts:
            yield from part.families()
