"""One look at a job: its array is submitted, or how far it is is seen, and what it has finished is taken.

A look ends by a snooze as long as there is something to wait for, so a job on a cluster takes no place in the queue and
survives the bridge without more ado. What an attempt goes by, in this order:

- the pictures that are there: none missing, and it is done, whatever Slurm says
- the tasks of the job's name: some wait or run, and it is theirs, whoever submitted them
- the phase that the job was left in: beyond `submitting` its array was submitted, and has ended without those pictures

The job's external_ref is set before anything is submitted: a job that has ended and still has one may still have an
array, which `release` ends.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import structlog
from trio.to_thread import run_sync as to_thread

from bridge.config.slurm import SlurmSettings
from bridge.errors import Refused
from bridge.jobs.attempt import JobFailed, Snooze
from bridge.jobs.model import Job
from bridge.jobs.work import Assignment, Rendered, Work

from . import programs
from .place import Place, Plan
from .programs import SlurmRefused, SlurmUnavailable, Submission, Task

log = structlog.get_logger(__name__)

_REF = "slurm:"
_SILENCE = 3
_MOST_NAMES = 100
_FINAL = ("invalid_params", "forbidden")


class SlurmEngine:
    """Renders on the cluster of `settings`, in Blenders that get the variables `env` besides."""

    def __init__(self, settings: SlurmSettings, env: Mapping[str, str]) -> None:
        self._settings = settings
        self._env = env

    async def render(
        self,
        work: Work,
        assign: Callable[[], Awaitable[Assignment]],
        timeout: float | None,  # noqa: ASYNC109  # a phase's, which goes on counting in the next attempt
    ) -> Rendered:
        """Have every picture among the outputs. `assign` is asked once what they are.

        Raises Snooze as long as the cluster works on it; JobFailed, Lost.
        """
        try:
            programs.require()
        except Refused as refused:
            raise JobFailed(refused.code, refused.message, final=True) from refused
        place = self._place(work.attempt.job.id, work.outputs.directory)
        look = _Look(work, place, self._settings, self._env)
        try:
            return await look.look(assign, timeout)
        except SlurmUnavailable as error:
            # Whether Slurm answers is not the job's business.
            log.warning("Slurm does not answer", job=work.attempt.job.id, error=str(error))
            await look.say(f"Slurm does not answer: {error}")  # noqa: ASYNC120  # cancelled meanwhile, that is what counts
            # Its programs take their time to find that out, and the job a place in the queue meanwhile.
            raise Snooze(_SILENCE * self._settings.poll) from error

    async def release(self, job: Job, directory: Path) -> None:
        """End what Slurm may still do for a job that has ended, whose own directory that is. Raises SlurmUnavailable.

        Of a completed job nothing stays on the shared file system; what others need is found there by a retry.
        """
        if job.external_ref is None or not job.external_ref.startswith(_REF):
            return
        await programs.cancel(name_of(job.id))
        if job.state == "completed":
            place = self._place(job.id, directory)
            await to_thread(partial(shutil.rmtree, place.directory, ignore_errors=True))

    def _place(self, job: str, directory: Path) -> Place:
        shared = self._settings.directory
        return Place(directory / "slurm" if shared is None else shared / job)


def name_of(job: str) -> str:
    """What every array of a job is called; no other job's is."""
    return f"bb-{job}"


class _Look:
    """One attempt at one job."""

    def __init__(self, work: Work, place: Place, settings: SlurmSettings, env: Mapping[str, str]) -> None:
        self._work = work
        self._attempt = work.attempt
        self._place = place
        self._settings = settings
        self._env = env
        self._name = name_of(work.attempt.job.id)
        before = work.attempt.job.progress or {}
        self._progress = before.get("done", 0), before.get("total", 1)

    async def look(
        self,
        assign: Callable[[], Awaitable[Assignment]],
        timeout: float | None,  # noqa: ASYNC109  # a phase's, which goes on counting in the next attempt
    ) -> Rendered:
        """See `SlurmEngine.render`. Raises SlurmUnavailable."""
        tasks = await programs.active(self._name)
        # Only now: what is not there after the last task has ended is missing.
        plan = await to_thread(self._place.plan)
        if plan is None or not (tasks or self._submitted):
            async with self._attempt.phase("submitting"):
                if plan is None:
                    made = await assign()
                    plan = await to_thread(self._place.make, made, self._work.outputs.kept, self._settings.tasks)
                missing = await self._take(plan)
                if missing and not tasks:
                    tasks = await self._submit(plan, missing)
        else:
            missing = await self._take(plan)
        if missing:
            await self._wait(plan, missing, tasks, timeout)
        await self.say("rendered")
        return Rendered(plan.facts, await to_thread(self._place.told))

    @property
    def _submitted(self) -> bool:
        # An error and a retry make it None.
        return self._attempt.job.phase not in (None, "snapshot", "submitting")

    async def _submit(self, plan: Plan, missing: list[str]) -> list[Task]:
        await to_thread(self._place.equip, self._settings)
        await self._attempt.remember(f"{_REF}{self._name}")
        numbers = plan.tasks_of(missing)
        new = Submission(self._name, self._place.script, numbers, self._place.log, plan.threads)
        try:
            array = await programs.submit(new, self._settings, self._env)
        except SlurmRefused as error:
            raise JobFailed("slurm_refused", f"Slurm does not take the job: {error}") from error
        log.info("submitted to Slurm", job=self._attempt.job.id, array=array, tasks=len(numbers))
        await self._attempt.remember(f"{_REF}{array}")
        return [Task(array, number, "PENDING", "submitted") for number in numbers]

    async def _take(self, plan: Plan) -> list[str]:
        """Give the finished pictures their places. Returns which there are not. Raises Lost."""
        outputs = self._work.outputs
        made = await to_thread(self._place.finished, plan.names)
        if made:
            await self._attempt.confirm()
        for path in made:
            # A second name until it has its place: nothing is lost where this attempt ends in between.
            await to_thread(_link, path, outputs.unfinished / path.name)
            await outputs.keep(outputs.unfinished / path.name)
            await to_thread(path.unlink)
        done = await outputs.finished()
        missing = [name for name in plan.names if name not in done]
        self._progress = len(plan.names) - len(missing), len(plan.names)
        return missing

    async def _wait(
        self,
        plan: Plan,
        missing: list[str],
        tasks: list[Task],
        timeout: float | None,  # noqa: ASYNC109  # a phase's, which goes on counting in the next attempt
    ) -> None:
        """Raises Snooze, or JobFailed where nothing comes any more or the time is over."""
        begun = self._attempt.job.phase == "rendering" or any(task.state != "PENDING" for task in tasks)
        try:
            async with self._attempt.phase(*(("rendering", timeout) if begun else ("waiting_for_worker", None))):
                if not tasks:
                    raise await self._failure(plan, missing)
                await self._adopt(tasks)
                await self.say(_in_words(tasks))
                raise Snooze(self._settings.poll)
        except JobFailed as failure:
            if failure.code == "phase_timeout":
                with suppress(SlurmUnavailable):
                    await programs.cancel(self._name)  # noqa: ASYNC120  # cancelled meanwhile, it is not a failure any more
            raise

    async def _adopt(self, tasks: list[Task]) -> None:
        ref = f"{_REF}{max(task.array for task in tasks)}"
        if self._attempt.job.external_ref != ref:
            await self._attempt.remember(ref)

    async def say(self, message: str) -> None:
        """Tell how far it is."""
        self._attempt.progress(*self._progress, message)
        await self._attempt.flush()

    async def _failure(self, plan: Plan, missing: list[str]) -> JobFailed:
        number = plan.tasks_of(missing)[0]
        lines = await to_thread(self._place.last_lines, number)
        data = {"missing": missing[:_MOST_NAMES], "output": lines}
        fault = await to_thread(self._place.fault)
        if fault is not None:
            return JobFailed(fault["code"], fault["message"], final=fault["code"] in _FINAL, data=data)
        states = {task.number: task for task in await programs.ended(self._name)}
        how = f", {states[number].state} ({states[number].reason})" if number in states else ""
        why = lines[-1] if lines else f"it has no log: is {self._place.directory} the same directory on the nodes?"
        message = (
            f"Slurm's tasks ended, and {len(missing)} of {len(plan.names)} pictures are missing. Task {number}{how}"
        )
        return JobFailed("slurm_failed", f"{message}: {why}", data=data)


def _link(path: Path, also: Path) -> None:
    try:
        also.hardlink_to(path)
    except OSError:  # another file system, or one that has no links
        shutil.copyfile(path, also)


def _in_words(tasks: list[Task]) -> str:
    """2 running, 14 pending (Resources)."""
    counts = Counter(task.state.lower() for task in tasks)
    reasons = sorted({task.reason for task in tasks if task.state == "PENDING"} - {"None", ""})
    told = ", ".join(f"{count} {state}" for state, count in sorted(counts.items(), reverse=True))
    return f"on the cluster: {told}" + (f" ({', '.join(reasons)})" if reasons else "")
