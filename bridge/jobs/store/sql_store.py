"""Every operation of a store is one statement; what runs it knows its database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from bridge.errors import KeyConflict, Lost
from bridge.jobs.model import STATES, Beat, Job, NewJob, new_id

from .protocol import Changes
from .rows import as_json, job_from
from .statements import statements

_DIED = {"code": "rescued_too_often", "message": "every bridge that worked on it died: it may be what kills them"}

Parameters = Mapping[str, Any]
Row = Mapping[str, Any]


class Database(Protocol):
    """Runs statements, each a transaction of its own. From any thread. Raises StoreUnavailable, Unstorable."""

    def run(self, sql: str, values: Parameters) -> list[Row]: ...

    def listen(self) -> Changes: ...

    def close(self) -> None: ...


class SqlStore:
    """See `protocol.Store`; the database's schema is up to date."""

    def __init__(self, database: Database, dialect: str, *, shared: bool) -> None:
        self.shared = shared
        self._database = database
        self._run = database.run
        self._sql = statements(dialect)

    def submit(self, new: NewJob) -> tuple[Job, bool]:
        """See `Store`."""
        values = {**new._asdict(), "id": new.id or new_id(), "params": as_json(new.params)}
        # Once more where the job of that key is forgotten between the two.
        while (found := self._one(self._sql.submit, values)) is None:
            known = self._one(self._sql.by_key, {"key": new.key})
            if known is not None:
                if (known.kind, as_json(known.params)) == (new.kind, values["params"]):
                    return known, False
                raise KeyConflict(
                    f"the key {new.key!r} is another job's: use a new key, or its own kind and parameters"
                )
        return found, True

    def claim(self, owner: str, lease: float) -> Job | None:
        """See `Store`."""
        return self._one(self._sql.claim, {"owner": owner, "lease": lease})

    def heartbeat(self, owner: str, lease: float) -> list[Beat]:
        """See `Store`."""
        rows = self._run(self._sql.heartbeat, {"owner": owner, "lease": lease})
        return [Beat(row["id"], row["fence"], bool(row["cancel_requested"])) for row in rows]

    def set_phase(self, job: str, fence: int, phase: str, timeout: float | None) -> float:
        """See `Store`."""
        row = self._fenced(self._sql.set_phase, job, fence, {"phase": phase, "timeout": timeout})
        return float(row["seconds"])

    def confirm(self, job: str, fence: int) -> None:
        """See `Store`."""
        self._fenced(self._sql.confirm, job, fence, {})

    def set_progress(self, job: str, fence: int, progress: dict[str, Any]) -> None:
        """See `Store`."""
        self._fenced(self._sql.set_progress, job, fence, {"progress": as_json(progress)})

    def set_external_ref(self, job: str, fence: int, ref: str) -> None:
        """See `Store`."""
        self._fenced(self._sql.set_external_ref, job, fence, {"ref": ref})

    def complete(self, job: str, fence: int, result: dict[str, Any]) -> None:
        """See `Store`."""
        self._fenced(self._sql.complete, job, fence, {"result": as_json(result)})

    def fail(self, job: str, fence: int, error: dict[str, Any], backoff: float, *, final: bool = False) -> Job:
        """See `Store`."""
        values = {"error": as_json(error), "backoff": backoff, "final": final}
        return job_from(self._fenced(self._sql.fail, job, fence, values))

    def snooze(self, job: str, fence: int, seconds: float) -> Job:
        """See `Store`."""
        return job_from(self._fenced(self._sql.snooze, job, fence, {"seconds": seconds}))

    def give_back(self, job: str, fence: int) -> None:
        """See `Store`."""
        self._fenced(self._sql.give_back, job, fence, {})

    def cancelled(self, job: str, fence: int) -> None:
        """See `Store`."""
        self._fenced(self._sql.cancelled, job, fence, {})

    def rescue(self, alive: str) -> list[Job]:
        """See `Store`."""
        rows = self._run(self._sql.rescue, {"alive": alive, "error": as_json(_DIED)})
        return [job_from(row) for row in rows]

    def get(self, job: str) -> Job | None:
        """See `Store`."""
        return self._one(self._sql.get, {"id": job})

    def find(
        self, *, state: str | None = None, kind: str | None = None, limit: int = 50, before: str = ""
    ) -> list[Job]:
        """See `Store`."""
        values = {"state": state, "kind": kind, "limit": limit, "before": before}
        return [job_from(row) for row in self._run(self._sql.find, values)]

    def stats(self) -> dict[str, int]:
        """See `Store`."""
        return {**dict.fromkeys(STATES, 0), **{row["state"]: row["jobs"] for row in self._run(self._sql.stats, {})}}

    def cancel(self, job: str) -> Job | None:
        """See `Store`."""
        return self._one(self._sql.cancel, {"id": job}) or self.get(job)

    def retry(self, job: str) -> Job | None:
        """See `Store`."""
        return self._one(self._sql.retry, {"id": job}) or self.get(job)

    def left_elsewhere(self) -> list[Job]:
        """See `Store`."""
        return [job_from(row) for row in self._run(self._sql.left_elsewhere, {})]

    def settled_elsewhere(self, job: str, ref: str) -> None:
        """See `Store`."""
        self._run(self._sql.settled_elsewhere, {"id": job, "ref": ref})

    def purge(self) -> list[str]:
        """See `Store`."""
        return [row["id"] for row in self._run(self._sql.purge, {})]

    def pause(self, paused: bool) -> None:
        """See `Store`."""
        self._run(self._sql.pause, {"paused": paused})

    def paused(self) -> bool:
        """See `Store`."""
        return bool(self._run(self._sql.paused, {})[0]["paused"])

    def next_run_at(self) -> float | None:
        """See `Store`."""
        seconds = self._run(self._sql.next_run_at, {})[0]["seconds"]
        return None if seconds is None else float(seconds)

    def listen(self) -> Changes:
        """See `Store`."""
        return self._database.listen()

    def close(self) -> None:
        """See `Store`."""
        self._database.close()

    def _one(self, sql: str, values: Parameters) -> Job | None:
        rows = self._run(sql, values)
        return job_from(rows[0]) if rows else None

    def _fenced(self, sql: str, job: str, fence: int, values: Parameters) -> Row:
        rows = self._run(sql, {**values, "id": job, "fence": fence})
        if not rows:
            raise Lost(f"job {job} is no longer this attempt's: it was rescued, cancelled or has ended")
        return rows[0]
