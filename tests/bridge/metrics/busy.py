"""A life in which everything has happened once."""

from __future__ import annotations

from collections.abc import Iterator

from bridge import events


def every_event(instance: str, method: str = "scene.summary") -> Iterator[events.BridgeEvent]:
    """One of each that the metrics hear; data in every series."""
    yield events.LeaseGranted(instance, 0.02)
    yield events.LeaseReleased(instance, 0.3)
    yield events.LeaseRefused(instance, "busy", 0.0)
    yield events.ConnectionOpened(instance, 0.004)
    yield events.ConnectFailed(instance, "nobody listens", 1)
    yield events.ConnectionDiscarded(instance, "poisoned")
    yield events.RequestFinished(instance, method, "ok", 0.5, "c1", "r1")
    yield events.RequestFinished(instance, "no.such", "unknown_method", 0.5, "c1", "r2")
    yield events.ProbeFinished(instance, "unreachable", "nobody listens", 0.001, 1, 1_700_000_000.0)
    yield events.ProbeFinished(instance, "healthy", "it answers", 0.001, 0, 1_700_000_001.0)
    yield events.BackgroundError(f"pool {instance}", "ValueError()")
    yield events.JobsCounted({"pending": 2, "failed": 1}, {"render.still": 3.0})
    yield events.JobClaimed("render.still")
    yield events.JobPhaseEnded("render.still", "rendering", 12.0)
    yield events.JobErred("render.still")
    yield events.JobSnoozed("render.still")
    yield events.JobRescued("render.still")
    yield events.JobEnded("render.still", "completed", 14.0)
