"""All workers, by name: one, several of one table, and new ones."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio
from structlog.contextvars import bound_contextvars, get_contextvars

from bridge.config import WorkerSettings
from bridge.errors import BlenderUnavailable, NoBlender, Refused
from bridge.supervisor.supervisor import Supervisor
from bridge.supervisor.worker import Worker

from .standin import GOOD, spawner


@asynccontextmanager
async def supervising(tmp_path, script: str = GOOD, **settings):
    """A table `farm` of two, which are on demand."""
    chosen = WorkerSettings(on_demand=True, **settings)

    def make(name: str) -> Worker:
        if name == "nowhere":
            raise NoBlender("no bpy wheel")
        return Worker(name, spawner(script), chosen, socket_path=tmp_path / f"{name}.sock")

    supervisor = Supervisor(make=make)
    for name in ("farm-1", "farm-2"):
        supervisor.add(make(name), "farm")
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            await nursery.start(supervisor.run)
            yield supervisor
            nursery.cancel_scope.cancel()


def phases(described) -> dict[str, str]:
    return {worker["name"]: worker["phase"] for worker in described}


async def test_a_table_s_name_means_all_of_it(tmp_path):
    async with supervising(tmp_path) as supervisor:
        assert phases(await supervisor.start("farm")) == {"farm-1": "ready", "farm-2": "ready"}
        assert phases(await supervisor.stop("farm-2")) == {"farm-2": "stopped"}
        assert phases(supervisor.describe()) == {"farm-1": "ready", "farm-2": "stopped"}
        first = supervisor.describe("farm-1")[0]["pid"]
        [restarted] = await supervisor.restart("farm-1")
        assert restarted["pid"] != first


async def test_a_new_name_is_a_new_worker_once(tmp_path):
    async with supervising(tmp_path) as supervisor:
        found = []

        async def start() -> None:
            found.extend(await supervisor.start("extra"))

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(start)
        assert len({worker["pid"] for worker in found}) == 1
        assert phases(supervisor.describe("extra")) == {"extra": "ready"}


async def test_a_name_that_is_not_known_is_refused_with_those_that_are(tmp_path):
    async with supervising(tmp_path) as supervisor:
        for act in (supervisor.stop, supervisor.restart):
            with pytest.raises(Refused, match="no worker 'frm-1'") as caught:
                await act("frm-1")
            assert caught.value.code == "unknown_instance"
            assert "farm-1" in caught.value.data["nearest"]
        with pytest.raises(Refused, match="known here"):
            supervisor.describe("frm-1")


async def test_why_there_can_be_no_new_worker_is_said(tmp_path):
    async with supervising(tmp_path) as supervisor:
        with pytest.raises(Refused, match="'nowhere': no bpy wheel"):
            await supervisor.start("nowhere")
        assert "nowhere" not in supervisor.workers


async def test_which_of_them_does_not_start_is_said_with_its_cause(tmp_path):
    script = 'if "farm-2" in address: say("no room\\n"); sys.exit(3)\n' + GOOD
    async with supervising(tmp_path, script, max_restarts=0) as supervisor:
        with pytest.raises(BlenderUnavailable, match=r"farm-2: .*no room") as caught:
            await supervisor.start("farm")
        assert phases(caught.value.data["workers"]) == {"farm-1": "ready", "farm-2": "failed"}


async def test_without_a_maker_there_are_no_new_ones():
    with pytest.raises(Refused):
        await Supervisor().start("new")


async def test_a_new_worker_s_lines_are_not_those_of_the_request_that_asked_for_it(tmp_path, monkeypatch):
    context = []
    run = Worker.run

    async def noting(worker: Worker) -> None:
        context.append(get_contextvars())
        await run(worker)

    async with supervising(tmp_path) as supervisor:
        monkeypatch.setattr(Worker, "run", noting)
        with bound_contextvars(connection="c1"):
            await supervisor.start("extra")
    assert context == [{}]
