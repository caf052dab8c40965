"""Bridges that end in every way while a job runs: its Blender is gone before another begins, and the job is not."""

from __future__ import annotations

import signal

import psutil
import pytest

from .serving import PATIENCE, until

pytestmark = pytest.mark.blender

# Each run tells who it is, and whether the run before it was still there. The second one ends.
SCRIPT = """
import os, time
def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "Z"
runs = open(args["runs"]).read().split() if os.path.exists(args["runs"]) else []
result = [int(pid) for pid in runs if alive(int(pid))]
with open(args["runs"], "a") as file:
    file.write(f"{os.getpid()}\\n")
while not runs:
    time.sleep(0.01)
"""


@pytest.fixture
def submit(tmp_path):
    """Submit a job whose first run never ends, and wait for that."""
    script, runs = tmp_path / "script.py", tmp_path / "runs"
    script.write_text(SCRIPT)

    def submitted(client):
        params = {"script": str(script), "args": {"runs": str(runs)}}
        job = client.call("jobs.submit", {"kind": "code", "params": params}).value["id"]
        until(lambda: runs.exists() and runs.read_text().endswith("\n"))
        return job, psutil.Process(int(runs.read_text()))

    return submitted


def ended(client, job):
    return client.call("jobs.wait", {"id": job}, timeout=PATIENCE).value


def test_after_a_kill_the_next_bridge_begins_anew_once_the_old_blender_is_gone(start, submit):
    first = start()
    with first.client() as client:
        job, _ = submit(client)
    first.process.kill()
    first.process.wait()
    with start().client() as client:
        found = ended(client, job)
    assert (found["state"], found["fence"], found["rescues"], found["errors"]) == ("completed", 2, 1, 0)
    assert found["result"]["result"] == []


def test_a_bridge_that_is_told_twice_to_end_gives_its_job_back_at_no_cost(start, submit):
    first = start(settings={"BPY_BRIDGE_JOBS__DRAIN_TIMEOUT": "60"})
    with first.client() as client:
        job, blender = submit(client)
    first.process.send_signal(signal.SIGTERM)
    until(lambda: "shutting down" in first.log)
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(PATIENCE) == 0
    assert not blender.is_running()
    assert not (first.home / "jobs.sqlite.lock").exists()
    with start().client() as client:
        found = ended(client, job)
    assert (found["state"], found["fence"], found["rescues"], found["errors"]) == ("completed", 2, 0, 0)


def test_what_runs_in_blender_does_not_learn_where_jobs_are_kept(start, tmp_path):
    (tmp_path / "script.py").write_text("import os\nresult = [name for name in os.environ if 'JOBS' in name.upper()]\n")
    url = f"sqlite://{tmp_path}/elsewhere.sqlite"
    with start(settings={"BPY_BRIDGE_JOBS__URL": url, "BPY_BRIDGE_jobs__poll": "3"}).client() as client:
        params = {"script": str(tmp_path / "script.py")}
        job = client.call("jobs.submit", {"kind": "code", "params": params}).value["id"]
        assert ended(client, job)["result"]["result"] == []
        seen = client.call("code.execute", {"code": "import os; result = sorted(os.environ)"}).value["result"]
    assert [name for name in seen if "JOBS" in name.upper()] == []
