"""Who may do what in the bridge's directories, and who may read its token."""

from __future__ import annotations

import os

import pytest

from bridge import paths
from bridge.doctor.directories import directories, nearest, socket_paths, token

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")


def by_use(place):
    """The findings by the directory's use."""
    return {finding.what.split(" directory")[0].split("the ")[-1]: finding for finding in directories(place())}


def test_what_does_not_exist_is_made_when_it_is_needed(place, home):
    assert {finding.level for finding in directories(place())} == {"ok"}
    assert not home.exists()


def test_closed_directories_of_ones_own_are_fine(place, private):
    found = by_use(place)
    assert found["runtime"].what == f"the runtime directory {private} is yours alone"
    assert found["logs"].what == f"the logs directory {private}/logs is made when it is needed"


@pytest.mark.parametrize(
    ("mode", "level"), [(0o755, "warning"), (0o710, "warning"), (0o777, "broken"), (0o720, "broken")]
)
def test_an_open_directory_is_found_with_its_mode_and_the_fix(place, private, mode, level):
    private.chmod(mode)
    found = by_use(place)["runtime"]
    assert (found.level, found.fix) == (level, f"chmod 700 {private}")
    assert f"(mode {mode:o})" in found.what


@as_root
def test_somebody_elses_directory_is_found(place, private):
    os.chown(private, 12345, 12345)
    found = by_use(place)["runtime"]
    assert (found.level, found.what.split(str(private))[1]) == ("broken", " belongs to another user (uid 12345)")


def test_a_file_in_a_directorys_place_is_found(place, home):
    home.touch(0o755)
    assert by_use(place)["runtime"].what == f"the runtime directory {home} is no directory"
    assert by_use(place)["runtime"].level == "broken"
    assert by_use(place)["logs"].what == f"the logs directory {home}/logs cannot be made in {home}"


def test_a_directory_that_cannot_be_written_to_is_found(place, private, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    assert by_use(place)["runtime"].level == "broken"
    assert by_use(place)["runtime"].what.endswith("cannot be written to")


def test_nearest_is_the_first_that_exists(tmp_path):
    assert nearest(tmp_path) == tmp_path
    assert nearest(tmp_path / "a" / "b") == tmp_path


def test_socket_paths_are_short_enough(place, monkeypatch, tmp_path):
    monkeypatch.setenv("BPY_BRIDGE_HOME", "/tmp/b")
    assert [finding.level for finding in socket_paths(place())] == ["ok"]


def test_a_home_too_deep_for_a_socket_is_found(place, monkeypatch):
    somewhere = place(listen=["unix:/tmp/b.sock"])
    monkeypatch.setenv("BPY_BRIDGE_HOME", "/tmp/" + "d" * 95)
    [finding] = socket_paths(somewhere)
    assert finding.level == "broken"
    assert finding.what.endswith("107 is the most")
    assert finding.fix == "set BPY_BRIDGE_HOME to a shorter directory, for example /tmp/bpy"


def test_without_workers_only_the_bridges_own_socket_counts(place, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_HOME", "/tmp/" + "d" * 90)
    served = {"instances": {"s": {"address": "unix:/s"}}, "listen": ["unix:/tmp/b.sock"]}
    assert [finding.level for finding in socket_paths(place(**served))] == ["ok"]
    monkeypatch.setenv("BPY_BRIDGE_HOME", "/tmp/" + "d" * 95)
    assert [finding.level for finding in socket_paths(place(**served))] == ["broken"]


def test_a_workers_name_too_long_for_its_socket_is_found(place, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_HOME", "/tmp/" + "d" * 60)
    [finding] = socket_paths(place(workers={"w" * 50: {}}))
    assert (finding.level, "worker-www" in finding.what) == ("broken", True)


def test_no_token_is_fine(place):
    assert [finding.level for finding in token(place())] == ["ok"]


def test_a_token_of_ones_own_is_fine(place, private):
    paths.ensure_token()
    assert [finding.level for finding in token(place())] == ["ok"]


def test_a_token_that_others_may_read_is_found_and_left_as_it_is(place, private):
    path = paths.token_file()
    path.write_text("s3cret")
    path.chmod(0o640)
    [finding] = token(place())
    assert (finding.level, finding.fix) == ("broken", f"rm {path}: the next start makes a new one")
    assert "(mode 640)" in finding.what
    assert path.stat().st_mode & 0o777 == 0o640


def test_an_empty_token_is_found(place, private):
    paths.token_file().write_text("\n")
    paths.token_file().chmod(0o600)
    [finding] = token(place())
    assert (finding.level, finding.what) == ("broken", f"the token file {paths.token_file()} is empty")


@as_root
def test_somebody_elses_token_is_found(place, private):
    paths.token_file().write_text("x")
    os.chown(paths.token_file(), 12345, 12345)
    [finding] = token(place())
    assert (finding.level, "(uid 12345)" in finding.what) == ("broken", True)
