"""Where the bridge listens, and what is said where it cannot."""

from __future__ import annotations

import os
import socket
import stat

import pytest

from bridge.errors import ConfigurationError
from bridge.listeners import open_listener, same_user


def test_a_unix_socket_is_its_owner_s_alone_and_goes_with_the_listener(tmp_path):
    path = tmp_path / "b.sock"
    listener = open_listener(f"unix:{path}")
    assert listener.address == f"unix:{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    listener.close()
    assert not path.exists()


def test_a_second_close_leaves_the_path_to_whoever_has_it_now(tmp_path):
    listener = open_listener(f"unix:{tmp_path / 'b.sock'}")
    listener.close()
    successor = open_listener(f"unix:{tmp_path / 'b.sock'}")
    listener.close()
    assert (tmp_path / "b.sock").exists()
    successor.close()


def test_a_socket_that_was_left_behind_is_replaced(tmp_path):
    path = tmp_path / "b.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    open_listener(f"unix:{path}").close()


def test_a_socket_that_somebody_listens_at_stays_theirs(tmp_path):
    first = open_listener(f"unix:{tmp_path / 'b.sock'}")
    with pytest.raises(ConfigurationError, match="another program listens there"):
        open_listener(f"unix:{tmp_path / 'b.sock'}")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "b.sock"))
    first.close()


def test_a_file_that_is_no_socket_is_not_touched(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(ConfigurationError, match="is no socket"):
        open_listener(f"unix:{path}")
    assert path.read_text() == "mine"


def test_a_directory_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="No such file or directory"):
        open_listener(f"unix:{tmp_path}/nowhere/b.sock")


def test_a_socket_that_goes_away_while_it_is_looked_at_is_no_obstacle(tmp_path, monkeypatch):
    path = tmp_path / "b.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    connect = socket.socket.connect

    def vanish(probe, where):
        path.unlink()
        connect(probe, where)

    monkeypatch.setattr(socket.socket, "connect", vanish)
    open_listener(f"unix:{path}").close()


def test_tcp_port_0_is_any_free_one():
    listener = open_listener("tcp:127.0.0.1:0")
    port = int(listener.address.rpartition(":")[2])
    assert port > 0
    with socket.create_connection(("127.0.0.1", port)):
        pass
    listener.close()


def test_an_ipv6_address_is_written_in_brackets():
    try:
        listener = open_listener("tcp:[::1]:0")
    except ConfigurationError:
        pytest.skip("there is no IPv6 here")
    assert listener.address.startswith("tcp:[::1]:")
    listener.close()


def test_a_taken_port_is_a_clear_error():
    first = open_listener("tcp:127.0.0.1:0")
    with pytest.raises(ConfigurationError, match="another program listens there"):
        open_listener(first.address)
    first.close()


@pytest.mark.parametrize("address", ["nonsense", "tcp:127.0.0.1", "unix:"])
def test_what_is_no_address_shows_one(address):
    with pytest.raises(ConfigurationError, match="unix:/"):
        open_listener(address)


def test_a_host_that_does_not_resolve_is_named():
    with pytest.raises(ConfigurationError, match="cannot listen at tcp:no-such-host"):
        open_listener("tcp:no-such-host.invalid:1")


def test_the_peer_of_a_unix_socket_must_be_the_same_user(monkeypatch):
    one, other = socket.socketpair()
    with one, other:
        assert same_user(one)
        monkeypatch.setattr(os, "getuid", lambda: 12_345)
        assert same_user(one) == (os.geteuid() == 0), "root may come in"


def test_a_tcp_peer_is_not_asked_for_its_user():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert same_user(client)
