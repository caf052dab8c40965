"""bpy-bridge jobs watch: how far a job is until it has ended; a bridge that is started anew meanwhile is waited for."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from bridge.client.blocking import Client
from bridge.errors import EXIT_FAILED, BlenderLost, NotRunning, ShuttingDown, TimedOut

from . import output, tables

_TIMEOUT = 10.0
_INTERVAL = 0.5
_ENDED = ("completed", "failed", "cancelled")

Job = dict[str, Any]

pause: Callable[[float], object] = threading.Event().wait
"""Lets so many seconds pass; Ctrl-C ends it."""


def watch(address: str | None, job_id: str, *, as_json: bool) -> int:
    """Show it until it has ended. 0 where it has completed."""
    with Client(address) as client:
        looks = _looks(client, job_id)
        if as_json:
            last = _as_objects(looks)
        elif sys.stdout.isatty():
            last = _as_bar(looks)
        else:
            last = _as_lines(looks)
    if not as_json:
        _say_end(last)
    return 0 if last["state"] == "completed" else EXIT_FAILED


def share(job: Job) -> str:
    """How much is done, as a person says it: 3/24 or 41 %; a dash where that is not known."""
    progress = job.get("progress") or {}
    done, total = progress.get("done"), progress.get("total")
    if done is None or not total:
        return "-"
    if total == int(total) > 1:
        return f"{int(done)}/{int(total)}"
    return f"{100 * done / total:.0f} %"


def _looks(client: Client, job_id: str) -> Iterator[Job]:
    """The job again and again, the last time when it has ended. Raises RequestError where there is none."""
    job: Job | None = None
    said = False
    while job is None or job["state"] not in _ENDED:
        if job is not None:
            pause(_INTERVAL)
        try:
            job = client.call("jobs.get", {"id": job_id}, timeout=_TIMEOUT).value
            said = False
        except (NotRunning, BlenderLost, ShuttingDown, TimedOut):
            # The job outlives its bridge; but who asks for one where there never was a bridge has to know.
            if job is None:
                raise
            if not said:
                output.complain("the bridge has gone; the job goes on with the next one, which is waited for")
            said = True
            continue
        yield job


def _as_objects(looks: Iterator[Job]) -> Job:
    last: Job = {}
    for job in looks:
        if job != last:
            print(json.dumps(job, separators=(",", ":")), flush=True)
        last = job
    return last


def _as_lines(looks: Iterator[Job]) -> Job:
    """A line for each change that a person would want in a log."""
    job, last = {}, ""
    for job in looks:
        line = _line(job)
        if line != last:
            print(line, flush=True)
        last = line
    return job


def _line(job: Job) -> str:
    if job["state"] != "processing":
        return str(job["state"])
    progress = job.get("progress") or {}
    message, pace = str(progress.get("message") or ""), _pace(progress)
    words = [str(job["phase"] or job["state"]), share(job), message, pace]
    return output.visible("  ".join(word for word in words if word not in ("", "-")))


def _as_bar(looks: Iterator[Job]) -> Job:
    from rich.markup import escape  # noqa: PLC0415  # for start-up time
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415  # only at a terminal

    job: Job = {}
    columns = (
        TextColumn("{task.fields[phase]}"),
        BarColumn(),
        TextColumn("{task.fields[share]}"),
        TextColumn("{task.fields[pace]}"),
        TextColumn("{task.fields[message]}"),
    )
    with Progress(*columns, console=tables.console(), auto_refresh=False, transient=True) as bar:
        task = bar.add_task("", total=None, phase="", share="", pace="", message="")
        for job in looks:
            progress = job.get("progress") or {}
            bar.update(
                task,
                completed=progress.get("done") or 0,
                total=progress.get("total"),
                refresh=True,
                phase=str(job["phase"] if job["state"] == "processing" else job["state"]),
                share=share(job),
                pace=_pace(progress),
                message=escape(output.visible(str(progress.get("message") or ""))),
            )
    return job


def _pace(progress: dict[str, Any]) -> str:
    """Its rate, and how long it will take: 2.1/s, 12 s left."""
    rate, left, total = progress.get("rate"), progress.get("left"), progress.get("total")
    if not rate or left is None:
        return ""
    words = [] if total == 1 else [f"{rate:.2g}/s" if rate >= 1 else f"{tables.duration(1 / rate)} each"]
    return ", ".join([*words, f"{tables.duration(left)} left"])


def _say_end(job: Job) -> None:
    from .jobs import error_lines  # noqa: PLC0415  # it imports this

    result = job.get("result") or {}
    if job["state"] == "completed":
        seconds = (job["finished_at"] or 0.0) - (job["started_at"] or 0.0)
        print(output.visible(f"completed in {tables.duration(max(0.0, seconds))}: {result.get('directory', '')}"))
        return
    output.complain(f"job {job['id']} is {job['state']}")
    for line in error_lines(job["error"]) if job.get("error") else ():
        print(line, file=sys.stderr)
