"""bpy-bridge config show|check."""

from __future__ import annotations

import json

import pytest

from bridge import paths


@pytest.fixture
def write(home):
    """write(toml): the configuration file."""

    def write(toml):
        paths.ensure_private(home)
        paths.config_file().write_text(toml)

    return write


def test_show_prints_each_setting_with_its_source_and_meaning(run, write, home, monkeypatch):
    write("drain_timeout = 3")
    monkeypatch.setenv("BPY_BRIDGE_TOKEN", "s3cret")
    code, out, err = run("config", "show")
    assert (code, err) == (0, "")
    lines = {
        line.split()[0]: [word.strip() for word in line.split(maxsplit=3)] for line in out.splitlines() if line.strip()
    }
    assert lines["drain_timeout"][1:] == [
        "3", f"{home}/config.toml", "How long requests in flight may go on when the bridge ends.",
    ]  # fmt: skip
    assert lines["pool.warm"][1:3] == ["1", "default"]
    assert lines["token"][1:3] == ["********", "BPY_BRIDGE_TOKEN"]
    assert "s3cret" not in out


def test_show_can_be_one_json_object(run, write, home):
    write("drain_timeout = 3")
    code, out, _ = run("config", "show", "--json")
    shown = json.loads(out)
    assert (code, shown["file"]) == (0, str(home / "config.toml"))
    assert {
        "setting": "drain_timeout", "value": 3.0, "source": "file", "where": str(home / "config.toml"),
        "meaning": "How long requests in flight may go on when the bridge ends.",
    } in shown["settings"]  # fmt: skip
    [listen] = [setting for setting in shown["settings"] if setting["setting"] == "listen"]
    assert (listen["source"], listen["where"]) == ("default", None)


def test_another_file_may_be_named(run, tmp_path):
    (tmp_path / "mine.toml").write_text("drain_timeout = 7")
    _, out, _ = run("config", "show", "--config", str(tmp_path / "mine.toml"))
    assert f"{tmp_path}/mine.toml" in out


def test_check_says_in_one_line_that_all_is_well(run, write, home, monkeypatch):
    assert run("config", "check") == (
        0, f"the configuration is valid: no file {home}/config.toml, no environment variables\n", "",
    )  # fmt: skip
    write("drain_timeout = 3")
    monkeypatch.setenv("BPY_BRIDGE_POOL__WARM", "2")
    assert run("config", "check") == (
        0, f"the configuration is valid: the file {home}/config.toml, 1 environment variable\n", "",
    )  # fmt: skip


@pytest.mark.parametrize("action", ["show", "check"])
def test_what_is_wrong_is_a_line_each(run, write, action):
    write("drain_timeout = 0\npool.worm = 3\nlisten = 'x'")
    code, out, err = run("config", action)
    assert (code, out, len(err.splitlines())) == (2, "", 3)
    assert "drain_timeout, from the file" in err


def test_to_look_makes_nothing(run, home, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_LISTEN", "tcp:127.0.0.1:0")
    assert run("config", "check")[0] == 0
    assert run("config", "show")[0] == 0
    assert not home.exists()


def test_the_flags_of_serve_are_judged_as_it_would(run):
    code, out, _ = run("config", "show", "--listen", "unix:/tmp/x.sock", "--instance", "a=unix:/a", "--http", "off")
    assert code == 0
    lines = {line.split()[0]: line.split()[1:3] for line in out.splitlines() if line.strip()}
    assert lines["listen"] == ["unix:/tmp/x.sock", "--listen"]
    assert lines["instances.a.address"] == ["unix:/a", "--instance"]
    assert lines["http"] == ["off", "--http"]
    code, _, err = run("config", "check", "--listen", "x")
    assert (code, "listen, from the flag --listen: 'x' is not an address" in err) == (2, True)
