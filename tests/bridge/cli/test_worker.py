"""bpy-bridge worker."""

from __future__ import annotations

import json
import time

import pytest

from blender_addon.wire import Fault

WORKER = {
    "name": "default",
    "kind": "fresh",
    "phase": "ready",
    "since": 1.0,
    "pid": 4711,
    "restarts": 2,
    "last_error": None,
    "output": ["Blender 5.0"],
}


def test_list_is_a_table_of_all_workers_and_the_last_words_of_those_that_failed(bridge, run):
    failed = {**WORKER, "name": "farm", "phase": "failed", "pid": None, "last_error": "no", "output": ["\x1b[2Jwhy"]}
    bridge.answers["bridge.workers"] = [{**WORKER, "since": time.time() - 180}, failed]
    code, out, _ = run("worker", "list")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["worker", "kind", "phase", "for", "pid", "restarts"]
    assert lines[1].split() == ["default", "fresh", "ready", "3", "min", "0", "s", "4711", "2"]
    assert lines[3:] == ["farm: no", "    \\x1b[2Jwhy"]


def test_list_can_be_of_one(bridge, run):
    bridge.answers["bridge.workers"] = [WORKER]
    code, out, _ = run("worker", "list", "farm", "--json")
    assert (code, json.loads(out)) == (0, [WORKER])
    assert bridge.requests.get_nowait()[:2] == ("bridge.workers", {"name": "farm"})


@pytest.mark.parametrize("action", ["start", "stop", "restart"])
def test_control_is_of_the_one_that_is_named_or_of_default(bridge, run, action):
    bridge.answers[f"bridge.worker_{action}"] = [WORKER]
    for words, name in (([], "default"), (["farm"], "farm")):
        code, out, _ = run("worker", action, *words, "--timeout", "7")
        assert (code, "4711" in out) == (0, True)
        method, params, envelope = bridge.requests.get_nowait()
        assert (method, params) == (f"bridge.worker_{action}", {"name": name})
        assert envelope.deadline == pytest.approx(7, abs=1)


def test_one_that_does_not_start_is_exit_code_3_with_the_cause(bridge, run):
    bridge.answers["bridge.worker_start"] = Fault("blender_unavailable", "not ready: default: it ended with status 3")
    code, out, err = run("worker", "start")
    assert (code, out) == (3, "")
    assert "it ended with status 3" in err


@pytest.mark.parametrize("argv", [[], ["start", "a", "b"], ["dance"], ["start", "--timeout", "-1"]])
def test_wrong_usage_is_exit_code_2(run, argv):
    assert run("worker", *argv)[0] == 2
