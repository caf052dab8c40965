"""bpy-bridge trace, in a process of its own, beside a real bridge with a real Blender."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bridge.client import Client

from .serving import PATIENCE, Served, environment

pytestmark = pytest.mark.blender


@contextmanager
def tracing(served: Served, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`bpy-bridge trace --json` that watches already."""
    command = [sys.executable, "-m", "bridge", "trace", "--json", "--bridge", served.address, *arguments]
    process = subprocess.Popen(
        command, env=environment(served.home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        assert "watching" in process.stderr.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def frames(process: subprocess.Popen[str], count: int) -> list[dict[str, Any]]:
    assert process.stdout is not None
    return [json.loads(process.stdout.readline()) for _ in range(count)]


def test_a_request_to_blender_is_seen_on_both_hops_and_ctrl_c_ends_the_trace(shared: Served, client: Client):
    with tracing(shared, "--method", "scene.summary") as process:
        client.call("scene.summary")
        shown = frames(process, 4)
        assert [(record["hop"], record["envelope"]["kind"]) for record in shown] == [
            ("client", "request"),
            ("blender", "request"),
            ("blender", "response"),
            ("client", "response"),
        ]
        assert shown[1]["instance"] == "default"
        assert shown[1]["connection"].startswith("default-")
        assert shown[2]["payload_length"] == shown[3]["payload_length"] > 100
        assert "payload" not in shown[2]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


def test_with_payloads_what_blender_says_can_be_read(shared: Served, client: Client):
    with tracing(shared, "--method", "code.execute", "--payloads") as process:
        client.call("code.execute", {"code": "print('from Blender')"})
        shown = frames(process, 4)
        assert "from Blender" in shown[0]["payload"]
        assert "from Blender" in shown[2]["payload"]


def test_a_burst_is_shown_or_the_loss_is_told(shared: Served, client: Client):
    with tracing(shared, "--method", "bridge.instances") as process:
        for _ in range(2000):
            client.call("bridge.instances")
        accounted = 0
        while accounted < 4000:
            [record] = frames(process, 1)
            accounted += record.get("dropped", 0) + ("envelope" in record)
        assert accounted == 4000


def test_with_a_token_neither_it_nor_a_proof_is_ever_shown(start: Any):
    served = start("--listen", "tcp:127.0.0.1:0")
    token = (served.home / "token").read_text().strip()
    with tracing(served, "--payloads", "--connection", "c2") as process:
        with Client(served.address, token=token) as client:
            client.call("code.execute", {"code": f"print({token!r})"})
        shown = frames(process, 6)
    kinds = [record["envelope"]["kind"] for record in shown]
    assert kinds[:4] == ["hello", "challenge", "auth", "welcome"]
    assert shown[1]["envelope"]["proof"] == shown[2]["envelope"]["proof"] == "•••"
    assert token not in json.dumps(shown)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_when_the_bridge_goes_away_so_does_the_trace_with_exit_code_6(start: Any, number: int):
    served = start()
    with tracing(served) as process:
        served.process.send_signal(number)
        assert process.wait(PATIENCE) == 6
        assert process.stderr is not None
        assert "bridge" in process.stderr.read()
        assert served.process.wait(PATIENCE) == (0 if number == signal.SIGTERM else -number)
