"""Many at once: processes that run `bpy-bridge call` at the same moment, and none of them fails."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .serving import PATIENCE, Served, environment, until

AT_MOST = 120.0


def call_at_once(served: Served, count: int, *arguments: str) -> list[dict[str, Any]]:
    """What so many processes printed; one that fails, or that is not through in time, fails the test."""
    command = [sys.executable, "-m", "bridge", "call", *arguments]
    processes = [
        subprocess.Popen(
            command, env=environment(served.home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    end = time.monotonic() + AT_MOST
    try:
        ended = [(process.communicate(timeout=end - time.monotonic()), process.returncode) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [said for said, code in ended if code != 0] == []
    return [json.loads(out) for (out, _), _ in ended]


@pytest.mark.parametrize("_round", range(3))
def test_20_calls_at_once(client, shared, _round):
    expected = client.call("scene.summary").value
    assert call_at_once(shared, 20, "scene.summary") == [expected] * 20


def test_200_calls_at_once(client, shared):
    expected = client.call("scene.summary").value
    assert call_at_once(shared, 200, "scene.summary") == [expected] * 200


def test_a_bridge_with_room_for_few_serves_many_all_the_same(start):
    """One connection, one waiting: all others are refused as busy, and come again until they are served."""
    narrow = {"BPY_BRIDGE_POOL__MAX_CONNECTIONS": "1", "BPY_BRIDGE_POOL__MAX_WAITING": "1"}
    served = start(settings=narrow)
    answers = call_at_once(served, 20, "code.execute", "code=import time; time.sleep(0.05); result = 1")
    assert [answer["result"] for answer in answers] == [1] * 20


def test_those_who_look_while_blender_works_share_one_look(client, shared, tmp_path):
    """While every connection is in use, 20 who want to see the same wait; then one looks, for all of them."""
    gate, callers = tmp_path / "gate", 20
    hold = f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.01)"

    def ask(method: str, params: dict[str, Any]) -> Any:
        with shared.client() as one:
            return one.call(method, params).value

    def pool() -> dict[str, Any]:
        numbers: dict[str, Any] = client.status()["instances"][0]["pool"]
        return numbers

    expected, before = ask("scene.summary", {}), client.status()["shared"]
    connections = pool()["max_connections"]
    with ThreadPoolExecutor(connections + callers) as threads:
        try:
            for _ in range(connections):
                threads.submit(ask, "code.execute", {"code": hold})
            until(lambda: pool()["leased"] == connections)
            looks = [threads.submit(ask, "scene.summary", {}) for _ in range(callers)]
            until(lambda: pool()["waiting"] == callers)
        finally:
            gate.touch()
        assert [look.result(PATIENCE) for look in looks] == [expected] * callers
    assert client.status()["shared"] - before == callers - 1
