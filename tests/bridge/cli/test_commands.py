"""The command line as a whole: usage, versions, start-up, and the commands that run something."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

import bridge
from bridge import app, cli
from bridge.cli import serving
from bridge.errors import ConfigurationError, NotRunning


def test_the_version_is_printed(run):
    assert run("--version") == (0, f"bpy-bridge {bridge.__version__}\n", "")


@pytest.mark.parametrize(
    "argv", [[], ["nonsense"], ["status", "extra"], ["serve", "--lisen", "x"], ["methods", "a", "b"]]
)
def test_wrong_usage_is_exit_code_2_with_a_usage_line(run, argv):
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert err.startswith("usage: bpy-bridge")


@pytest.mark.parametrize(
    "command", ["demo", "serve", "start", "stop", "restart", "logs", "service", "call", "status", "pool", "methods"]
)
def test_each_command_has_help_with_the_exit_codes(run, command):
    code, out, _ = run(command, "--help")
    assert code == 0
    assert "6 no bridge running" in " ".join(out.split())


@pytest.mark.parametrize(
    "argv",
    ["call x", "status", "pool pause", "methods", "methods --json", "stop", "logs", "service", "start --config /none"],
)
def test_what_asks_a_bridge_starts_without_trio_pydantic_or_rich(home, argv):
    code = f"import sys, bridge.cli; bridge.cli.main({argv.split()!r}); print(*sys.modules, file=sys.stderr)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    loaded = set(process.stderr.split())
    assert "bridge.cli" in loaded
    assert not loaded & {"trio", "pydantic", "rich", "anyio", "orjson", "structlog", "bpy"}


class TestServe:
    def test_flags_become_settings(self, run, monkeypatch):
        seen = []

        async def pretend(settings, on_ready):
            seen.append(settings)
            on_ready(app.Doors(["unix:/a", "tcp:127.0.0.1:5"], None))

        monkeypatch.setattr(serving, "serve", pretend)
        monkeypatch.setattr(serving.log, "configure", lambda *_, **__: None)
        code, out, _ = run(
            "serve", "--listen", "unix:/a", "--listen", "unix:/b", "--worker", "w", "--instance", "i=unix:/i"
        )
        ready = json.loads(out)
        assert (code, ready["ready"], ready["listen"]) == (0, True, ["unix:/a", "tcp:127.0.0.1:5"])
        (settings,) = seen
        assert settings.listen == ["unix:/a", "unix:/b"]
        assert settings.instances["i"].address == "unix:/i"
        assert settings.workers["w"].blender == "bpy"

    def test_the_log_knows_every_secret(self, run, monkeypatch):
        told = {}

        async def pretend(settings, on_ready):
            pass

        monkeypatch.setattr(serving, "serve", pretend)
        monkeypatch.setattr(serving.log, "configure", lambda *_, **options: told.update(options))
        monkeypatch.setenv("BPY_BRIDGE_TOKEN", "s3cret-door")
        monkeypatch.setenv("BPY_BRIDGE_INSTANCES__I__TOKEN", "s3cret-blender")
        assert run("serve", "--listen", "tcp:127.0.0.1:0", "--instance", "i=tcp:127.0.0.1:1")[0] == 0
        assert told["secrets"] == ["s3cret-door", "s3cret-blender"]

    def test_a_wrong_setting_is_exit_code_2_and_one_line(self, run, monkeypatch):
        monkeypatch.setenv("BPY_BRIDGE_POOL__WARM", "many")
        code, out, err = run("serve")
        assert (code, out) == (2, "")
        assert err.startswith("bpy-bridge: pool.warm, from the environment variable BPY_BRIDGE_POOL__WARM")
        assert len(err.splitlines()) == 1

    @pytest.mark.parametrize("word", ["studio", "=unix:/x"])
    def test_an_instance_without_a_name_or_an_address_is_wrong_usage(self, run, word):
        code, _, err = run("serve", "--instance", word)
        assert code == 2
        assert "is not NAME=ADDR" in err

    def test_a_reason_of_ours_is_dug_out_of_the_nurseries_groups(self, run, monkeypatch):
        async def pretend(settings, on_ready):
            raise BaseExceptionGroup("nursery", [ExceptionGroup("inner", [ConfigurationError("the port is taken")])])

        monkeypatch.setattr(serving, "serve", pretend)
        monkeypatch.setattr(serving.log, "configure", lambda *_, **__: None)
        assert run("serve") == (2, "", "bpy-bridge: the port is taken\n")

    def test_a_bug_keeps_its_traceback(self, run, monkeypatch):
        async def pretend(settings, on_ready):
            raise ExceptionGroup("nursery", [KeyError("a bug")])

        monkeypatch.setattr(serving, "serve", pretend)
        monkeypatch.setattr(serving.log, "configure", lambda *_, **__: None)
        with pytest.raises(ExceptionGroup, match="nursery"):
            run("serve")

    def test_the_real_bridge_says_when_it_is_ready_answers_and_ends(self, run, home):
        process = subprocess.Popen(
            [sys.executable, "-m", "bridge", "serve", "--http", "off", "--instance", f"studio=unix:{home}/none.sock"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            doors = {"listen": [f"unix:{home}/bridge.sock"], "mcp": f"unix:{home}/mcp.sock"}
            assert ready == {"ready": True, **doors, "pid": process.pid}
            status = json.loads(run("status", "--json")[1])
            assert (status["pid"], status["version"]) == (process.pid, bridge.__version__)
            assert [instance["name"] for instance in status["instances"]] == ["studio"]
            assert run("call", "scene.summary", "--timeout", "0.3")[0] == 3
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (0, "")
        assert "Traceback" not in err
        assert run("status")[0] == 6


def test_the_demo_gets_its_directory(run, monkeypatch, tmp_path):
    demo = pytest.importorskip("bridge.demo")
    seen = []
    monkeypatch.setattr(demo, "run_demo", seen.append)
    monkeypatch.delitem(sys.modules, "bridge.cli.demo", raising=False)
    assert run("demo", "--out", str(tmp_path / "a" / "b"))[0] == 0
    assert seen == [tmp_path / "a" / "b"]
    assert (tmp_path / "a" / "b").is_dir()


def test_a_demo_directory_that_cannot_be_made_is_exit_code_2(run, tmp_path):
    pytest.importorskip("bridge.demo")
    (tmp_path / "file").touch()
    code, _, err = run("demo", "--out", str(tmp_path / "file" / "x"))
    assert code == 2
    assert "cannot be used" in err


def test_an_interrupt_before_anything_is_sent_is_exit_code_130(run, monkeypatch):
    def interrupted(_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.arguments, "command", interrupted)
    assert run("status") == (130, "", "bpy-bridge: interrupted\n")


def test_every_error_of_ours_decides_its_exit_code(run, monkeypatch):
    def refused(_options):
        raise NotRunning("nobody there")

    monkeypatch.setattr(cli.arguments, "command", refused)
    assert run("status") == (6, "", "bpy-bridge: nobody there\n")


def test_app_is_what_serve_runs():
    assert serving.serve is app.serve


def test_a_command_that_is_misspelt_is_told_the_nearest(run):
    code, out, err = run("cal", "scene.summary")
    assert (code, out) == (2, "")
    assert "there is no command 'cal'; did you mean 'call'?" in err
