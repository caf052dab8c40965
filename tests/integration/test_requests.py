"""Requests from tools through the bridge to a real Blender."""

from __future__ import annotations

import array
import threading

import pytest
import trio

from blender_addon.wire import Part
from bridge.client import AsyncClient
from bridge.errors import ExecutionFailed, Refused, RequestCancelled, TimedOut

from .serving import PATIENCE

pytestmark = pytest.mark.blender

COUNT = "import bpy\nresult = len(bpy.data.objects)"


def test_64_callers_times_50_requests_each_get_their_own_answers(shared):
    answered = []

    async def caller(client: AsyncClient, number: int) -> None:
        for i in range(50):
            result = await client.call("code.execute", {"code": f"result = [{number}, {i}, 'x' * {i}]"})
            assert result.value["result"] == [number, i, "x" * i]
            answered.append(number)

    async def all_callers() -> None:
        with trio.fail_after(2 * PATIENCE):
            async with AsyncClient(shared.address) as one, AsyncClient(shared.address) as other:
                async with trio.open_nursery() as nursery:
                    for number in range(64):
                        nursery.start_soon(caller, one if number % 2 else other, number)

    trio.run(all_callers)
    assert len(answered) == 64 * 50


def test_the_interpreter_s_errors_come_back_as_they_were(client):
    with pytest.raises(ExecutionFailed) as caught:
        client.call("code.execute", {"code": "print('before')\n1 / 0"})
    assert caught.value.outcome == "failed"
    assert caught.value.data["type"] == "ZeroDivisionError"
    assert "line 2" in caught.value.data["traceback"]


def test_a_missing_object_comes_with_the_nearest(client):
    with pytest.raises(Refused) as caught:
        client.call("object.get", {"name": "Cub"})
    assert (caught.value.code, caught.value.data["nearest"][0]) == ("invalid_params", "Cube")


def test_a_deadline_interrupts_python_that_sleeps(client):
    sleep = "import time, bpy\ntime.sleep(600)\nbpy.ops.object.empty_add()"
    before = client.call("code.execute", {"code": COUNT}).value["result"]
    with pytest.raises(TimedOut) as caught:
        client.call("code.execute", {"code": sleep}, timeout=0.5)
    assert caught.value.outcome == "unknown"
    assert client.call("code.execute", {"code": COUNT}).value["result"] == before


def test_what_is_cancelled_while_it_waits_never_runs(client, shared, tmp_path):
    gate, marker = tmp_path / "gate", tmp_path / "marker"
    hold = f"""
import os, time
open({str(tmp_path / "held")!r}, "w").close()
while not os.path.exists({str(gate)!r}):
    time.sleep(0.01)
"""
    mark = f"open({str(marker)!r}, 'w').close()"

    async def scenario() -> None:
        with trio.fail_after(PATIENCE):
            async with AsyncClient(shared.address) as tool, trio.open_nursery() as nursery:
                nursery.start_soon(tool.call, "code.execute", {"code": hold})
                while not (tmp_path / "held").exists():
                    await trio.sleep(0.01)
                # More than there are connections: some wait in the bridge, some in Blender.
                async with trio.open_nursery() as waiting:
                    for _ in range(8):
                        waiting.start_soon(tool.call, "code.execute", {"code": mark})
                    while (await tool.status())["instances"][0]["pool"]["waiting"] < 5:
                        await trio.sleep(0.01)
                    waiting.cancel_scope.cancel()
                gate.touch()
            async with AsyncClient(shared.address) as tool:
                await tool.call("scene.summary")

    trio.run(scenario)
    assert not marker.exists()


def test_what_is_cancelled_while_it_runs_stops(client):
    errors = []

    def run() -> None:
        try:
            client.call("code.execute", {"code": "while True: pass"})
        except RequestCancelled as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    with_patience = threading.Event()
    while not client.cancel():
        with_patience.wait(0.01)
    thread.join(PATIENCE)
    assert [error.code for error in errors] == ["cancelled"]


def test_a_picture_comes_as_a_part_with_progress_on_the_way(client):
    progress = []
    settings = {"width": 96, "height": 64, "engine": "cycles", "samples": 16}
    result = client.call("render.still", settings, on_event=progress.append)
    assert bytes(result.parts["image"].data[:8]) == b"\x89PNG\r\n\x1a\n"
    assert {event["event"] for event in progress} == {"progress"}
    assert progress[-1]["progress"] == progress[-1]["total"]


def test_a_ping_is_answered_while_blender_renders(client, shared):
    rendering = threading.Event()
    settings = {"width": 640, "height": 360, "engine": "cycles", "samples": 512}

    def render() -> None:
        client.call("render.still", settings, on_event=lambda event: rendering.set())

    thread = threading.Thread(target=render)
    thread.start()
    assert rendering.wait(PATIENCE)
    with shared.client() as other:
        assert other.ping()["ready"] == 1
        assert thread.is_alive()
    thread.join(PATIENCE)


def test_a_mesh_of_a_million_vertices_goes_there_and_back_unchanged(client):
    count = 1_000_000
    co = array.array("f", (i / 7 for i in range(3 * count))).tobytes()
    loops = array.array("i", range(3 * 1000)).tobytes()
    faces = array.array("i", [3] * 1000).tobytes()
    written = {
        "co": Part(co, dtype="<f4", shape=(count, 3)),
        "loops": Part(loops, dtype="<i4"),
        "faces": Part(faces, dtype="<i4"),
    }
    given = {"co": "co", "loop_vertex_index": "loops", "face_sizes": "faces"}
    params = {"name": "Large", **{name: {"$part": part} for name, part in given.items()}}
    client.call("mesh.write", params, parts=written)
    read = client.call("mesh.read", {"object": "Large", "attributes": ["co", "loop_vertex_index", "face_sizes"]})
    assert (read.value["vertices"], read.value["faces"]) == (count, 1000)
    assert bytes(read.parts["co"].data) == co
    assert bytes(read.parts["loop_vertex_index"].data) == loops
    assert bytes(read.parts["face_sizes"].data) == faces
