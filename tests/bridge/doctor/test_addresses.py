"""The doors: free, our own, or somebody else's."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from bridge import paths
from bridge.doctor.addresses import doors


@pytest.fixture
def door(place):
    """door(address): what is found of it."""

    def door(address):
        [finding] = doors(place(listen=[address], http="off"))
        return finding

    return door


@pytest.fixture
def our_bridge(private):
    """This process is the bridge: it has the lock and the record."""
    lock = paths.Lock.take(paths.lock_file())
    pid = os.getpid()
    paths.write_record(paths.Record(pid, paths.process_start(pid), "1", [paths.default_address()]))
    yield
    paths.remove_record()
    lock.release()


def me():
    return f"process {os.getpid()} ("


def test_free_addresses_are_free(door, private):
    assert door(f"unix:{private}/bridge.sock").what == f"unix:{private}/bridge.sock is free"
    assert door("tcp:127.0.0.1:0").level == "ok"


def test_the_runtime_directory_need_not_exist(door, home):
    assert door(f"unix:{home}/bridge.sock").level == "ok"


def test_a_taken_port_is_found_with_who_has_it(door, squatter):
    port = squatter().port
    finding = door(f"tcp:127.0.0.1:{port}")
    assert finding.level == "broken"
    assert finding.what.startswith(f"tcp:127.0.0.1:{port} is taken by {me()}")
    assert finding.fix == f"end process {os.getpid()}, or choose another with --listen unix:/path or tcp:127.0.0.1:PORT"


def test_so_is_the_http_doors(place, squatter):
    port = squatter().port
    finding = list(doors(place(listen=["tcp:127.0.0.1:0"], http=f"tcp:127.0.0.1:{port}")))[1]
    assert (finding.level, "--http off" in finding.fix) == ("broken", True)


def test_a_port_that_was_used_a_moment_ago_is_free(door, squatter):
    one = squatter(lambda data: data)
    with socket.create_connection(("127.0.0.1", one.port)) as sock:
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
    assert door(f"tcp:127.0.0.1:{port}").level == "ok"


def test_a_taken_socket_is_found_with_who_has_it(door, private):
    with closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.bind(f"{private}/x.sock")
        sock.listen()
        finding = door(f"unix:{private}/x.sock")
    assert (finding.level, me() in finding.what) == ("broken", True)


def test_our_own_bridges_doors_are_fine(door, private, our_bridge, squatter):
    with closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.bind(f"{private}/bridge.sock")
        sock.listen()
        finding = door(f"unix:{private}/bridge.sock")
    assert finding.level == "ok"
    assert f"is open: the bridge 'default', {me()}" in finding.what
    assert door(f"tcp:127.0.0.1:{squatter().port}").level == "ok"


def test_another_programs_door_is_found_while_our_bridge_runs(door, our_bridge):
    listen = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", listen], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        finding = door(f"tcp:127.0.0.1:{int(other.stdout.readline())}")
        other.communicate(b"\n")
    assert (finding.level, f"is taken by process {other.pid} (" in finding.what) == ("broken", True)


def test_a_stale_socket_is_free_since_the_bridge_replaces_it(door, stale_socket):
    assert door(f"unix:{stale_socket('x.sock')}").level == "ok"


def test_a_file_in_a_sockets_place_is_found(door, private):
    (private / "x.sock").touch()
    finding = door(f"unix:{private}/x.sock")
    assert (finding.level, finding.what.split(": ")[-1]) == ("broken", f"{private}/x.sock is there and is no socket")


def test_a_directory_that_does_not_exist_is_found(door, tmp_path):
    finding = door(f"unix:{tmp_path}/no/x.sock")
    assert (finding.level, f"the directory {tmp_path}/no does not exist" in finding.what) == ("broken", True)
