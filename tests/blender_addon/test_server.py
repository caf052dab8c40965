"""One Blender, served: what a start brings, and that an end leaves nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading

import pytest

from blender_addon import server as server_module
from blender_addon.application import Blender
from blender_addon.descriptor import parse
from blender_addon.pump import BlockingPump
from blender_addon.server import Server, private_door
from blender_addon.version import VERSION
from blender_addon.wire.address import Address, parse_address
from tests.blender_addon.serving import PATIENCE, Application, Client, CooperativeInterrupter
from tests.blender_addon.stand_in import all_handlers, bpy_without_blender


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_HOME", str(tmp_path))
    return tmp_path / "blenders"


@pytest.fixture
def application(monkeypatch):
    application = Application()
    monkeypatch.setattr(server_module, "CATALOGUE", application.catalogue)
    # Where there is a Blender after all, it is not this one.
    monkeypatch.setattr("blender_addon.undo.step", lambda name: None)
    return application


@pytest.fixture
def bpy():
    return bpy_without_blender()


class Driven:
    """A server whose pump runs on a thread, as if that were the main one."""

    def __init__(self, server):
        self.server = server
        self.returned = None
        self.clients = []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        BlockingPump(self.server.pump, self.server.perform).run()
        self.returned = self.server.stop("over")

    def client(self):
        self.clients.append(Client(parse_address(self.server.address), token="secret"))
        return self.clients[-1]

    def join(self):
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()

    def close(self):
        self.server.leave("the test is over")
        self.join()
        for client in self.clients:
            client.close()


@pytest.fixture
def serve(home, application, bpy):
    driven = []

    def serve(name="", door=None):
        door = door or private_door("secret")
        server = Server(Blender(bpy), door, name=name, interrupter=CooperativeInterrupter())
        server.start()
        driven.append(Driven(server))
        return driven[-1]

    yield serve
    application.gate.set()
    for one in driven:
        one.close()


def ours():
    return [thread for thread in threading.enumerate() if thread.name.startswith("bpy-bridge")]


def test_it_answers_where_its_descriptor_says(serve, home):
    serve("studio")
    (file,) = home.glob("*.json")
    said = parse(file.read_bytes())
    assert (said.name, said.token, said.pid, said.blender) == ("studio", "secret", os.getpid(), "0.0.0")
    with contextlib.closing(Client(parse_address(said.address), token=said.token)) as client:
        assert client.call("1", "test.echo", {"value": 1}) == {"value": 1}


def test_nobody_is_told_where_it_has_no_name(serve, home):
    served = serve(None)
    assert list(home.glob("*.json")) == []
    assert served.client().call("1", "test.echo") == {"value": None}


def test_it_says_which_add_on_it_is(serve):
    client = serve().client()
    assert client.opened.peer == ("bpy-bridge add-on", VERSION)


def test_an_end_leaves_no_thread_no_file_and_no_handler(serve, home, bpy):
    served = serve()
    client = served.client()
    client.call("1", "test.echo")
    assert ours()
    served.server.leave("told to end")
    served.join()
    assert client.receive()[0].reason == "told to end"
    assert client.at_end()
    assert (ours(), list(home.iterdir()), all_handlers(bpy)) == ([], [], [])


def test_it_can_be_stopped_any_number_of_times(serve):
    served = serve()
    served.server.leave("once")
    served.join()
    assert served.server.stop("twice")
    assert served.server.stop("thrice")


def test_one_that_was_never_started_can_be_stopped(home, application, bpy):
    server = Server(Blender(bpy), private_door(None), name="", interrupter=CooperativeInterrupter())
    assert server.stop("never mind")
    assert (ours(), list(home.iterdir()), all_handlers(bpy)) == ([], [], [])


def test_a_command_that_stops_its_own_server_is_answered(serve, application, home):
    served = serve()
    returned = []

    @application.catalogue.command("test.stop")
    def stop() -> object:
        """Stop what runs this."""
        returned.append(served.server.stop("from inside"))
        return {"stopped": list(map(str, home.glob("*.json")))}

    client = served.client()
    assert client.call("1", "test.stop") == {"stopped": []}
    served.join()
    assert (returned, served.returned) == ([False], True)
    assert (ours(), list(home.iterdir())) == ([], [])


def test_a_stop_hangs_up_on_those_who_do_not_read(serve, monkeypatch):
    monkeypatch.setattr(server_module, "FAREWELL_SECONDS", 0.05)
    served = serve()
    stalled = served.client()
    stalled.send("1", "test.blob", {"size": 50_000_000})
    served.client().call("2", "test.echo")
    served.server.leave("told to")
    served.join()
    assert ours() == []


def test_who_is_connected_is_known(serve):
    served = serve()
    assert served.server.clients() == []
    served.client()
    served.client()
    assert [(client.name, client.version) for client in served.server.clients()] == [("client", "1")] * 2
    assert served.server.clients() == sorted(served.server.clients(), key=lambda client: client.since)


def test_what_runs_can_be_cancelled_from_here(serve, application):
    served = serve()
    assert not served.server.cancel_running()
    client = served.client()
    client.send("1", "test.wait")
    assert application.started.acquire(timeout=PATIENCE)
    assert served.server.cancel_running()
    assert client.response()[1]["code"] == "cancelled"


def test_the_journal_is_at_hand(serve):
    served = serve()
    client = served.client()
    client.call("1", "test.fail", {"kind": "value"})
    client.call("2", "test.echo")
    assert served.server.journal.entries()[-1].outcome == "execution_failed"


def test_where_it_cannot_be_announced_nothing_is_left(home, application, bpy, tmp_path):
    door = private_door(None)
    server = Server(Blender(bpy), door, name="", interrupter=CooperativeInterrupter())
    for path in home.iterdir():
        path.unlink()
    home.rmdir()
    home.write_text("in the way")
    with pytest.raises(OSError, match="announce"):
        server.start()
    assert (ours(), all_handlers(bpy)) == ([], [])


def test_without_a_private_unix_socket_it_is_loopback_and_a_token(home, monkeypatch):
    monkeypatch.setattr(server_module, "private_socket", lambda boot: None)
    door = private_door()
    assert door.address == Address("tcp", host="127.0.0.1")
    assert len(door.token) == 64
    assert private_door().token != door.token


def test_its_files_can_be_removed_on_the_spot(serve, home):
    served = serve()
    served.server.vanish()
    assert list(home.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals to a thread are POSIX")
def test_the_signal_that_interrupts_is_put_back(home, application, bpy):
    before = signal.getsignal(signal.SIGUSR1)
    server = Server(Blender(bpy), private_door(None), name="")
    server.start()
    assert signal.getsignal(signal.SIGUSR1) != before
    server.stop("over")
    assert signal.getsignal(signal.SIGUSR1) == before


def test_its_address_is_free_afterwards(serve, tmp_path):
    path = tmp_path / "again.sock"
    door = private_door("secret")._replace(address=Address("unix", path=str(path)))
    served = serve(door=door)
    served.server.leave("told to")
    served.join()
    with socket.socket(socket.AF_UNIX) as again:
        again.bind(str(path))
