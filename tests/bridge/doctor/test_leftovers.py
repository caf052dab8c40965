"""What killed processes leave behind is found, and nothing else."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from bridge import paths
from bridge.doctor.leftovers import leftovers


@pytest.fixture
def dead() -> int:
    """The pid of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def left(place):
    """left(): the warnings, however fresh their files are."""

    def left():
        found = list(leftovers(place(), just_now=-1.0))
        return [finding for finding in found if finding.level == "warning"]

    return left


def test_nothing_is_left_where_there_is_nothing(place, home):
    assert [finding.what for finding in leftovers(place())] == [f"nothing is left over in {home}"]


def test_a_socket_that_nobody_listens_at_is_found(left, stale_socket):
    path = stale_socket("worker-w.sock")
    [finding] = left()
    assert finding.what == f"{path} is left over: nobody listens at this socket"
    assert finding.fix == f"rm {path}"
    assert path.exists()


def test_a_socket_that_somebody_listens_at_is_in_use(left, private):
    with closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.bind(f"{private}/x.sock")
        sock.listen()
        assert left() == []


def test_the_record_of_a_dead_bridge_is_found(left, dead):
    paths.write_record(paths.Record(dead, 1.0, "1", []))
    assert [finding.what for finding in left()] == [f"{paths.record_file()} is left over: its process {dead} has ended"]


def test_a_record_whose_number_another_process_has_now_is_found(left):
    paths.write_record(paths.Record(os.getpid(), 1.0, "1", []))
    [finding] = left()
    assert finding.what.endswith("and another has that number now")


def test_the_record_of_a_living_bridge_is_none(left):
    pid = os.getpid()
    paths.write_record(paths.Record(pid, paths.process_start(pid), "1", []))
    assert left() == []


def test_the_descriptor_of_a_dead_blender_is_found_one_directory_down(left, private, dead):
    (private / "blenders").mkdir()
    (private / "blenders" / "a b.json").write_text(json.dumps({"pid": dead, "address": "unix:/x"}))
    (private / "blenders" / "living.json").write_text(json.dumps({"pid": os.getpid()}))
    [finding] = left()
    assert finding.fix == f"rm '{private}/blenders/a b.json'"


def test_what_a_dead_process_half_wrote_is_found(left, private, dead):
    (private / f".bridge.json-{dead}-0123abcd").touch()
    (private / f".bridge.json-{os.getpid()}-0123abcd").touch()
    [finding] = left()
    assert finding.what.endswith(f"process {dead} ended while it wrote it")


@pytest.mark.parametrize("text", ["{", "[]", '{"pid": "x"}', "{}"])
def test_what_is_not_ours_or_not_whole_is_left_alone(left, private, text):
    (private / "other.json").write_text(text)
    (private / "config.toml").touch()
    (private / "link.json").symlink_to("nowhere")
    assert left() == []


def test_links_are_not_followed(left, private, tmp_path, dead):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "theirs.json").write_text(json.dumps({"pid": dead}))
    (private / "link").symlink_to(tmp_path / "elsewhere")
    (private / "theirs.json").symlink_to(tmp_path / "elsewhere" / "theirs.json")
    assert left() == []


def test_what_was_written_just_now_is_left_alone(place, stale_socket):
    stale_socket("x.sock")
    assert [finding.level for finding in leftovers(place(), just_now=60.0)] == ["ok"]
