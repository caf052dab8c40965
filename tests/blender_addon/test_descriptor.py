"""How a Blender announces itself: what it writes, where, and for how long."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from blender_addon.descriptor import (
    Announcement,
    Descriptor,
    directory,
    make_private,
    parse,
    private_socket,
    process_start,
)
from bridge import paths
from tests.blender_addon.stand_in import all_handlers, bpy_without_blender

posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")

SAID = Descriptor("unix:/tmp/b.sock", "secret", 4711, 12.0, 34.5, "0123456789abcdef", "5.0.1", "/a/shot.blend", "hero")


@pytest.fixture
def place(tmp_path) -> Path:
    return tmp_path / "home" / "blenders"


@pytest.fixture
def announcement(place) -> Announcement:
    return Announcement(SAID, str(place))


def only_file(place: Path) -> Path:
    [found] = place.iterdir()
    return found


def test_it_says_where_it_is_and_who(announcement, place):
    announcement.publish()
    assert parse(only_file(place).read_bytes()) == SAID


@posix
def test_file_and_directories_are_their_owners_alone_whatever_the_umask(announcement, place):
    before = os.umask(0)
    try:
        announcement.publish()
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (only_file(place), place, place.parent)] == [
        0o600,
        0o700,
        0o700,
    ]


def test_another_file_is_told_in_one_step(announcement, place, monkeypatch):
    announcement.publish()
    seen = []
    replace = os.replace

    def watched(new: str, path: str) -> None:
        seen.extend(parse(Path(file).read_bytes()).file for file in (path, new))
        replace(new, path)

    monkeypatch.setattr(os, "replace", watched)
    announcement.follow("/a/other.blend")
    assert seen == ["/a/shot.blend", "/a/other.blend"]
    assert parse(only_file(place).read_bytes()) == SAID._replace(file="/a/other.blend")


def test_blender_s_own_events_keep_it_up_to_date(announcement, place):
    handlers = SimpleNamespace(load_post=[], save_post=[], persistent=lambda handler: handler)
    bpy = SimpleNamespace(app=SimpleNamespace(handlers=handlers), data=SimpleNamespace(filepath=SAID.file))
    announcement.publish()
    announcement.watch(bpy)
    for handler, file in zip(
        (*handlers.load_post, *handlers.save_post), ("/loaded.blend", "/saved.blend"), strict=True
    ):
        bpy.data.filepath = file
        handler(None, None)
        assert parse(only_file(place).read_bytes()).file == file


def test_at_the_end_blender_has_no_handler_of_it_left(announcement):
    bpy = bpy_without_blender()
    announcement.watch(bpy)
    assert all_handlers(bpy)
    announcement.unwatch()
    assert all_handlers(bpy) == []


def test_withdrawn_it_is_gone_for_good(announcement, place):
    announcement.publish()
    announcement.withdraw()
    announcement.follow("/late.blend")
    announcement.withdraw()
    assert list(place.iterdir()) == []


def test_a_write_that_fails_leaves_nothing_half_done(announcement, place, monkeypatch):
    announcement.publish()

    def full(*_: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        announcement.follow("/a/other.blend")
    assert parse(only_file(place).read_bytes()) == SAID


@posix
def test_a_directory_that_stands_open_is_closed(place):
    place.mkdir(parents=True)
    place.chmod(0o777)
    make_private(str(place))
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


@posix
def test_a_link_in_the_directory_s_place_is_refused(announcement, place, tmp_path):
    place.parent.mkdir()
    place.symlink_to(tmp_path)
    with pytest.raises(PermissionError, match="it is no directory"):
        announcement.publish()


@posix
@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() != 0, reason="only root can give directories away")
@pytest.mark.parametrize("which", [".", ".."])
def test_a_directory_of_another_user_is_refused(announcement, place, which):
    place.mkdir(parents=True, mode=0o700)
    os.chown(place / which, 12345, -1)
    with pytest.raises(PermissionError, match="belongs to another user"):
        announcement.publish()


def test_it_is_beside_what_the_bridge_keeps_at_run_time(tmp_path, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_HOME", str(tmp_path))
    assert directory() == str(paths.runtime_directory() / "blenders")


@pytest.mark.skipif(sys.platform != "linux", reason="there it is an environment variable that says where")
def test_so_it_is_without_a_home_of_ours(tmp_path, monkeypatch):
    monkeypatch.delenv("BPY_BRIDGE_HOME", raising=False)
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert directory() == str(tmp_path / "bpy-bridge" / "blenders") == str(paths.runtime_directory() / "blenders")


def test_the_private_socket_is_beside_the_descriptor_where_its_path_is_short_enough(place, tmp_path):
    found = private_socket(SAID.boot, str(place))
    assert found == f"unix:{place / f'{os.getpid()}-01234567.sock'}"
    assert private_socket(SAID.boot, str(tmp_path / ("long" * 30))) is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the standard library does not tell")
def test_a_process_start_is_its_own_and_ends_with_it():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        started = process_start(process.pid)
        assert started is not None
        assert started >= process_start(os.getpid())
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process_start(process.pid) is None, "it has ended, though nobody has waited for it yet"


def test_the_token_is_in_no_text_of_it():
    assert "secret" not in f"{SAID} {SAID!r}"
    with pytest.raises(ValueError, match="boot") as caught:
        parse(json.dumps({"format": 1, **SAID._asdict(), "boot": 1}).encode())
    assert "secret" not in str(caught.value)
