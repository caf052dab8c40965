"""jobs.*: what is checked at submit, what is answered, what is waited for."""

from __future__ import annotations

import json
import math
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from bridge import methods
from bridge.errors import InternalError, Refused, ShuttingDown, StoreUnavailable
from bridge.jobs.attempt import Attempt, JobFailed
from bridge.jobs.queue import Queue
from bridge.jobs.store import open_store
from tests.bridge.jobs.claims import blend


class _Status:
    draining = False


class Jobs:
    """A queue without workers, the methods of one client, and its Blender's file.save."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.status = _Status()
        self.told: list[dict[str, Any]] = []
        self.asked: list[str] = []

    async def perform(self, method: str, params: dict[str, Any]) -> Any:
        assert (method, params["copy"]) == ("file.save", True)
        self.asked.append(params["path"])
        blend(Path(params["path"]))

    def _tell(self, name: str, payload: Any) -> bool:
        assert name == "progress"
        self.told.append(json.loads(payload))
        return True

    async def __call__(self, method: str, *, deadline: float = math.inf, **params: Any) -> Any:
        command = methods.CATALOGUE.find(method)
        context = methods.Context(
            None, self.status, None, deadline, self._tell, None, "c1", None, None, self.queue, self.perform
        )
        result = command.run(context, command.bind(params, {}))
        return await result if hasattr(result, "__await__") else result

    def directories(self) -> list[str]:
        return sorted(path.name for path in self.queue.directory.iterdir())


@asynccontextmanager
async def queue_in(directory: Path, perform=None, **options: Any):
    directory.mkdir()
    queue = Queue(
        open_store(f"sqlite://{directory}.sqlite", namespace="x"),
        perform,
        concurrency=1,
        drain_timeout=1.0,
        directory=directory,
        emit=lambda event: None,
        **options,
    )
    yield Jobs(queue)


@pytest.fixture
async def jobs(tmp_path):
    async with queue_in(tmp_path / "jobs") as jobs:
        yield jobs
        jobs.queue.store.close()


async def test_work_on_a_file_is_pending_at_once(jobs, tmp_path):
    file = str(blend(tmp_path / "a.blend"))
    job = await jobs("jobs.submit", kind="render.still", params={"blend": file}, priority=3)
    assert (job["state"], job["kind"], job["priority"], job["created"]) == ("pending", "render.still", 3, True)
    assert jobs.asked == []
    whole = await jobs("jobs.get", id=job["id"])
    assert (whole["params"], whole["result"]) == ({"blend": file}, None)
    assert whole["log"] == str(jobs.queue.directory / job["id"] / "output.log")


async def test_work_on_the_open_scene_takes_a_copy_of_it(jobs):
    job = await jobs("jobs.submit", kind="render.still")
    assert jobs.asked == [str(jobs.queue.directory / job["id"] / "scene.blend")]
    assert jobs.directories() == [job["id"]]


async def test_a_key_is_one_job_and_leaves_one_copy(jobs):
    first = await jobs("jobs.submit", kind="render.still", key="k")
    again = await jobs("jobs.submit", kind="render.still", key="k")
    assert (again["id"], again["created"]) == (first["id"], False)
    assert jobs.directories() == [first["id"]]
    with pytest.raises(Refused) as caught:
        await jobs("jobs.submit", kind="render.still", params={"width": 64}, key="k")
    assert caught.value.code == "key_conflict"
    assert jobs.directories() == [first["id"]]


@pytest.mark.parametrize(
    ("kind", "params", "said"),
    [
        ("render.stil", {}, "did you mean 'render.still'"),
        ("render.still", {"widht": 1}, "did you mean 'width'"),
        ("render.still", {"blend": "/no/such.blend"}, "there is no file"),
        ("render.animation", {"start": 2, "end": 1}, "before the first"),
        ("code", {"script": "/no/such.py"}, "there is no file"),
    ],
)
async def test_what_cannot_be_done_is_refused_and_leaves_nothing(jobs, kind, params, said):
    with pytest.raises(Refused, match=said):
        await jobs("jobs.submit", kind=kind, params=params)
    assert (jobs.directories(), jobs.asked) == ([], [])
    assert (await jobs("jobs.stats"))["jobs"]["pending"] == 0


async def test_code_is_refused_where_safety_forbids_it(tmp_path):
    (tmp_path / "script.py").write_text("")
    async with queue_in(tmp_path / "jobs", code=False) as jobs:
        with pytest.raises(Refused, match=r"safety\.code") as caught:
            await jobs("jobs.submit", kind="code", params={"script": str(tmp_path / "script.py")})
        assert caught.value.code == "forbidden"
        await jobs("jobs.submit", kind="render.still")
        jobs.queue.store.close()


async def test_a_blender_that_may_not_write_there_is_an_error_with_the_way_out(jobs):
    async def perform(_method, params):
        raise Refused(f"{params['path']} is outside of where this Blender may write: /r", code="forbidden")

    jobs.perform = perform
    with pytest.raises(Refused, match=r"add .*/jobs to the folders.* parameter blend") as caught:
        await jobs("jobs.submit", kind="render.still")
    assert caught.value.code == "forbidden"
    assert jobs.directories() == []


async def test_a_blender_on_another_machine_is_an_error_with_the_way_out(jobs):
    async def perform(_method, _params):
        return None

    jobs.perform = perform
    with pytest.raises(Refused, match="another machine"):
        await jobs("jobs.submit", kind="render.still")
    assert jobs.directories() == []


async def test_a_submit_that_is_cancelled_leaves_nothing(jobs):
    with trio.CancelScope() as scope:

        async def perform(_method, _params):
            scope.cancel()
            await trio.lowlevel.checkpoint()

        jobs.perform = perform
        await jobs("jobs.submit", kind="render.still")
    assert jobs.directories() == []


async def test_a_store_that_may_have_taken_it_leaves_the_copy(jobs, monkeypatch):
    def submit(_new):
        raise StoreUnavailable("connection lost")

    monkeypatch.setattr(jobs.queue.store, "submit", submit)
    with pytest.raises(InternalError) as caught:
        await jobs("jobs.submit", kind="render.still")
    assert caught.value.outcome == "unknown"
    assert len(jobs.directories()) == 1


async def test_jobs_are_listed_newest_first_in_pages_and_without_what_is_large(jobs, tmp_path):
    file = str(blend(tmp_path / "a.blend"))
    ids = [(await jobs("jobs.submit", kind="render.still", params={"blend": file}))["id"] for _ in range(3)]
    page = await jobs("jobs.list", limit=2)
    rest = await jobs("jobs.list", limit=2, before=page["next_before"])
    assert sorted(job["id"] for job in page["jobs"] + rest["jobs"]) == sorted(ids)
    assert rest["next_before"] is None
    assert not {"params", "result"} & set(page["jobs"][0])
    assert (await jobs("jobs.list", state="failed"))["jobs"] == []


async def test_a_pending_job_is_cancelled_at_once_and_can_be_retried(jobs):
    job = await jobs("jobs.submit", kind="render.still")
    assert (await jobs("jobs.cancel", id=job["id"]))["state"] == "cancelled"
    assert (await jobs("jobs.cancel", id=job["id"]))["state"] == "cancelled"
    assert (await jobs("jobs.retry", id=job["id"]))["state"] == "pending"
    assert jobs.directories() == [job["id"]], "its copy of the scene is there for the retry"


@pytest.mark.parametrize("method", ["get", "cancel", "retry", "wait"])
async def test_a_job_that_there_is_not_is_refused(jobs, method):
    with pytest.raises(Refused, match="there is no job 'nope'"):
        await jobs(f"jobs.{method}", id="nope")


async def test_the_queue_is_paused_and_resumed(jobs):
    assert (await jobs("jobs.pause"))["paused"] is True
    assert (await jobs("jobs.stats"))["paused"] is True
    assert (await jobs("jobs.resume"))["paused"] is False


async def test_a_wait_tells_of_progress_and_ends_with_the_job(tmp_path, nursery):
    go = trio.Event()

    async def perform(attempt: Attempt) -> dict[str, Any]:
        attempt.progress(3, 24, "frame 3")
        await go.wait()
        return {"frames": 24}

    async with queue_in(tmp_path / "jobs", perform) as jobs:
        nursery.start_soon(jobs.queue.run)
        job = await jobs("jobs.submit", kind="render.still")
        with trio.fail_after(30):
            early = await jobs("jobs.wait", id=job["id"], timeout=0)
            assert early["state"] in ("pending", "processing")
            async with trio.open_nursery() as waiting:

                @waiting.start_soon
                async def wait():
                    whole = await jobs("jobs.wait", id=job["id"])
                    assert (whole["state"], whole["result"]) == ("completed", {"frames": 24})

                while not jobs.told:
                    await trio.sleep(0.01)
                go.set()
        assert jobs.told[0] == {"progress": 3, "total": 24, "message": "frame 3"}
        await jobs.queue.drain()


async def test_a_wait_ends_just_before_its_deadline_with_the_job_as_it_is(jobs):
    job = await jobs("jobs.submit", kind="render.still", delay=3600)
    with trio.fail_after(5):
        whole = await jobs("jobs.wait", id=job["id"], deadline=trio.current_time() + 0.3)
    assert whole["state"] == "pending"


async def test_a_bridge_that_ends_keeps_nobody_waiting(jobs):
    job = await jobs("jobs.submit", kind="render.still", delay=3600)
    jobs.status.draining = True
    with pytest.raises(ShuttingDown, match="ask the next bridge"):
        await jobs("jobs.wait", id=job["id"])


async def test_a_failed_job_tells_why(tmp_path, nursery):
    async def perform(_attempt: Attempt) -> dict[str, Any]:
        raise JobFailed("blender_died", "killed by signal 9", final=True, data={"output": ["last words"]})

    async with queue_in(tmp_path / "jobs", perform) as jobs:
        nursery.start_soon(jobs.queue.run)
        with trio.fail_after(30):
            job = await jobs("jobs.submit", kind="render.still")
            whole = await jobs("jobs.wait", id=job["id"])
            assert whole["state"] == "failed"
            told = {"code": "blender_died", "message": "killed by signal 9", "data": {"output": ["last words"]}}
            assert whole["error"] == told
            await jobs.queue.drain()


@pytest.mark.parametrize("method", ["submit", "get", "list", "cancel", "stats", "pause"])
async def test_a_bridge_without_jobs_says_so(method):
    jobs = Jobs(None)
    params = {"submit": {"kind": "render.still"}, "get": {"id": "x"}, "cancel": {"id": "x"}}.get(method, {})
    with pytest.raises(Refused, match=r"jobs\.url is off") as caught:
        await jobs(f"jobs.{method}", **params)
    assert caught.value.code == "forbidden"


async def test_the_kinds_are_listed_with_their_schemas(jobs):
    kinds = await jobs("jobs.kinds")
    assert [kind["name"] for kind in kinds] == ["code", "export", "render.animation", "render.still"]
    assert "blend" in kinds[3]["params"]["properties"]
