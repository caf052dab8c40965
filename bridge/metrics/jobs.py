"""How many jobs there are, how long their phases took, and what went wrong with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from bridge import events
from bridge.jobs.kinds import describe

from .histogram import Histogram

# From an export to an animation that renders for a day.
BOUNDS = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 14_400.0, 43_200.0, 86_400.0)


class JobMetrics:
    """Jobs by kind, which is one of the bridge's own, and by state, which is the whole store's."""

    def __init__(self) -> None:
        self.handlers: events.Handlers = {
            events.JobsCounted: self._counted,
            events.JobPhaseEnded: self._phase_ended,
            events.JobErred: self._erred,
            events.JobSnoozed: self._snoozed,
            events.JobRescued: self._rescued,
        }
        self._counts: Mapping[str, int] = {}
        self._silences: Mapping[str, float] = {}
        self._seconds: defaultdict[tuple[str, str], Histogram] = defaultdict(lambda: Histogram(BOUNDS))
        known = dict.fromkeys((str(entry["name"]) for entry in describe()), 0)
        self._errors, self._snoozes, self._rescues = Counter(known), Counter(known), Counter(known)

    def _counted(self, event: events.JobsCounted) -> None:
        self._counts, self._silences = event

    def _phase_ended(self, event: events.JobPhaseEnded) -> None:
        kind, phase, seconds = event
        self._seconds[kind, phase].observe(seconds)

    def _erred(self, event: events.JobErred) -> None:
        self._errors[event.kind] += 1

    def _snoozed(self, event: events.JobSnoozed) -> None:
        self._snoozes[event.kind] += 1

    def _rescued(self, event: events.JobRescued) -> None:
        self._rescues[event.kind] += 1

    def families(self) -> Iterator[Metric]:
        """Every series, now."""
        jobs = GaugeMetricFamily("bpy_bridge_jobs", "Jobs in the store, by state", labels=["state"])
        for state, count in self._counts.items():
            jobs.add_metric([state], count)
        silent = GaugeMetricFamily(
            "bpy_bridge_job_silent_seconds",
            "Since the quietest running job of the kind told of progress or of a new phase",
            labels=["kind"],
        )
        for kind, seconds in self._silences.items():
            silent.add_metric([kind], seconds)
        phases = HistogramMetricFamily(
            "bpy_bridge_job_seconds", "How long the phases of jobs took", labels=["kind", "phase"]
        )
        for (kind, phase), histogram in self._seconds.items():
            phases.add_metric([kind, phase], histogram.buckets(), histogram.sum)
        yield from (jobs, silent, phases)
        yield _total("bpy_bridge_job_errors_total", "Attempts at jobs that failed", self._errors)
        yield _total("bpy_bridge_job_snoozes_total", "Looks at jobs that had to wait on", self._snoozes)
        yield _total("bpy_bridge_job_rescues_total", "Jobs that were taken from bridges that died", self._rescues)


def _total(name: str, meaning: str, tally: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=["kind"])
    for kind, count in tally.items():
        family.add_metric([kind], count)
    return family
