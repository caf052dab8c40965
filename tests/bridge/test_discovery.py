"""Blenders that announce themselves: found, followed, believed only as far as the operating system vouches for them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import trio

from blender_addon.descriptor import Announcement, Descriptor, process_start
from bridge import discovery
from bridge.discovery import Discovery, is_alive

posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")


def descriptor(boot: str = "0123456789abcdef", pid: int | None = None, **changes) -> Descriptor:
    pid = pid or os.getpid()
    fields = {"token": None, "blender": "5.0.1", "file": "", "announced": time.time(), "started": process_start(pid)}
    return Descriptor(**{"address": "unix:/tmp/b.sock", "pid": pid, "boot": boot, **fields, **changes})


class Watch:
    """A discovery in a directory of its own, and what it told since the last `look`."""

    def __init__(self, directory, caplog) -> None:
        self.directory = directory
        self.told: list[tuple[str, str]] = []
        self._log = caplog
        tell = {kind: self._teller(kind) for kind in ("come", "changed", "gone")}
        self.discovery = Discovery(directory, **tell)

    def _teller(self, kind: str):
        return lambda descriptor: self.told.append((kind, descriptor.file or descriptor.boot))

    def look(self) -> list[tuple[str, str]]:
        self.told = []
        self.discovery.look()
        return self.told

    def announce(self, *arguments, **changes) -> Announcement:
        announcement = Announcement(descriptor(*arguments, **changes), str(self.directory))
        announcement.publish()
        return announcement

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())


@pytest.fixture
def watch(tmp_path, caplog) -> Watch:
    return Watch(tmp_path / "blenders", caplog)


@pytest.fixture
def ended() -> Iterator[int]:
    """The pid of a process that has ended and was not waited for."""
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    process.stdout.read()
    while process_start(process.pid) is not None:
        pass
    yield process.pid
    process.stdout.close()
    process.wait()


def test_without_a_directory_there_is_nobody_and_none_is_made(watch):
    assert watch.look() == []
    assert not watch.directory.exists()


def test_it_tells_who_comes_once_and_who_goes(watch):
    announcement = watch.announce()
    assert watch.look() == [("come", "0123456789abcdef")]
    assert watch.look() == []
    announcement.withdraw()
    assert watch.look() == [("gone", "0123456789abcdef")]
    assert watch.look() == []


def test_it_tells_that_another_file_is_open(watch):
    announcement = watch.announce()
    watch.look()
    announcement.follow("/shots/a.blend")
    assert watch.look() == [("changed", "/shots/a.blend")]


def test_another_blender_in_the_same_file_is_another_one(watch):
    watch.announce("1" * 16)
    watch.look()
    [name] = watch.files
    other = Announcement(descriptor("2" * 16), str(watch.directory))
    other._path = str(watch.directory / name)
    other.publish()
    assert watch.look() == [("gone", "1" * 16), ("come", "2" * 16)]


def test_the_descriptor_of_a_process_that_has_ended_goes_and_its_socket_too(watch, ended):
    announcement = watch.announce(pid=ended, started=1.0)
    path = announcement._path.removesuffix(".json") + ".sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        assert watch.look() == []
    assert watch.files == []


def test_one_whose_process_ends_while_it_is_known_is_told_as_gone_and_cleared(watch):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    watch.announce(pid=process.pid)
    assert watch.look() == [("come", "0123456789abcdef")]
    process.kill()
    process.wait()
    process.stdin.close()
    assert watch.look() == [("gone", "0123456789abcdef")]
    assert watch.files == []


def test_a_pid_that_another_process_has_now_is_stale(watch):
    watch.announce(started=process_start(os.getpid()) - 1)
    assert watch.look() == []
    assert watch.files == []


def test_where_start_times_are_not_known_a_process_younger_than_its_announcement_is_another(monkeypatch):
    monkeypatch.setattr(discovery.sys, "platform", "darwin")
    assert is_alive(descriptor(started=None))
    assert not is_alive(descriptor(started=None, announced=time.time() - 1e6))
    assert not is_alive(descriptor(started=None, pid=2**22 + 1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        "[" * 50_000,
        "x" * 70_000,
        json.dumps({"format": 2}),
        json.dumps({"format": 1, **descriptor()._asdict(), "pid": "1"}),
        json.dumps({"format": 1, **descriptor()._asdict(), "pid": -1}),
        json.dumps({"format": 1, **descriptor()._asdict(), "address": "nowhere"}),
        json.dumps({"format": 1, **descriptor()._asdict(), "address": "tcp:127.0.0.1:1"}),
        json.dumps({"format": 1, **descriptor()._asdict(), "address": "tcp:8.8.8.8:1", "token": "t"}),
    ],
)
def test_what_is_no_descriptor_is_complained_of_once_and_left(watch, text, capsys):
    watch.announce()
    bad = watch.directory / "bad.json"
    bad.touch(0o600)
    bad.write_text(text)
    assert watch.look() == [("come", "0123456789abcdef")], "the others are found all the same"
    watch.look()
    assert bad.exists()
    assert capsys.readouterr().err.count("no proper announcement") == 1


def test_a_file_that_is_being_written_is_none_yet(watch, capsys):
    watch.announce()
    watch.look()
    (watch.directory / ".half.json-1234").touch(0o600)
    (watch.directory / ".half.json").touch(0o600)
    assert watch.look() == []
    assert "announcement" not in capsys.readouterr().err


@posix
def test_a_link_is_neither_followed_nor_removed(watch, tmp_path, capsys):
    announcement = watch.announce()
    os.rename(announcement._path, tmp_path / "elsewhere.json")
    (watch.directory / "link.json").symlink_to(tmp_path / "elsewhere.json")
    assert watch.look() == []
    assert watch.files == ["link.json"]
    assert "no proper announcement" in capsys.readouterr().err


@posix
def test_a_pipe_does_not_hold_it_up(watch):
    watch.announce().withdraw()
    os.mkfifo(watch.directory / "pipe.json", 0o600)
    assert watch.look() == []


@posix
def test_a_file_that_others_may_read_is_not_believed(watch):
    os.chmod(watch.announce()._path, 0o644)
    assert watch.look() == []
    assert len(watch.files) == 1


@posix
def test_a_directory_that_others_may_use_is_not_believed(watch, capsys):
    watch.announce()
    watch.look()
    watch.directory.chmod(0o755)
    assert watch.look() == [("gone", "0123456789abcdef")]
    assert "others may use it" in capsys.readouterr().err


@posix
def test_a_directory_that_is_a_link_is_not_believed(watch, tmp_path):
    watch.announce()
    watch.directory.rename(tmp_path / "elsewhere")
    watch.directory.symlink_to(tmp_path / "elsewhere")
    assert watch.look() == []


@posix
@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() != 0, reason="only root can give files away")
def test_files_of_others_are_neither_believed_nor_removed(watch, ended):
    for boot, pid in (("1" * 16, os.getpid()), ("2" * 16, ended)):
        os.chown(watch.announce(boot, pid=pid)._path, 12345, -1)
    assert watch.look() == []
    assert len(watch.files) == 2
    os.chown(watch.directory, 12345, -1)
    assert watch.look() == []


def test_so_many_are_looked_at_and_no_more(watch, capsys):
    for number in range(discovery.MOST + 1):
        watch.announce(f"{number:016x}"[::-1])
    assert len(watch.look()) == discovery.MOST
    assert "are looked at" in capsys.readouterr().err


async def test_it_looks_often_enough(watch, autojump_clock):
    assert discovery.INTERVAL <= 0.5
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.discovery.run)
        await trio.testing.wait_all_tasks_blocked()
        announcement = watch.announce()
        await trio.sleep(1)
        announcement.withdraw()
        await trio.sleep(1)
        assert [kind for kind, _ in watch.told] == ["come", "gone"]
        nursery.cancel_scope.cancel()
