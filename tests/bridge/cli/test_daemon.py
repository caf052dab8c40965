"""bpy-bridge start, stop, restart, logs and service: what is passed on, and what is printed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from bridge import daemon, paths
from bridge.cli import arguments, serve
from bridge.errors import DaemonError

FLAGS = ["--listen", "unix:/a", "--listen", "unix:/b", "--instance", "i=unix:/i", "--worker", "w", "--http", "off"]


@pytest.fixture
def daemons(monkeypatch):
    """The calls of daemon.start and daemon.stop, which do nothing here."""
    calls = []
    running = daemon.Running(42, True, ["unix:/a"], "http://127.0.0.1:1", "/log", ["removed the stale record"])
    stopped = daemon.Stopped(41, False, 0.5, ("--http", "off"), "/where")

    def start(flags=(), **options):
        calls.append(("start", list(flags), options, paths.bridge_name()))
        return running

    def stop(**options):
        calls.append(("stop", options, paths.bridge_name()))
        return stopped

    monkeypatch.setattr(daemon, "start", start)
    monkeypatch.setattr(daemon, "stop", stop)
    return calls


def test_start_passes_serves_flags_on(run, daemons):
    assert run("start", *FLAGS, "--timeout", "5")[0] == 0
    assert daemons == [("start", FLAGS, {"timeout": 5.0}, "default")]


def test_every_flag_of_serve_that_was_given_is_given_again(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    options = arguments.parse(["serve", *FLAGS, "--config", "my.toml"])
    assert serve.flags_of(options) == [*FLAGS, "--config", str(tmp_path / "my.toml")]
    assert serve.flags_of(arguments.parse(["serve"])) == []


def test_start_prints_one_object_and_says_on_standard_error_what_it_cleaned(run, daemons):
    code, out, err = run("start", "--json")
    assert code == 0
    assert json.loads(out) == {
        "name": "default",
        "pid": 42,
        "started": True,
        "listen": ["unix:/a"],
        "http": "http://127.0.0.1:1",
        "log": "/log",
    }
    assert err == "bpy-bridge: removed the stale record\n"


def test_start_and_stop_say_it_to_people_too(run, daemons):
    assert run("start")[1] == "the bridge 'default' started: process 42, doors unix:/a http://127.0.0.1:1\n"
    assert run("stop")[1] == "the bridge 'default' is stopped: process 41, after 0.5 s\n"


def test_restart_starts_with_what_it_stopped(run, daemons):
    assert run("restart", "--force")[0] == 0
    assert daemons == [
        ("stop", {"timeout": 60.0, "force": True}, "default"),
        ("start", ["--http", "off"], {"cwd": "/where", "timeout": 60.0}, "default"),
    ]


def test_a_failure_has_the_exit_code_of_its_cause(run, monkeypatch):
    def fail(*arguments, **options):
        raise DaemonError("there is no Blender\n  the log's tail", 3)

    monkeypatch.setattr(daemon, "start", fail)
    assert run("start") == (3, "", "bpy-bridge: there is no Blender\n  the log's tail\n")


def test_the_name_is_the_flags_then_the_environments_and_only_for_the_command(run, daemons, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_NAME", "studio")
    monkeypatch.setenv("BPY_BRIDGE_ADDRESS", "unix:/elsewhere")
    assert run("stop")[0] == run("stop", "--name", "other")[0] == run("stop")[0] == 0
    assert [name for *_, name in daemons] == ["studio", "other", "studio"]
    assert os.environ["BPY_BRIDGE_ADDRESS"] == "unix:/elsewhere"


@pytest.mark.parametrize("command", ["start", "stop", "serve", "status"])
def test_what_is_no_name_is_exit_code_2_and_one_line(run, command, monkeypatch):
    code, out, err = run(command, "--name", "../x")
    assert (code, out) == (2, "")
    assert err.startswith("bpy-bridge: '../x' is no name for a bridge")
    assert len(err.splitlines()) == 1


def test_a_bridges_address_and_its_name_exclude_each_other(run):
    assert run("status", "--bridge", "unix:/a", "--name", "b")[0] == 2


@pytest.mark.parametrize("lines", ["-1", "many"])
def test_a_number_of_lines_is_a_number(run, lines):
    assert run("logs", "-n", lines)[0] == 2


def test_logs_that_are_of_an_earlier_bridge_are_said_to_be(run, home):
    log = paths.log_file()
    paths.ensure_private(log.parent)
    log.write_text("a line\n")
    assert run("logs") == (0, "a line\n", "")
    with daemon.Tenure():
        code, out, err = run("logs")
    assert (code, out) == (0, "a line\n")
    assert f"(process {os.getpid()}) logs elsewhere" in err


def test_log_lines_do_not_drive_the_terminal(run, home):
    paths.ensure_private(paths.log_file().parent)
    paths.log_file().write_text("\x1b[31mred\n")
    assert run("logs")[1] == "\\x1b[31mred\n"


class TestService:
    def test_the_unit_runs_the_bridge_of_that_name_with_those_flags(self, run, home):
        code, out, _ = run("service", "--name", "studio", "--http", "off")
        assert code == 0
        assert f"ExecStart={sys.executable} -P -m bridge serve --name studio --http off\n" in out
        assert f"Environment=BPY_BRIDGE_HOME={home}\n" in out
        assert "Type=notify\n" in out
        assert "bpy-bridge-studio.service" in out

    def test_what_systemd_would_read_otherwise_is_quoted(self, run):
        assert r'"/a b/50%%/$$HOME/\"c\".toml"' in run("service", "--config", '/a b/50%/$HOME/"c".toml')[1]

    def test_systemd_finds_no_fault_with_it(self, run, tmp_path):
        if shutil.which("systemd-analyze") is None:
            pytest.skip("there is no systemd here")
        unit = tmp_path / "bpy-bridge.service"
        unit.write_text(run("service", "--config", "/a b/50%.toml")[1])
        checked = subprocess.run(
            ["systemd-analyze", "--user", "verify", str(unit)],
            env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (checked.returncode, checked.stdout) == (0, "")
