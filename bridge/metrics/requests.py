"""How many requests there were, how they ended, and how long they took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric

from blender_addon.commands import CATALOGUE as COMMANDS
from blender_addon.wire.fault import OUTCOMES
from bridge import events
from bridge.methods import CATALOGUE as METHODS

from .histogram import Histogram

OTHER = "other"
MAX_FOREIGN_METHODS = 500

_OUTCOMES = frozenset({"ok", *OUTCOMES})
# A request that has ended so was for a method that exists.
_PROVES_METHOD = frozenset({"ok", "execution_failed"})


class _Method:
    __slots__ = ("outcomes", "seconds", "shared")

    def __init__(self) -> None:
        self.seconds = Histogram()
        self.outcomes: Counter[str] = Counter()
        self.shared = 0


class RequestMetrics:
    """Requests by method and outcome.

    A client chooses the method's name, and must not choose how many series there are: a name gets its own once it is
    known, from the catalogues or (MAX_FOREIGN_METHODS at most) because Blender has run it. All others share OTHER.
    """

    def __init__(self) -> None:
        self.handlers: events.Handlers = {
            events.RequestFinished: self._finished,
            events.RequestShared: self._count_shared,
        }
        self._known = {str(entry["name"]) for catalogue in (METHODS, COMMANDS) for entry in catalogue.describe()}
        self._room = MAX_FOREIGN_METHODS
        self._methods = {OTHER: _Method()}

    def _finished(self, event: events.RequestFinished) -> None:
        _, name, outcome, seconds, _, _ = event
        method = self._methods.get(name) or self._admit(name, outcome)
        method.seconds.observe(seconds)
        method.outcomes[outcome if outcome in _OUTCOMES else OTHER] += 1

    def _count_shared(self, event: events.RequestShared) -> None:
        method = self._methods.get(event.method) or self._admit(event.method, "ok")
        method.shared += 1

    def _admit(self, name: str, outcome: str) -> _Method:
        if name not in self._known:
            if outcome not in _PROVES_METHOD or not self._room:
                return self._methods[OTHER]
            self._room -= 1
        method = self._methods[name] = _Method()
        return method

    def families(self) -> Iterator[Metric]:
        """Every series, now."""
        total = CounterMetricFamily(
            "bpy_bridge_requests_total",
            "Requests that have ended, by outcome: ok or an error code",
            labels=["method", "outcome"],
        )
        seconds = HistogramMetricFamily(
            "bpy_bridge_request_seconds",
            "From the whole request read to its response handed to the door",
            labels=["method"],
        )
        shared = CounterMetricFamily(
            "bpy_bridge_requests_shared_total",
            "Requests that were answered by the execution of an identical one",
            labels=["method"],
        )
        for name, method in self._methods.items():
            shared.add_metric([name], method.shared)
            for outcome, count in method.outcomes.items():
                total.add_metric([name, outcome], count)
            seconds.add_metric([name], method.seconds.buckets(), method.seconds.sum)
        yield from (total, seconds, shared)
