"""A page read back as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from bridge.events import BridgeEvent
from bridge.fleet import Fleet
from bridge.metrics import Metrics
from bridge.status import Status
from bridge.supervised import dispatcher
from tests.bridge.line import Line


class Page:
    """One scrape; page(name, label=value, …) is the value of the only such sample."""

    def __init__(self, metrics: Metrics) -> None:
        text = metrics.page("")[0].decode()
        self.samples: list[Sample] = [s for family in text_string_to_metric_families(text) for s in family.samples]

    def __call__(self, name: str, **labels: str) -> float:
        [value] = [sample.value for sample in self.samples if (sample.name, sample.labels) == (name, labels)]
        return value

    def labels(self, name: str, label: str) -> set[str]:
        """The values that a label has."""
        return {sample.labels[label] for sample in self.samples if sample.name == name}

    def buckets(self, name: str, **labels: str) -> dict[str, float]:
        """How many were at most as long, by the bounds at which the number changes."""
        found: dict[str, float] = {}
        for sample in self.samples:
            le = sample.labels.get("le", "")
            asked = (sample.name, sample.labels) == (f"{name}_bucket", {**labels, "le": le})
            if asked and sample.value != next(reversed(found.values()), 0):
                found[le] = sample.value
        return found


def without_instances() -> Metrics:
    fleet = Fleet([])
    return Metrics(fleet, Status(fleet))


def tell(metrics: Metrics, events: Iterable[BridgeEvent]) -> Page:
    """Let it hear the events, and scrape it."""
    emit = dispatcher(metrics.handlers)
    for event in events:
        emit(event)
    return Page(metrics)


def page_of(line: Line) -> Page:
    """What the line has done and is."""
    return tell(Metrics(line.fleet, line.service.status), line.events)
