"""bpy-bridge pool."""

from __future__ import annotations

import json
import os
import signal
import threading

import pytest

from blender_addon.wire import Fault

from .conftest import POOL


def test_show_is_a_table_of_all_pools(bridge, run):
    bridge.answers["bridge.pools"] = [POOL, {**POOL, "name": "farm", "state": "open", "last_error": "nobody listens"}]
    code, out, _ = run("pool", "show")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == [
        "instance", "state", "leased", "idle", "connecting", "checking", "waiting", "oldest",
    ]  # fmt: skip
    assert lines[1].split() == ["studio", "paused", "1/4", "2", "0", "0", "3", "0.2", "s"]
    assert lines[2].startswith("farm")
    assert lines[3:] == ["farm: nobody listens"]


def test_show_with_json_is_what_the_bridge_answers(bridge, run):
    code, out, _ = run("pool", "show", "--json")
    assert (code, json.loads(out)) == (0, [POOL])


@pytest.mark.parametrize("action", ["pause", "resume", "drain", "reconnect"])
def test_control_calls_the_bridge_s_method_and_says_what_is_now_true(bridge, run, action):
    assert run("pool", action) == (0, "studio: paused; 1 leased, 3 waiting, of 4\n", "")
    method, params, envelope = bridge.requests.get_nowait()
    assert (method, params, envelope.instance) == (f"bridge.{action}", {}, None)


def test_resize_sends_the_number(bridge, run):
    assert run("pool", "resize", "7")[0] == 0
    assert bridge.requests.get_nowait()[:2] == ("bridge.resize", {"max_connections": 7})


@pytest.mark.parametrize("argv", [[], ["resize"], ["resize", "many"], ["pause", "7"], ["drain", "--timeout", "-1"]])
def test_wrong_usage_is_exit_code_2(run, argv):
    code, out, err = run("pool", *argv)
    assert (code, out) == (2, "")
    assert err.startswith("usage: bpy-bridge pool")


def test_a_number_that_the_bridge_refuses_is_explained_by_it(bridge, run):
    problem = {"param": "max_connections", "problem": "expected a whole number from 1 to 64, got 0"}
    bridge.answers["bridge.resize"] = Fault("invalid_params", "no", data={"problems": [problem]})
    code, _, err = run("pool", "resize", "0")
    assert code == 4
    assert "from 1 to 64, got 0" in err


@pytest.mark.parametrize("action", ["show", "pause", "resume", "drain", "reconnect"])
def test_the_instance_goes_with_the_request(bridge, run, action):
    run("pool", action, "--instance", "farm")
    assert bridge.requests.get_nowait()[2].instance == "farm"


def test_control_with_json_is_the_pool_as_the_bridge_answers(bridge, run):
    code, out, _ = run("pool", "pause", "--json")
    assert (code, json.loads(out)) == (0, POOL)


def test_what_the_bridge_says_does_not_drive_the_terminal(bridge, run):
    bridge.answers["bridge.pause"] = {**POOL, "name": "\x1b[2J"}
    assert "\x1b" not in run("pool", "pause")[1]


def test_the_time_that_a_drain_may_take_is_its_deadline(bridge, run):
    run("pool", "drain", "--timeout", "12")
    assert bridge.requests.get_nowait()[2].deadline == pytest.approx(12, abs=1)


def test_a_drain_that_is_out_of_time_is_exit_code_5_and_says_what_is_in_flight(bridge, run):
    bridge.answers["bridge.drain"] = Fault("timeout", "studio is not drained yet: 1 in flight", outcome="failed")
    code, out, err = run("pool", "drain", "--timeout", "1")
    assert (code, out) == (5, "")
    assert "1 in flight" in err


def test_a_drain_that_is_interrupted_says_that_it_goes_on(bridge, run):
    bridge.answers.update({"bridge.drain": "wait", "bridge.pools": [{**POOL, "state": "draining"}]})

    def interrupt() -> None:
        bridge.requests.get(timeout=60)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    code, out, err = run("pool", "drain")
    thread.join(60)
    assert (code, out) == (130, "")
    assert "studio: draining; 1 leased, 3 waiting, of 4; it goes on draining until `bpy-bridge pool resume`" in err


def test_no_bridge_is_exit_code_6(run):
    assert run("pool", "show")[0] == 6
