"""Which addresses are served, and whom a socket lets in."""

from __future__ import annotations

import os
import socket
import stat

import pytest

from blender_addon.sockets import AddressRefused, ServerSocket, check_address
from blender_addon.wire.address import Address

LOOPBACK = Address("tcp", host="127.0.0.1", port=0)


def test_tcp_takes_any_free_port_and_tells_it(serve):
    served = serve(address=LOOPBACK, token="secret")
    assert served.address.port > 0
    client = served.client()
    assert client.call("1", "test.echo") == {"value": None}


@pytest.mark.parametrize(
    ("address", "token", "why"),
    [
        (LOOPBACK, None, "token"),
        (Address("tcp", host="0.0.0.0", port=0), "secret", "TLS"),
        (Address("tcp", host="no.invalid", port=0), "x", "no.invalid"),
    ],
)
def test_an_unsafe_address_is_refused(address, token, why):
    with pytest.raises(AddressRefused, match=why):
        check_address(address, token)


@pytest.fixture
def listen():
    opened = []

    def listen(path):
        opened.append(ServerSocket(Address("unix", path=str(path))))
        return opened[-1]

    yield listen
    for server in opened:
        server.close()


def test_a_unix_socket_is_for_its_user_alone(tmp_path, listen):
    listen(tmp_path / "s")
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) & 0o077 == 0


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the peer's user is told on Linux")
@pytest.mark.parametrize(
    ("mode", "same_user", "admitted"), [(0o755, True, True), (0o755, False, False), (0o700, False, True)]
)
def test_the_peers_user_is_checked_outside_a_private_directory(
    tmp_path, listen, monkeypatch, mode, same_user, admitted
):
    tmp_path.chmod(mode)
    server = listen(tmp_path / "s")
    if not same_user:
        monkeypatch.setattr("blender_addon.sockets.os.getuid", lambda: os.geteuid() + 1)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert server.admits(ours) is admitted


def test_a_socket_that_a_dead_server_left_is_replaced(tmp_path, listen):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))
    listen(tmp_path / "s")


def test_a_living_servers_socket_is_not_taken(tmp_path, listen):
    listen(tmp_path / "s")
    with pytest.raises(AddressRefused, match="another server"):
        listen(tmp_path / "s")


def test_a_file_that_is_no_socket_is_not_touched(tmp_path, listen):
    (tmp_path / "s").write_text("precious")
    with pytest.raises(AddressRefused, match="no socket"):
        listen(tmp_path / "s")
    assert (tmp_path / "s").read_text() == "precious"


def test_closing_removes_the_socket_but_not_a_successors(tmp_path):
    path = tmp_path / "s"
    first = ServerSocket(Address("unix", path=str(path)))
    path.unlink()
    second = ServerSocket(Address("unix", path=str(path)))
    first.close()
    assert path.exists()
    second.close()
    assert not path.exists()
