"""bpy-bridge jobs."""

from __future__ import annotations

import io
import json
import time

import pytest

from blender_addon.wire import Fault
from bridge.cli import job_watch

ID = "01m81skqy2tn391x4q4r920fzb"
JOB = {
    "id": ID,
    "kind": "render.animation",
    "key": None,
    "state": "processing",
    "phase": "rendering",
    "phase_started_at": 1.0,
    "phase_timeout": None,
    "priority": 0,
    "run_at": 1.0,
    "created_at": 1.0,
    "started_at": 2.0,
    "finished_at": None,
    "fence": 1,
    "errors": 0,
    "snoozes": 0,
    "rescues": 0,
    "cancel_requested": False,
    "progress": {"done": 3.5, "total": 24, "message": "frame 4: \x1b[2JSample 8/16", "rate": 0.5, "left": 41.0},
    "error": None,
    "external_ref": None,
    "params": {"start": 1, "end": 24},
    "result": None,
    "max_errors": 3,
    "max_rescues": 3,
    "retention": 86400.0,
    "log": "/jobs/x/output.log",
}
RESULT = {
    "directory": "/jobs/x/outputs",
    "files": [{"name": "frame_00001.png", "bytes": 41, "sha256": "00"}],
    "file_count": 1,
}
DONE = {**JOB, "state": "completed", "finished_at": 62.0, "result": RESULT}
FAILED = {
    **JOB,
    "state": "failed",
    "error": {"code": "blender_died", "message": "signal 9", "data": {"output": ["out of \x1b[2Jmemory"]}},
}
STATS = {"jobs": {"pending": 2, "processing": 1}, "paused": True, "running_here": 1}


def asked(bridge):
    return bridge.requests.get_nowait()[:2]


def test_submit_prints_the_id_alone(bridge, run):
    bridge.answers["jobs.submit"] = {**JOB, "created": True}
    assert run("jobs", "submit", "render.animation", "--json", '{"start": 1, "end": 9}') == (0, f"{ID}\n", "")
    assert asked(bridge) == ("jobs.submit", {"kind": "render.animation", "params": {"start": 1, "end": 9}})


def test_submit_takes_words_and_flags_in_any_order(bridge, run):
    bridge.answers["jobs.submit"] = JOB
    words = ["start=1", "--json", '{"start": 2, "end": 9}', "--priority", "-3", "camera=Top", "--key", "k"]
    code, _, err = run(
        *["jobs", "submit", "render.animation", *words, "--delay", "60", "--max-errors", "1"],
        *["--retention", "3600", "--instance", "studio"],
    )
    assert (code, err) == (0, "")
    method, params, envelope = bridge.requests.get_nowait()
    assert (method, envelope.instance) == ("jobs.submit", "studio")
    assert params == {
        "kind": "render.animation",
        "params": {"start": 1, "end": 9, "camera": "Top"},
        "key": "k",
        "priority": -3,
        "delay": 60.0,
        "max_errors": 1,
        "retention": 3600.0,
    }


def test_submit_reads_parameters_from_a_file_or_from_standard_input(bridge, run, tmp_path, monkeypatch):
    bridge.answers["jobs.submit"] = JOB
    (tmp_path / "p.json").write_text('{"start": 5}')
    assert run("jobs", "submit", "render.animation", "--json", f"@{tmp_path}/p.json")[0] == 0
    assert asked(bridge)[1]["params"] == {"start": 5}
    monkeypatch.setattr("sys.stdin", io.StringIO('{"start": 6}'))
    assert run("jobs", "submit", "render.animation", "--json", "-")[0] == 0
    assert asked(bridge)[1]["params"] == {"start": 6}


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["submit"],
        ["submit", "code", "--json", "{"],
        ["submit", "code", "--json", "[]"],
        ["submit", "code", "--json", "@/no/such"],
        ["submit", "code", "word"],
        ["submit", "code", "--nope"],
        ["show"],
        ["watch", ID, "more"],
        ["list", "--state", "done"],
        ["dance"],
    ],
)
def test_wrong_usage_is_exit_code_2(run, words):
    assert run("jobs", *words)[0] == 2


def test_what_is_refused_is_exit_code_4_with_what_helps(bridge, run):
    problems = [{"param": "script", "problem": "there is no file '/x'"}]
    bridge.answers["jobs.submit"] = Fault("invalid_params", "code: no", data={"problems": problems})
    code, out, err = run("jobs", "submit", "code", "script=/x")
    assert (code, out) == (4, "")
    assert "script: there is no file '/x'" in err


def test_list_is_a_table_with_a_hint_at_more(bridge, run):
    bridge.answers["jobs.list"] = {"jobs": [{**JOB, "created_at": time.time() - 60}, DONE], "next_before": ID}
    code, out, _ = run("jobs", "list", "--state", "processing", "-n", "2", "--before", "x")
    assert asked(bridge) == ("jobs.list", {"state": "processing", "limit": 2, "before": "x"})
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["id", "kind", "state", "phase", "progress", "age", "errors"]
    assert lines[1].split() == [ID, "render.animation", "processing", "rendering", "3/24", "1", "min", "0", "s", "0"]
    assert lines[2].split()[2:4] == ["completed", "-"]
    assert lines[3] == f"there are more: --before {ID}"


def test_show_tells_files_errors_and_last_words_harmlessly(bridge, run):
    bridge.answers["jobs.get"] = DONE
    out = run("jobs", "show", ID)[1]
    assert asked(bridge) == ("jobs.get", {"id": ID})
    assert out.splitlines()[0] == f"{ID}  render.animation  completed"
    assert "  params.end: 24" in out
    assert "    frame_00001.png  41 bytes" in out
    bridge.answers["jobs.get"] = FAILED
    out = run("jobs", "show", ID)[1]
    assert "  error: blender_died: signal 9\n    out of \\x1b[2Jmemory\n" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("action", ["show", "cancel", "retry"])
def test_json_is_the_whole_job(bridge, run, action):
    method = f"jobs.{'get' if action == 'show' else action}"
    bridge.answers[method] = JOB
    code, out, _ = run("jobs", action, ID, "--json")
    assert (code, json.loads(out)) == (0, JOB)
    assert asked(bridge) == (method, {"id": ID})


@pytest.mark.parametrize("action", ["stats", "pause", "resume"])
def test_the_queue_s_numbers_are_one_line(bridge, run, action):
    bridge.answers[f"jobs.{action}"] = STATS
    assert run("jobs", action) == (0, "2 pending, 1 processing; 1 running here; paused\n", "")
    assert json.loads(run("jobs", action, "--json")[1]) == STATS


def test_kinds_are_listed_and_described(bridge, run):
    schema = {"type": "object", "properties": {"start": {"type": "integer", "description": "the first frame"}}}
    bridge.answers["jobs.kinds"] = [{"name": "render.animation", "doc": "Render.\n\nMore.", "params": schema}]
    assert run("jobs", "kinds")[1] == "render.animation  Render.\n"
    out = run("jobs", "kinds", "render.animation")[1]
    assert "More." in out
    assert "the first frame" in out
    code, _, err = run("jobs", "kinds", "nope")
    assert code == 4
    assert "nearest: render.animation" in err


@pytest.fixture
def looks(bridge, monkeypatch):
    """looks(*jobs): what jobs.get answers, one after another."""

    def answer(*jobs):
        left = list(jobs)
        bridge.answers["jobs.get"] = left.pop(0)

        def next_one(_seconds):
            bridge.answers["jobs.get"] = left.pop(0)

        monkeypatch.setattr(job_watch, "pause", next_one)

    return answer


def test_watch_prints_a_line_for_each_change_and_where_the_files_are(looks, run):
    pending = {**JOB, "state": "pending", "phase": None, "progress": None}
    looks(pending, pending, JOB, DONE)
    code, out, err = run("jobs", "watch", ID)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "pending",
        "rendering  3/24  frame 4: \\x1b[2JSample 8/16  2 s each, 41 s left",
        "completed",
        "completed in 1 min 0 s: /jobs/x/outputs",
    ]


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_watched_job_that_does_not_complete_is_exit_code_4_with_its_error(looks, run, state):
    looks(JOB, {**FAILED, "state": state})
    code, out, err = run("jobs", "watch", ID)
    assert (code, out.splitlines()[-1]) == (4, state)
    assert f"bpy-bridge: job {ID} is {state}\n  error: blender_died: signal 9\n    out of \\x1b[2Jmemory" in err


def test_watch_as_json_is_one_object_a_line_at_each_change(looks, run):
    looks(JOB, JOB, DONE)
    code, out, err = run("jobs", "watch", ID, "--json")
    assert (code, err) == (0, "")
    assert [json.loads(line) for line in out.splitlines()] == [JOB, DONE]


def test_a_watched_job_outlives_its_bridge(looks, run):
    looks(JOB, Fault("shutting_down", "it ends"), Fault("shutting_down", "it ends"), DONE)
    code, out, err = run("jobs", "watch", ID)
    assert (code, out.splitlines()[-2]) == (0, "completed")
    assert err.count("the bridge has gone") == 1


def test_watch_on_a_terminal_is_a_bar(looks, run, monkeypatch, capsys):
    looks(JOB, DONE)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    code, out, _ = run("jobs", "watch", ID)
    assert code == 0
    assert "3/24 2 s each, 41 s left frame 4: \\x1b[2JSample 8/16" in out
    assert out.endswith("completed in 1 min 0 s: /jobs/x/outputs\n")


def test_to_watch_a_job_that_there_is_not_is_exit_code_4(looks, run):
    looks(Fault("invalid_params", "there is no job"))
    assert run("jobs", "watch", ID)[0] == 4


def test_without_a_bridge_it_is_exit_code_6(run, home):
    home.mkdir(mode=0o700)
    assert run("jobs", "watch", ID)[0] == 6
    assert run("jobs", "list")[0] == 6
