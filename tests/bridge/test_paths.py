"""Where things lie, who may see them, and how a client finds the bridge."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge import paths
from bridge.errors import ConfigurationError, NotRunning
from bridge.paths import places, private


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def running(home):
    """A record and the socket that it names."""
    paths.ensure_private(home)
    (home / "bridge.sock").touch()
    doors = ["tcp:127.0.0.1:9870", f"unix:{home}/bridge.sock"]
    record = paths.Record(os.getpid(), paths.process_start(os.getpid()), "1.0", doors, http="http://127.0.0.1:1")
    paths.write_record(record)
    return record


def test_everything_lies_in_the_home_that_the_environment_names(home):
    found = [paths.config_file(), paths.token_file(), paths.record_file(), paths.log_directory()]
    assert [path.relative_to(home).as_posix() for path in found] == ["config.toml", "token", "bridge.json", "logs"]
    assert paths.default_address() == f"unix:{home}/bridge.sock"


def test_each_bridge_has_places_of_its_own_by_its_name(home, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_NAME", "studio")
    found = [paths.lock_file(), paths.record_file(), paths.log_file(), paths.worker_socket("one")]
    assert [path.relative_to(home).as_posix() for path in found] == [
        "bridge-studio.lock", "bridge-studio.json", "logs/bridge-studio.log", "worker-one@studio.sock",
    ]  # fmt: skip
    assert paths.default_address() == f"unix:{home}/bridge-studio.sock"
    assert paths.token_file() == home / "token", "the token is the user's"


def test_the_default_name_is_in_no_files_name(home, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_NAME", "default")
    assert (paths.lock_file().name, paths.worker_socket("one").name) == ("bridge.lock", "worker-one.sock")


@pytest.mark.parametrize("name", ["../x", "a b", "-x", "x" * 65, "ü"])
def test_what_is_no_name_is_a_clear_error(home, monkeypatch, name):
    monkeypatch.setenv("BPY_BRIDGE_NAME", name)
    with pytest.raises(ConfigurationError, match="is no name for a bridge, in --name or BPY_BRIDGE_NAME"):
        paths.record_file()


def test_without_a_home_the_systems_places_are_used(home, monkeypatch, tmp_path):
    monkeypatch.delenv("BPY_BRIDGE_HOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert paths.token_file() == tmp_path / "config" / "bpy-bridge" / "token"
    assert tmp_path / "state" in paths.log_directory().parents


def test_without_a_runtime_directory_another_place_is_used_and_nobody_is_warned(home, monkeypatch):
    monkeypatch.delenv("BPY_BRIDGE_HOME")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    assert paths.runtime_directory().name == "bpy-bridge"


def test_looking_for_a_bridge_makes_nothing(home):
    with pytest.raises(NotRunning, match="bpy-bridge serve"):
        paths.find_bridge()
    assert not home.exists()


def test_a_socket_path_that_is_too_long_says_what_to_shorten(home, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_HOME", "/tmp/" + "é" * 50)
    with pytest.raises(ConfigurationError, match=r"117 bytes .* BPY_BRIDGE_HOME"):
        paths.default_address()


def test_a_socket_path_of_the_greatest_length_is_taken():
    paths.check_socket_path("/" + "x" * (places.MAX_SOCKET_PATH - 1))


def test_a_directory_is_made_for_its_owner_alone(home):
    assert mode(paths.ensure_private(home / "inner")) == 0o700


@pytest.mark.parametrize("name", ["", "config.toml"])
def test_an_open_directory_that_is_empty_or_ours_is_closed(home, name):
    home.mkdir()
    if name:
        (home / name).touch()
    home.chmod(0o755)
    assert mode(paths.ensure_private(home)) == 0o700


def test_a_directory_that_serves_others_and_that_they_may_only_read_is_used_and_left_alone(home):
    home.mkdir()
    (home / "thesis.txt").touch()
    home.chmod(0o755)
    paths.ensure_private(home)
    assert mode(home) == 0o755


def test_a_directory_that_others_may_write_to_is_refused_and_left_alone(home):
    home.mkdir()
    (home / "thesis.txt").touch()
    home.chmod(0o777)
    with pytest.raises(ConfigurationError, match="chmod 700"):
        paths.ensure_private(home)
    assert mode(home) == 0o777


def test_a_file_in_the_directorys_place_is_a_clear_error(home):
    home.touch()
    with pytest.raises(ConfigurationError, match=f"{home} cannot be used"):
        paths.ensure_private(home)


def test_somebody_elses_directory_is_refused(home, monkeypatch):
    home.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        paths.ensure_private(home)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        paths.find_bridge()


def test_without_a_home_the_directory_above_must_not_be_somebody_elses(home, monkeypatch):
    home.mkdir()
    monkeypatch.delenv("BPY_BRIDGE_HOME")
    real = os.stat_result(home.parent.lstat())
    monkeypatch.setattr(type(home), "lstat", lambda self: os.stat_result((*real[:4], 12345, *real[5:])))
    with pytest.raises(ConfigurationError, match=f"{home.parent} belongs to another user"):
        private.check_owner(home)


def test_the_token_is_made_once_and_only_its_owner_can_read_it(home):
    token = paths.ensure_token()
    assert len(token) >= 32
    assert paths.ensure_token() == token
    assert mode(paths.token_file()) == 0o600
    assert [entry.name for entry in home.iterdir()] == ["token"]


def test_bridges_that_start_together_agree_on_the_token(home):
    with ThreadPoolExecutor(16) as threads:
        assert len({future.result() for future in [threads.submit(paths.ensure_token) for _ in range(64)]}) == 1


def test_a_token_file_that_stands_open_is_closed(home):
    paths.ensure_token()
    paths.token_file().chmod(0o644)
    paths.read_token()
    assert mode(paths.token_file()) == 0o600


def test_somebody_elses_open_token_file_is_refused(home, monkeypatch):
    paths.ensure_token()
    paths.token_file().chmod(0o644)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        paths.read_token()


@pytest.mark.parametrize(("content", "wrong"), [(b" \n", "is empty"), (b"\xff\xfe", "cannot be read")])
def test_a_token_file_without_a_token_is_a_clear_error(home, content, wrong):
    paths.ensure_private(home)
    paths.token_file().write_bytes(content)
    paths.token_file().chmod(0o600)
    with pytest.raises(ConfigurationError, match=wrong):
        paths.ensure_token()


def test_a_token_that_cannot_be_written_is_a_clear_error(home, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "not permitted")))
    with pytest.raises(ConfigurationError, match="cannot be made: not permitted"):
        paths.ensure_token()
    assert list(home.iterdir()) == []


def test_the_record_is_read_as_it_was_written(running):
    assert paths.read_record() == running
    assert mode(paths.record_file()) == 0o600


GARBLED = ["", "{", "[]", '{"pid": 1}', '{"pid":1,"started":1,"version":"1","listen":[1]}', "\0" * 100]


@pytest.mark.parametrize("content", GARBLED)
def test_a_garbled_record_is_no_record(home, content):
    paths.ensure_private(home)
    paths.record_file().write_text(content)
    assert paths.read_record() is None


def test_a_stale_record_is_removed_and_its_process_is_named(running):
    paths.write_record(running._replace(pid=1234))
    assert "bridge process 1234 ended without removing it" in paths.remove_stale_record()
    assert not paths.record_file().exists()
    assert paths.remove_stale_record() is None


def test_a_garbled_record_is_removed_too(running):
    paths.record_file().write_text("{")
    assert "could not be read" in paths.remove_stale_record()
    assert not paths.record_file().exists()


def test_a_record_that_cannot_be_written_is_a_clear_error_and_leaves_nothing_behind(home):
    record = paths.Record(1, 1.0, "1", ["unix:/x" * 1000])
    code = f"""if True:
        import resource
        from bridge import errors, paths
        paths.ensure_private(paths.runtime_directory())
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            paths.write_record(paths.{record!r})
        except errors.ConfigurationError as error:
            print(error)"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert process.stdout == f"the record {home}/bridge.json cannot be written: File too large\n"
    assert list(home.iterdir()) == []


def test_a_process_removes_its_own_record_only(running):
    paths.write_record(running._replace(pid=1))
    paths.remove_record()
    assert paths.read_record() is not None
    paths.write_record(running)
    paths.remove_record()
    assert not paths.record_file().exists()
    paths.remove_record()


def test_the_address_that_was_named_wins_over_all(running, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_ADDRESS", "unix:/from/environment")
    assert paths.find_bridge("unix:/named") == ("unix:/named", None)
    assert paths.find_bridge() == ("unix:/from/environment", None)


def test_the_record_is_asked_next_and_a_unix_socket_comes_before_tcp(running, home):
    assert paths.find_bridge() == (f"unix:{home}/bridge.sock", None)


def test_a_record_whose_socket_is_gone_leads_to_its_tcp_door(running, home):
    paths.ensure_token()
    (home / "bridge.sock").unlink()
    assert paths.find_bridge() == ("tcp:127.0.0.1:9870", paths.read_token())


def test_a_killed_bridges_record_is_not_a_running_bridge(running, home):
    paths.write_record(running._replace(listen=running.listen[1:]))
    (home / "bridge.sock").unlink()
    with pytest.raises(NotRunning, match=r"there is no .*bridge\.sock"):
        paths.find_bridge()


def test_a_bridge_that_has_no_doors_yet_is_starting(running):
    paths.write_record(running._replace(listen=[]))
    with pytest.raises(NotRunning, match="one is starting"):
        paths.find_bridge()


@pytest.mark.parametrize("reused", ["pid of a process that ended", "pid of another process"])
def test_a_record_that_is_not_of_a_living_bridge_leads_nowhere(running, home, reused):
    pid, started = (ended_process(), running.started) if "ended" in reused else (os.getpid(), running.started - 1)
    paths.write_record(running._replace(pid=pid, started=started, listen=[f"unix:{home}/squatter.sock"]))
    (home / "squatter.sock").touch()
    assert paths.find_bridge() == (f"unix:{home}/bridge.sock", None)


def ended_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


def test_without_a_record_the_default_socket_is_tried(home):
    paths.ensure_private(home)
    (home / "bridge.sock").touch()
    assert paths.find_bridge() == (f"unix:{home}/bridge.sock", None)


def test_a_tcp_address_takes_the_environments_token_before_the_files(home, monkeypatch):
    paths.ensure_token()
    monkeypatch.setenv("BPY_BRIDGE_TOKEN", " s3cret ")
    assert paths.find_bridge("tcp:127.0.0.1:1") == ("tcp:127.0.0.1:1", "s3cret")


def test_what_is_no_address_is_a_clear_error(home, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_ADDRESS", "localhost:9870")
    with pytest.raises(ConfigurationError, match="'localhost:9870' is not an address: write unix:"):
        paths.find_bridge()


def test_a_tcp_address_without_a_token_says_where_to_put_one(home):
    with pytest.raises(ConfigurationError, match="BPY_BRIDGE_TOKEN"):
        paths.find_bridge("tcp:127.0.0.1:1")


def test_importing_paths_brings_in_the_standard_library_and_platformdirs_only():
    code = (
        "import sys, bridge.paths; print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    )
    loaded = subprocess.run([sys.executable, "-Sc", code], capture_output=True, text=True, check=True, env=_bare())
    assert set(loaded.stdout.split()) <= {"bridge", "blender_addon", "platformdirs", "__main__"}


def _bare():
    """Without site's start-up, so that what an editable install imports there does not count."""
    return {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_a_bridge_with_a_name_of_its_own_does_not_want_the_other_one_s_port(monkeypatch):
    assert paths.default_http() == "tcp:127.0.0.1:9871"
    monkeypatch.setenv("BPY_BRIDGE_NAME", "studio")
    assert paths.default_http() == "tcp:127.0.0.1:0"
