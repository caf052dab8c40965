"""The relay between a client and a door: what passes, what it says itself, and how it ends."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from bridge import __version__

from .relayed import a_door, relayed

INITIALIZE = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def request(number, method="tools/call", **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def answer(number, **result):
    return {"jsonrpc": "2.0", "id": number, "result": result}


@pytest.fixture
def door(home):
    with a_door(home) as door:
        yield door


@pytest.mark.parametrize(
    ("flags", "tools", "instance"),
    [((), "core", None), (("--tools", "full"), "full", None), (("--tools=scene,mesh",), "scene,mesh", None),
     (("--instance", 'a "b" \\c'), "core", 'a "b" \\c'), (("--instance=é€𝄞",), "core", "é€𝄞")],
)  # fmt: skip
def test_it_introduces_itself_by_its_flags(home, door, flags, tools, instance):
    with relayed(home, *flags):
        said = door.accept().preface
        assert said == {
            "bpy_bridge": 1, "tools": tools, "instance": instance, "client_version": __version__, "token": None,
        }  # fmt: skip


def test_lines_pass_as_they_are_both_ways(home, door):
    with relayed(home) as client:
        bridge = door.accept()
        for line in (b'{"id":1, "method": "ping"}\n', b"garbage\n", b"\xff\xfe\n", b"[" * 10_000 + b"\n"):
            client.say(line)
            assert bridge.reading.readline() == line
            bridge.say(line)
            assert client.reading.readline() == line
        assert client.leave() == 0
        assert bridge.hear() is None


def test_large_lines_pass_both_ways_at_once(home, door):
    large = b'{"x": "' + b"x" * 12_000_000 + b'"}\n'
    with relayed(home) as client:
        bridge = door.accept()
        heard = []
        threads = [
            threading.Thread(target=client.say, args=(large,)),
            threading.Thread(target=bridge.say, args=(large,)),
            threading.Thread(target=lambda: heard.append(client.reading.readline())),
        ]
        for thread in threads:
            thread.start()
        assert bridge.reading.readline() == large
        for thread in threads:
            thread.join()
        assert heard == [large]


def test_a_line_without_an_end_takes_no_memory_without_end(home, door):
    with relayed(home) as client:
        bridge = door.accept()
        writing = threading.Thread(target=client.say, args=(b"x" * (40 << 20) + b"\n",))
        writing.start()
        assert len(bridge.reading.readline()) == (40 << 20) + 1
        writing.join()
        client.say(request(1))
        assert bridge.hear() == request(1)


def test_who_writes_without_reading_does_not_bring_it_to_a_stand(home, door):
    """The bridge does not read while the client does not: each waits for the other, and the relay for none."""
    with relayed(home) as client:
        bridge = door.accept()
        filler = b'{"x": "' + b"x" * 1_000_000 + b'"}\n'
        threads = [threading.Thread(target=talk.say, args=(filler * 5,)) for talk in (client, bridge)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            assert client.reading.readline() == filler
        for _ in range(5):
            assert bridge.reading.readline() == filler
        for thread in threads:
            thread.join()


def test_a_refusal_is_one_line_for_people_an_answer_for_the_client_and_the_end(home, door):
    with relayed(home, "--tools", "nonsense") as client:
        bridge = door.accept()
        client.say(INITIALIZE)
        assert bridge.hear() == INITIALIZE
        bridge.say({"error": "tools: there is no family 'nonsense'\nat all", "exit_code": 5})
        message = client.hear()
        assert (message["id"], message["error"]["data"]["outcome"]) == (0, "not_executed")
        assert "nonsense" in message["error"]["message"]
        assert client.complaint == "bpy-bridge mcp: tools: there is no family 'nonsense' at all\n"
        assert client.process.returncode == 5


def lose(client, bridge):
    """The bridge goes with a call and a listing in flight."""
    client.say(INITIALIZE)
    bridge.hear()
    bridge.say(answer(0))
    assert client.hear() == answer(0)
    client.say(INITIALIZED)
    for message in (request("call"), request(7, "tools/list"), request("done"), request("cancelled")):
        client.say(message)
    client.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "cancelled"}})
    for _ in range(6):
        bridge.hear()
    bridge.say(answer("done"))
    assert client.hear() == answer("done")
    bridge.close()


def test_what_was_in_flight_when_the_bridge_went_is_answered_with_what_is_known_of_it(home, door):
    with relayed(home) as client:
        lose(client, door.accept())
        told = {message["id"]: message["error"]["data"] for message in (client.hear(), client.hear())}
        assert told == {
            "call": {"outcome": "unknown", "retryable": False},
            7: {"outcome": "not_executed", "retryable": True},
        }


def test_at_the_next_request_it_joins_the_next_bridge_and_greets_it_as_the_client_did(home, door):
    with relayed(home) as client:
        lose(client, door.accept())
        client.hear(), client.hear()
        client.say(request("again"))
        bridge = door.accept()
        assert bridge.preface["tools"] == "core"
        assert [bridge.hear() for _ in range(3)] == [INITIALIZE, INITIALIZED, request("again")]
        bridge.say(answer(0))
        bridge.say(answer("again"))
        assert client.hear()["method"] == "notifications/tools/list_changed"
        assert client.hear() == answer("again")
        client.say(request(0))
        bridge.hear()
        bridge.say(answer(0))
        assert client.hear() == answer(0)


def test_without_a_bridge_pings_are_answered_and_notifications_start_nothing(home, door):
    with relayed(home) as client:
        lose(client, door.accept())
        client.hear(), client.hear()
        door.close()
        client.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3}})
        client.say(answer(4))
        client.say(b"garbage\n")
        client.say(request(5, "ping"))
        assert client.hear() == answer(5)
        assert not (home / "bridge.lock").exists()
        assert client.leave() == 0


def test_it_goes_when_its_client_no_longer_reads(home, door):
    with relayed(home) as client:
        bridge = door.accept()
        client.process.stdout.close()
        bridge.say(answer(1))
        assert client.process.wait(20) == 0


@pytest.mark.parametrize("flags", [("--nonsense",), ("--tools",), ("--tools=",)])
def test_flags_that_make_no_sense_are_one_line_and_exit_code_2(home, flags):
    with relayed(home, *flags) as client:
        assert client.complaint.count("\n") == 1
        assert client.process.returncode == 2


@pytest.mark.parametrize("name", ["../x", "a/b", "-x", "x" * 65, "é", "."])
def test_a_name_that_is_none_is_one_line_and_exit_code_2(home, door, name):
    with relayed(home, f"--name={name}") as client:
        assert "is no name for a bridge" in client.complaint
        assert client.process.returncode == 2
        assert client.complaint.count("\n") <= 1


def test_where_no_bridge_can_be_had_that_is_one_line_and_its_exit_code(tmp_path):
    (tmp_path / "file").write_text("no directory")
    with relayed(tmp_path / "file") as client:
        complaint = client.complaint
        assert complaint.startswith("bpy-bridge mcp: ")
        assert complaint.count("\n") == 1
        assert client.process.returncode == 2


def test_help_is_for_people(home):
    with relayed(home, "--help") as client:
        assert b"usage: bpy-bridge mcp" in client.reading.read()
        assert client.process.wait(20) == 0


def test_it_imports_next_to_nothing():
    code = "import sys; before = set(sys.modules); import bridge.relay; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stdout.split() if not name.startswith("_")}
    ours = {"bridge", "bridge.relay", "bridge.relay.messages", "bridge.relay.reaching", "bridge.relay.relaying"}
    assert loaded - ours <= {
        "socket", "threading", "selectors", "select", "enum", "types", "collections", "collections.abc", "functools",
        "operator", "keyword", "reprlib", "itertools", "array", "math", "errno", "importlib", "importlib._bootstrap",
        "importlib._bootstrap_external", "warnings",
    }  # fmt: skip
