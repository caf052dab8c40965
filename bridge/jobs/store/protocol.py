"""What every store of jobs can do. Synchronous: who runs on trio calls it in threads.

Each method is one transaction. A write to a claimed job names the fence of its claim, and raises Lost where that claim
holds no more: another owner has the job, it was cancelled, or it has ended. Every method raises StoreUnavailable where
the store cannot be reached, and then nothing is known to have happened. What takes JSON or text raises Unstorable for
what is none, or what the database does not take.
"""

from __future__ import annotations

from typing import Any, Protocol

from bridge.jobs.model import Beat, Job, NewJob


class Changes(Protocol):
    """What a shared store tells of: `fileno` is readable where there is something."""

    def fileno(self) -> int: ...

    def heard(self) -> set[str]:
        """What was told since: `pending`, `cancel`. Never waits. Raises StoreUnavailable."""

    def close(self) -> None: ...


class Store(Protocol):
    """One queue of jobs. May be called from any thread."""

    @property
    def shared(self) -> bool:
        """Several bridges may use it at once, each with a lease and a heartbeat."""

    def submit(self, new: NewJob) -> tuple[Job, bool]:
        """The job, and whether it is new: a key gives the job that has it. Raises KeyConflict for another's key."""

    def claim(self, owner: str, lease: float) -> Job | None:
        """Take the next pending job for `lease` seconds, lowest priority number and oldest first; None if none is."""

    def heartbeat(self, owner: str, lease: float) -> list[Beat]:
        """Extend every lease of the owner, and learn which of its jobs are to be cancelled."""

    def set_phase(self, job: str, fence: int, phase: str, timeout: float | None) -> float:
        """Enter a phase; the seconds that it has lasted already, where the job was in it before. Raises Lost."""

    def confirm(self, job: str, fence: int) -> None:
        """Nothing but the fence's check. Raises Lost."""

    def set_progress(self, job: str, fence: int, progress: dict[str, Any]) -> None:
        """Raises Lost."""

    def set_external_ref(self, job: str, fence: int, ref: str) -> None:
        """Keep what another system calls it. Raises Lost."""

    def complete(self, job: str, fence: int, result: dict[str, Any]) -> None:
        """It is done. Raises Lost."""

    def fail(self, job: str, fence: int, error: dict[str, Any], backoff: float, *, final: bool = False) -> Job:
        """An error: pending again in `backoff` seconds; `failed` after max_errors or a `final` one. Raises Lost."""

    def snooze(self, job: str, fence: int, seconds: float) -> Job:
        """Look again later, in the same phase; it costs nothing. Raises Lost."""

    def give_back(self, job: str, fence: int) -> None:
        """The owner ends in order: pending at once, at no cost. Raises Lost."""

    def cancelled(self, job: str, fence: int) -> None:
        """Its work was stopped since that was asked for. Raises Lost."""

    def rescue(self, alive: str) -> list[Job]:
        """Take jobs from owners that have died, `alive` excepted: pending again, or `failed` at max_rescues."""

    def get(self, job: str) -> Job | None: ...

    def find(
        self, *, state: str | None = None, kind: str | None = None, limit: int = 50, before: str = ""
    ) -> list[Job]:
        """Newest first; those whose id is lower than `before`, where that is given."""

    def stats(self) -> dict[str, int]:
        """How many jobs are in each state."""

    def cancel(self, job: str) -> Job | None:
        """A pending job is cancelled at once, a running one once its owner hears of it; None where there is none."""

    def retry(self, job: str) -> Job | None:
        """A failed or cancelled job is pending again with its counters at zero; others stay as they are."""

    def left_elsewhere(self) -> list[Job]:
        """Some of the jobs that have ended and still have an external_ref."""

    def settled_elsewhere(self, job: str, ref: str) -> None:
        """Nothing is left of that external_ref: it is removed, if the job has ended and still has it."""

    def purge(self) -> list[str]:
        """Forget some of the jobs whose retention is over; their ids, none once there are no more."""

    def pause(self, paused: bool) -> None:
        """While it is paused nothing is claimed, by no bridge."""

    def paused(self) -> bool: ...

    def next_run_at(self) -> float | None:
        """Seconds until the next pending job may be claimed, 0 or less where it may be now; None where none waits."""

    def listen(self) -> Changes:
        """Of a shared store alone: hear of what other bridges submit and cancel."""

    def close(self) -> None:
        """Let go of it, at once: what is being asked of it meanwhile, and from then on, raises StoreUnavailable."""
