"""Jobs: how many, how long their phases took, what went wrong."""

from __future__ import annotations

from bridge import events
from bridge.jobs.model import STATES
from bridge.supervised import dispatcher

from .scrape import Page, tell, without_instances

KINDS = {"render.still", "render.animation", "export", "code"}


async def test_what_goes_wrong_is_at_0_for_every_kind_before_anything_has():
    page = Page(without_instances())
    for what in ("errors", "snoozes", "rescues"):
        assert {kind: page(f"bpy_bridge_job_{what}_total", kind=kind) for kind in KINDS} == dict.fromkeys(KINDS, 0)


async def test_each_state_has_as_many_as_were_counted_last():
    counted = dict.fromkeys(STATES, 0)
    told = [events.JobsCounted({**counted, "pending": 7}, {}), events.JobsCounted({**counted, "failed": 2}, {})]
    page = tell(without_instances(), told)
    assert {state: page("bpy_bridge_jobs", state=state) for state in STATES} == {**counted, "failed": 2}


async def test_who_is_silent_no_more_has_no_series():
    metrics = without_instances()
    emit = dispatcher(metrics.handlers)
    emit(events.JobsCounted({}, {"render.still": 31.5}))
    assert Page(metrics)("bpy_bridge_job_silent_seconds", kind="render.still") == 31.5
    emit(events.JobsCounted({}, {}))
    assert Page(metrics).labels("bpy_bridge_job_silent_seconds", "kind") == set()


async def test_phases_are_counted_by_how_long_they_took():
    page = tell(
        without_instances(),
        [events.JobPhaseEnded("render.still", "rendering", seconds) for seconds in (0.2, 20.0, 50_000.0)],
    )
    labels = {"kind": "render.still", "phase": "rendering"}
    assert page.buckets("bpy_bridge_job_seconds", **labels) == {"0.5": 1, "30.0": 2, "86400.0": 3}
    assert page("bpy_bridge_job_seconds_sum", **labels) == 50_020.2


async def test_errors_snoozes_and_rescues_are_counted_by_kind():
    page = tell(
        without_instances(),
        [events.JobErred("code"), events.JobErred("code"), events.JobSnoozed("export"), events.JobRescued("code")],
    )
    assert page("bpy_bridge_job_errors_total", kind="code") == 2
    assert page("bpy_bridge_job_snoozes_total", kind="export") == 1
    assert page("bpy_bridge_job_rescues_total", kind="code") == 1
