"""The bridge that runs: it answers, is of our version, and has Blenders that serve."""

from __future__ import annotations

import os
import socket
from contextlib import closing

import pytest

from blender_addon.wire import Fault
from bridge import __version__, paths
from bridge.doctor.running import bridge as running
from tests.bridge.cli.conftest import STATUS, Bridge


@pytest.fixture
def bridge(private):
    answering = Bridge(str(private / "bridge.sock"))
    yield answering
    answering.close()


@pytest.fixture
def found(place, bridge):
    """found(status): what is found of a bridge that says so."""

    def found(**status):
        bridge.answers["bridge.status"] = {**STATUS, "version": __version__, "instances": [], **status}
        return [(finding.level, finding.what) for finding in running(place(), patience=5.0)]

    return found


def test_that_none_runs_is_fine(place):
    assert [(finding.level, finding.what) for finding in running(place())] == [("ok", "no bridge is running")]


def test_one_of_our_version_that_answers_is_fine(found, private):
    assert found() == [
        ("ok", f"the bridge at unix:{private}/bridge.sock, process 4242, answers; it is version {__version__}")
    ]


def test_one_of_another_version_is_found(found):
    [(level, what)] = found(version="9.9")
    assert (level, what.endswith(f"it is version 9.9, and this is {__version__}")) == ("warning", True)


def test_a_blender_that_serves_is_fine(found):
    instance = {"name": "a", "blender": "5.0.1", "ready": True, "health": {"state": "healthy"}}
    assert found(instances=[instance])[1] == ("ok", "Blender 'a' 5.0.1 can serve, and is healthy")


def test_one_whose_add_on_is_of_another_version_is_found_with_what_to_do(place, bridge):
    instance = {"name": "a", "blender": "5.0.1", "addon": {"version": "0.9.0", "matches": False, "fix": "do that"}}
    bridge.answers["bridge.status"] = {**STATUS, "version": __version__, "instances": [instance]}
    finding = list(running(place(), patience=5.0))[2]
    assert (finding.level, finding.fix) == ("warning", "do that")
    assert finding.what == f"Blender 'a' has the add-on 0.9.0, and this is {__version__}"


def test_one_that_cannot_serve_is_found_with_the_reason(found):
    instance = {"name": "a", "blender": None, "ready": False, "obstacle": "its worker is waiting"}
    assert found(instances=[instance])[1] == ("warning", "Blender 'a' cannot serve: its worker is waiting")


def test_one_that_is_unhealthy_is_broken(found):
    health = {"state": "hung", "unhealthy": True, "reason": "no answer for 60 s"}
    instance = {"name": "a", "ready": False, "obstacle": "x", "health": health}
    assert found(instances=[instance])[1] == ("broken", "Blender 'a' is unhealthy: no answer for 60 s")


def test_one_that_listens_and_does_not_answer_is_broken_in_bounded_time(place, private):
    with closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.bind(str(private / "bridge.sock"))
        sock.listen()
        [finding] = running(place(), patience=0.2)
    assert finding.level == "broken"
    assert finding.what.startswith(f"process {os.getpid()} (")
    assert finding.what.endswith(f"listens at unix:{private}/bridge.sock, and does not answer as a bridge does")


def test_the_stale_socket_of_one_that_was_killed_is_none(place, stale_socket):
    stale_socket("bridge.sock")
    assert [finding.what for finding in running(place(), patience=5.0)] == ["no bridge is running"]


def test_one_that_cannot_tell_its_status_is_broken(bridge, place):
    bridge.answers["bridge.status"] = Fault("internal", "it is confused", data={})
    [finding] = running(place())
    assert (finding.level, finding.fix) == ("broken", "bpy-bridge restart")


def test_one_that_has_the_lock_and_no_door_is_broken(place, private):
    lock = paths.Lock.take(paths.lock_file())
    assert lock is not None
    try:
        [finding] = running(place())
    finally:
        lock.release()
    assert finding.level == "broken"
    assert finding.what.startswith(f"the bridge 'default', process {os.getpid()}, cannot be reached: ")
