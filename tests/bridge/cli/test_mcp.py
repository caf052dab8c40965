"""bpy-bridge mcp config and mcp token."""

from __future__ import annotations

import json
import stat

import pytest

from bridge import cli, paths, relay


@pytest.fixture(autouse=True)
def person(home, tmp_path, monkeypatch):
    """Somebody's directory."""
    for name in ("XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    return tmp_path


@pytest.mark.parametrize(("client", "table"), [("claude-desktop", "mcpServers"), ("vscode", "servers")])
def test_config_prints_what_belongs_into_the_file_and_where_it_is(run, person, client, table):
    code, out, err = run("mcp", "config", client)
    assert code == 0
    assert json.loads(out)[table]["blender"]["command"].endswith("bpy-bridge-mcp")
    assert str(person) in err
    assert "--write" in err
    assert not (person / ".config").exists()


def test_config_for_nobody_in_particular_is_what_most_want(run):
    code, out, err = run("mcp", "config")
    assert (code, list(json.loads(out))) == (0, ["mcpServers"])
    assert "claude-code" in err


def test_with_write_it_is_put_in_place_and_what_was_is_kept(run, person):
    file = person / ".cursor" / "mcp.json"
    file.parent.mkdir()
    file.write_text('{"mcpServers": {"other": {"command": "npx"}}}')
    code, out, err = run("mcp", "config", "cursor", "--write", "--tools", "full")
    assert (code, err) == (0, "")
    [backup] = file.parent.glob("*.bak")
    assert str(backup) in out
    servers = json.loads(file.read_text())["mcpServers"]
    assert list(servers) == ["other", "blender"]
    assert servers["blender"]["args"] == ["--tools", "full"]


def test_a_second_time_it_says_that_all_is_well(run, person):
    run("mcp", "config", "claude-code", "--write")
    code, out, _ = run("mcp", "config", "claude-code", "--write")
    assert code == 0
    assert out == f"{person / '.claude.json'} says so already, as blender\n"


def test_a_file_that_is_left_alone_ends_it_with_the_reason(run, person):
    file = person / ".claude.json"
    file.write_text("{ // mine\n}")
    code, out, err = run("mcp", "config", "claude-code", "--write")
    assert (code, out) == (2, "")
    assert "by hand" in err
    assert file.read_text() == "{ // mine\n}"


def test_each_bridge_has_an_entry_of_its_own(run, person):
    run("mcp", "config", "claude-code", "--write")
    run("mcp", "config", "claude-code", "--write", "--name", "farm", "--instance", "studio")
    servers = json.loads((person / ".claude.json").read_text())["mcpServers"]
    assert list(servers) == ["blender", "blender-farm-studio"]
    assert servers["blender-farm-studio"]["args"] == ["--instance", "studio", "--name", "farm"]


@pytest.mark.parametrize("arguments", [["nobody"], ["--write"], ["cursor", "--frob"]])
def test_what_it_does_not_know_is_a_usage_error(run, arguments):
    assert run("mcp", "config", *arguments)[0] == 2


def test_token_prints_the_token_of_http_made_at_first_need(run):
    code, out, _ = run("mcp", "token")
    assert code == 0
    assert out.strip() == paths.read_token(paths.mcp_token_file())
    assert run("mcp", "token")[1] == out
    assert stat.S_IMODE(paths.mcp_token_file().stat().st_mode) == 0o600


def test_it_is_not_the_token_of_the_other_doors(run, home):
    own = paths.ensure_token()
    assert run("mcp", "token")[1].strip() != own


def test_alone_it_relays(run, monkeypatch):
    monkeypatch.setattr(relay, "main", lambda words: 7 if words == [] else 1)
    assert run("mcp")[0] == 7


def test_both_helps_name_the_same_flags(capfd):
    assert relay.main(["--help"]) == 0
    usage = capfd.readouterr().out
    with pytest.raises(SystemExit):
        cli.main(["mcp", "config", "--help"])
    help_text = capfd.readouterr().out
    for flag in ("--tools", "--instance", "--name"):
        assert flag in usage
        assert flag in help_text
    assert "mcp config" in usage
    assert "mcp token" in usage
