"""All workers of a bridge, by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from contextvars import Context
from typing import Any

import trio

from bridge import events
from bridge.errors import BlenderUnavailable, ConfigurationError, Refused
from bridge.supervised import keep_running

from .worker import Worker


class Supervisor:
    """Runs the workers. `tables` gives the workers' names that one name of the configuration stands for.

    `make` makes a worker, and what else belongs to its name, for a name that is not known yet and is to be started; it
    raises ValueError or ConfigurationError where that cannot be.
    """

    def __init__(self, emit: events.Emit = events.ignore, make: Callable[[str], Worker] | None = None) -> None:
        self.workers: dict[str, Worker] = {}
        self._tables: dict[str, list[str]] = {}
        self._emit = emit
        self._make = make
        self._nursery: trio.Nursery | None = None

    def add(self, worker: Worker, table: str | None = None) -> None:
        """One more, of that table in the configuration; where `run` runs, its task starts now."""
        name = worker.state.name
        self.workers[name] = worker
        self._tables.setdefault(table or name, []).append(name)
        if self._nursery is not None:
            self._run(self._nursery, worker)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run every worker until cancelled, which ends their processes."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                for worker in self.workers.values():
                    self._run(nursery, worker)
                task_status.started()
                await trio.sleep_forever()
            finally:
                self._nursery = None

    def _run(self, nursery: trio.Nursery, worker: Worker) -> None:
        # Outside of the context of the request that asks for it: its log lines are not that request's.
        Context().run(nursery.start_soon, keep_running, f"worker {worker.state.name}", worker.run, self._emit)

    async def start(self, name: str) -> list[dict[str, Any]]:
        """Start that worker, or all of its table, and return what they are then. A new name is a new worker.

        Raises Refused for a name that cannot be one, BlenderUnavailable with the cause where one does not start.
        """
        if not self._named(name) and self._make is not None:
            try:
                self.add(self._make(name))
            except (OSError, ValueError, ConfigurationError) as error:
                raise Refused(f"there can be no worker {name!r}: {error}") from error
        return await self._each(name, Worker.start)

    async def stop(self, name: str) -> list[dict[str, Any]]:
        """End that worker, or all of its table; it stays so until it is started. Raises Refused."""
        return await self._each(name, Worker.stop)

    async def restart(self, name: str) -> list[dict[str, Any]]:
        """Replace that worker's process, or all of its table's. Raises Refused and BlenderUnavailable, as `start`."""
        return await self._each(name, Worker.restart)

    def describe(self, name: str | None = None) -> list[dict[str, Any]]:
        """What that worker is now, or all of its table, or all there are. Raises Refused."""
        workers = self.workers.values() if name is None else self._find(name)
        return [worker.state.as_object() for worker in workers]

    async def _each(self, name: str, act: Callable[[Worker], Any]) -> list[dict[str, Any]]:
        workers = self._find(name)
        failed: dict[str, str] = {}

        async def one(worker: Worker) -> None:
            try:
                await act(worker)
            except OSError as error:
                failed[worker.state.name] = str(error)

        async with trio.open_nursery() as nursery:
            for worker in workers:
                nursery.start_soon(one, worker)
        if failed:
            causes = "; ".join(f"{worker}: {cause}" for worker, cause in failed.items())
            raise BlenderUnavailable(f"not ready: {causes}", data={"workers": self.describe(name)})
        return self.describe(name)

    def _named(self, name: str) -> list[Worker]:
        names = [name] if name in self.workers else self._tables.get(name, [])
        return [self.workers[each] for each in names]

    def _find(self, name: str) -> list[Worker]:
        found = self._named(name)
        if not found:
            known = [*self.workers, *self._tables]
            nearest = difflib.get_close_matches(name, known, n=5, cutoff=0.4) or sorted(set(known))[:5]
            message = f"there is no worker {name!r}; known here: {', '.join(nearest) or 'none'}"
            raise Refused(message, code="unknown_instance", data={"nearest": nearest})
        return found
