"""bpy-bridge call: what is sent, what is printed, what is saved, and the exit codes."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys

import pytest

RESULT = {"é": [1, {}]}


def sent(bridge):
    method, params, _request = bridge.requests.get(timeout=10)
    return method, params


def test_the_results_json_is_all_of_standard_output(bridge, run):
    assert run("call", "echo") == (0, '{"é": [1, {}]}\n', "")


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("a=1", 1),
        ("a=[1.5, null]", [1.5, None]),
        ("a=Cube", "Cube"),
        ('a="1"', "1"),
        ("a=", ""),
        ("a=b=c", "b=c"),
        ("a=NaN", "NaN"),
        ("a=-Infinity", "-Infinity"),
        ("a={", "{"),
    ],
)
def test_a_value_is_json_where_it_parses_else_a_string(bridge, run, word, value):
    run("call", "echo", word)
    assert sent(bridge) == ("echo", {"a": value})


def test_a_named_value_wins_over_the_json_object(bridge, run):
    run("call", "echo", "b=3", "--json", '{"a": 1, "b": 2}')
    assert sent(bridge) == ("echo", {"a": 1, "b": 3})


def test_flags_may_stand_between_and_before_the_parameters(bridge, run):
    code, _, _ = run("call", "--instance", "studio", "echo", "--timeout", "5", "a=1", "--json", "{}", "b=2")
    method, params, request = bridge.requests.get(timeout=10)
    assert (code, method, params, request.instance) == (0, "echo", {"a": 1, "b": 2}, "studio")
    assert 4 < request.deadline <= 5


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "METHOD"),
        (["echo", "Cube"], "'Cube' is not NAME=VALUE"),
        (["echo", "=1"], "'=1' is not NAME=VALUE"),
        (["echo", "--json", "[1]"], "--json must be an object"),
        (["echo", "--json", "{"], "--json is not JSON"),
        (["echo", "--json", '{"a": NaN}'], "NaN is no JSON number"),
        (["echo", "--timeout", "0"], "seconds above 0"),
        (["echo", "--timeout", "soon"], "seconds above 0"),
        (["echo", "--timeout", "inf"], "seconds above 0"),
        (["echo", "--tmeout", "3"], "--tmeout"),
        (["echo", "--save", "image"], "is not PART=FILE"),
        (["echo", "--save", "image=/nowhere/at/all.png"], "/nowhere/at does not exist"),
        (["echo", "--save", "image=/"], "is a directory"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_sent(bridge, run, argv, said):
    code, out, err = run("call", *argv)
    assert (code, out) == (2, "")
    assert said in err
    assert bridge.requests.empty()


def test_a_part_is_saved_whole_with_a_files_usual_mode(bridge, run, tmp_path):
    picture = tmp_path / "picture.png"
    picture.write_text("an older one")
    (tmp_path / "plain").touch()
    code, out, err = run("call", "picture", "--save", f"image={picture}")
    assert (code, json.loads(out), err) == (0, {"image": {"$part": "image"}}, "")
    assert picture.read_bytes() == b"\x89PNG\r\n"
    assert stat.S_IMODE(picture.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["home", "picture.png", "plain"]


def test_a_part_that_is_not_there_is_an_error_that_lists_those_that_are(bridge, run, tmp_path):
    code, out, err = run("call", "picture", "--save", f"img={tmp_path}/a", "--save", f"image={tmp_path}/b")
    assert (code, json.loads(out)) == (2, {"image": {"$part": "image"}})
    assert "no binary part 'img'; it has image" in err
    assert (tmp_path / "b").exists()
    code, _, err = run("call", "echo", "--save", f"image={tmp_path}/c")
    assert code == 2
    assert "it has none" in err


def test_a_part_that_cannot_be_written_leaves_nothing_behind(bridge, run, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    code, _, err = run("call", "picture", "--save", f"image={tmp_path}/a")
    assert code == 2
    assert "No space left on device; the request itself was carried out" in err
    assert [entry.name for entry in tmp_path.iterdir()] == ["home"]


def test_a_terminal_that_cannot_write_a_letter_gets_it_escaped(bridge, home):
    process = subprocess.run(
        [sys.executable, "-m", "bridge", "call", "echo"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=20,
        check=True,
    )
    assert process.stdout == b'{"\\u00e9": [1, {}]}\n'


def test_progress_is_shown_at_a_terminal_and_never_drives_it(bridge, run, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _, out, err = run("call", "picture")
    assert json.loads(out) == {"image": {"$part": "image"}}
    assert " 50 % 1 of 2" in err
    assert r"100 % 2 of \x1b[31m2" in err
    assert err.endswith("\r\033[K")


def test_elsewhere_progress_is_not_shown(bridge, run):
    assert run("call", "picture")[2] == ""


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("blender_unavailable", 3),
        ("blender_lost", 4),
        ("invalid_params", 4),
        ("unknown_method", 4),
        ("execution_failed", 4),
        ("cancelled", 4),
        ("internal", 4),
        ("busy", 5),
        ("timeout", 5),
    ],
)
def test_each_failure_has_its_exit_code(fail, code, exit_code):
    found, err = fail(code)
    assert found == exit_code
    assert err.startswith(f"bpy-bridge: {code}: so it is\n")


def test_an_error_says_its_outcome_its_problems_and_the_nearest_names(fail):
    problems = [{"param": "size", "problem": "must be a number"}]
    _, err = fail("invalid_params", "object.create", problems=problems, nearest=["Cube", "Cube.001"])
    assert err.splitlines() == [
        "bpy-bridge: invalid_params: object.create",
        "  size: must be a number",
        "  nearest: Cube, Cube.001",
        "  outcome: not_executed (nothing was run)",
    ]


def test_what_blender_raised_is_shown_without_its_control_characters(fail):
    _, err = fail("execution_failed", "boom", traceback="Traceback:\n  line 3\x1b[2J\n", stdout="hi")
    assert "  traceback:\n" in err
    assert r"line 3\x1b[2J" in err
    assert "\x1b" not in err
    assert "outcome: failed" in err


def test_no_bridge_is_exit_code_6_and_says_how_to_start_one(run):
    code, out, err = run("call", "echo")
    assert (code, out) == (6, "")
    assert "bpy-bridge serve" in err
    assert run("call", "echo", "--bridge", "unix:/nowhere/at.all")[0] == 6


def test_an_address_that_is_none_is_exit_code_2(run):
    code, _, err = run("call", "echo", "--bridge", "localhost:9870")
    assert code == 2
    assert "unix:" in err


def test_ctrl_c_while_it_waits_cancels_the_request(bridge, run, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("bridge.cli.call._Progress.__call__", interrupted)
    assert run("call", "wait") == (130, "", "bpy-bridge: interrupted\n")
    assert sent(bridge)[0] == "wait"
    assert bridge.requests.get(timeout=10) == "cancel"


def test_ctrl_c_at_any_moment_ends_it_without_a_traceback(bridge, home):
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", "call", "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert sent(bridge)[0] == "wait"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "", "bpy-bridge: interrupted\n")


def test_a_reader_that_goes_away_is_no_traceback(bridge, home):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "bridge", "call", "echo"]
    process = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    os.close(writer)
    assert (process.returncode, process.stderr) == (141, "")
