"""A bridge that holds its lock and does not answer: whoever asks is told which process it is, and what it may do."""

from __future__ import annotations

import os
import signal

import pytest

from bridge import paths
from bridge.client import AsyncClient, Client
from bridge.daemon import start, stop
from bridge.errors import DaemonError, NotRunning
from tests.bridge.test_daemon import another

MOMENT = 0.2


@pytest.fixture
def silent(home):
    """One that has opened a door and never answers there."""
    paths.ensure_token()
    with another("open") as process:
        yield process.pid


def interrupt(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED)


def test_one_that_is_stopped(silent):
    interrupt(silent)
    with pytest.raises(NotRunning, match=f"Process {silent} holds the lock .* it is stopped, .* `kill -CONT {silent}`"):
        Client(connect_timeout=MOMENT).__enter__()


def test_one_that_is_ending_or_hangs(silent):
    with pytest.raises(NotRunning, match=f"Process {silent} holds the lock .* may be ending, .* or hang; .* --force"):
        Client(connect_timeout=MOMENT).__enter__()


async def test_the_async_client_says_so_too(silent):
    with pytest.raises(NotRunning, match=f"Process {silent} holds the lock"):
        await AsyncClient(connect_timeout=MOMENT).__aenter__()


def test_one_that_is_starting_has_no_door_yet(home):
    with another() as process, pytest.raises(NotRunning, match=f"Process {process.pid} .*: it is starting"):
        paths.find_bridge()


def test_another_s_address_is_not_said_to_be_its(silent):
    with pytest.raises(NotRunning) as caught:
        Client(f"unix:{os.getcwd()}/nobody").__enter__()
    assert "holds the lock" not in str(caught.value)
    assert "Start one with `bpy-bridge start`" in str(caught.value)


def test_a_start_says_at_once_that_the_record_of_the_one_that_runs_cannot_be_read(silent):
    paths.record_file().write_text("{" * 100)
    with pytest.raises(
        DaemonError, match=rf"a bridge runs \(process {silent}\), and .*/bridge.json does not say where"
    ):
        start(timeout=5)


def test_one_of_another_name_is_told_of(home, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_NAME", "studio")
    with another():
        monkeypatch.delenv("BPY_BRIDGE_NAME")
        with pytest.raises(NotRunning, match=r"no bridge 'default' is running, but 'studio' is: .* --name studio"):
            paths.find_bridge()


def test_one_that_is_stopped_does_not_end_and_stop_says_why(silent):
    interrupt(silent)
    with pytest.raises(DaemonError, match=f"it is stopped, and `kill -CONT {silent}` lets it go on; --force"):
        stop(timeout=0.05)
