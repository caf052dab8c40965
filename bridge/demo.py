"""The demonstration: a real Blender behind a real bridge, many callers at once, and a picture at the end."""

from __future__ import annotations

import colorsys
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import trio
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .client import AsyncClient, Result
from .errors import EXIT_NO_BLENDER, BridgeError

CALLERS = 16
PICTURE = "bpy-bridge-demo.png"
WIDTH, HEIGHT, SAMPLES = 960, 540, 32

_EYE, _AIM = (0.0, -13.5, 4.6), (0.0, 0.0, 1.75)


class DemoFailed(BridgeError):
    """The demonstration's bridge did not start; the message is what it said."""

    exit_code = EXIT_NO_BLENDER


class Thing(NamedTuple):
    """One object of the scene: how it is created, and what it is made of or how it shines."""

    create: dict[str, Any]
    material: dict[str, Any] | None = None
    update: dict[str, Any] | None = None


def run_demo(out: Path) -> Path:
    """Start a bridge with a Blender of its own, build a scene through it, save the picture under `out`, tell the tale.

    Blocks for about half a minute. Raises DemoFailed or RequestError; the bridge it started is ended in any case.
    """
    console = Console()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bpy-demo-") as home, _bridge(Path(home)) as address:
        console.print(f"bridge and Blender started in {time.perf_counter() - began:.1f} s, at {address}")
        picture = out / PICTURE
        trio.run(_demonstrate, address, picture, console)
    console.print(f"the picture: [bold]{picture}[/bold]")
    return picture


@contextmanager
def _bridge(home: Path) -> Iterator[str]:
    environment = {**os.environ, "BPY_BRIDGE_HOME": str(home)}
    command = [sys.executable, "-m", "bridge", "serve", "--listen", f"unix:{home / 'bridge.sock'}", "--http", "off"]
    with (
        (home / "bridge.log").open("w+") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True) as process,  # noqa: S603  # our own program
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                process.wait()
                log.seek(0)
                raise DemoFailed(f"the bridge did not start:\n{log.read().strip()}")
            yield json.loads(line)["listen"][0]
        finally:
            process.terminate()


async def _demonstrate(address: str, picture: Path, console: Console) -> None:
    things = list(_scene())
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(AsyncClient(address)) for _ in range(CALLERS)]
        began = time.perf_counter()
        await clients[0].call("file.new", {"empty": True}, timeout=60)
        summary = await clients[0].call("scene.summary")
        console.print(f"Blender {summary.value['blender']} answered after {time.perf_counter() - began:.1f} s")
        await clients[0].call("code.execute", {"code": _WORLD})
        seconds = await _build(clients, things, console)
        _report(seconds, len(things), console)
        result = await _render(clients[0], console)
    data = bytes(result.parts["image"].data)
    picture.write_bytes(data)
    value = result.value
    console.print(
        f"rendered {value['width']} by {value['height']} with {value['engine']}, {value['samples']} samples, "
        f"in {value['seconds']:.1f} s; {len(data) / 1024:.0f} KiB came back beside the JSON, not inside it"
    )


async def _build(clients: list[AsyncClient], things: list[Thing], console: Console) -> list[float]:
    """Every caller takes the next thing from the list until none is left; seconds per request."""
    remaining = iter(things)
    seconds: list[float] = []

    async def timed(ask: Callable[[], Awaitable[Result]]) -> Result:
        began = time.perf_counter()
        result = await ask()
        seconds.append(time.perf_counter() - began)
        return result

    with _bar(console) as progress:
        bar = progress.add_task(f"{len(clients)} callers build {len(things)} objects", total=len(things))

        async def caller(client: AsyncClient) -> None:
            for thing in remaining:
                created = await timed(partial(client.call, "object.create", thing.create))
                name = created.value["name"]
                if thing.material is not None:
                    await timed(partial(client.call, "material.set", {"object": name, **thing.material}))
                if thing.update is not None:
                    await timed(partial(client.call, "object.update", {"name": name, **thing.update}))
                progress.advance(bar)

        began = time.perf_counter()
        async with trio.open_nursery() as nursery:
            for client in clients:
                nursery.start_soon(caller, client)
        seconds.insert(0, time.perf_counter() - began)
    return seconds


def _report(seconds: list[float], things: int, console: Console) -> None:
    total, *each = seconds
    each.sort()
    console.print(
        f"{len(each)} requests by {CALLERS} callers over the pool made {things} objects in {total:.2f} s: "
        f"{len(each) / total:.0f} a second, p50 {each[len(each) // 2] * 1e3:.1f} ms, "
        f"p99 {each[int(len(each) * 0.99)] * 1e3:.1f} ms in the queue and in Blender"
    )


async def _render(client: AsyncClient, console: Console) -> Result:
    with _bar(console) as progress:
        bar = progress.add_task("Cycles renders", total=SAMPLES)

        def show(event: dict[str, Any]) -> None:
            if event["event"] == "progress":
                progress.update(bar, completed=event["progress"], total=event["total"])

        params = {"width": WIDTH, "height": HEIGHT, "engine": "cycles", "samples": SAMPLES, "camera": "Demo camera"}
        result = await client.call("render.still", params, timeout=300, on_event=show)
        progress.update(bar, completed=SAMPLES, total=SAMPLES)
    return result


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


# The scene: a gilded Suzanne between two rising strands of solids, before a curved wall of columns.

_WORLD = """
import bpy
world = bpy.data.worlds.new("Demo")
bpy.context.scene.world = world
world.use_nodes = True
background = next(node for node in world.node_tree.nodes if node.type == "BACKGROUND")
background.inputs["Color"].default_value = (0.012, 0.016, 0.035, 1)
"""


def _scene() -> Iterator[Thing]:
    yield Thing(
        {"type": "plane", "name": "Floor", "size": 120.0},
        {"name": "Floor", "base_color": "#20242e", "metallic": 0.3, "roughness": 0.22},
    )
    yield Thing(
        {"type": "monkey", "name": "Suzanne", "size": 2.6, "location": [0, 0, 1.75], "rotation": [-0.25, 0, 0]},
        {"name": "Gold", "base_color": "#ffb52e", "metallic": 1.0, "roughness": 0.18},
        {"smooth": True},
    )
    yield from _strands(28)
    yield from _columns(46)
    yield from _lights()
    yield Thing(
        {"type": "camera", "name": "Demo camera", "location": list(_EYE), "rotation": _look(_EYE, _AIM)},
        update={"lens": 42.0},
    )


def _strands(count: int) -> Iterator[Thing]:
    kinds = ("uv_sphere", "cube", "torus", "ico_sphere", "cone", "cylinder")
    for index in range(count):
        share = index / count
        turn = 2.2 * math.tau * share + (math.pi if index % 2 else 0.0)
        size = 0.55 + 0.35 * math.sin(math.pi * share)
        location = [3.1 * math.cos(turn), 3.1 * math.sin(turn), 0.45 + 4.1 * share]
        kind = kinds[index % len(kinds)]
        rotation = [0.6 * turn, 0.4 * turn, turn]
        yield Thing(
            {"type": kind, "name": f"Strand {index}", "location": location, "rotation": rotation, "size": size},
            {
                "name": f"Strand {index}",
                "base_color": [*colorsys.hsv_to_rgb(share, 0.75, 0.9)],
                "metallic": float(index % 3 == 0),
                "roughness": 0.15 + 0.3 * (index % 2),
            },
            {"smooth": True} if kind in ("uv_sphere", "torus") else None,
        )


def _columns(count: int) -> Iterator[Thing]:
    for index in range(count):
        share = index / (count - 1)
        angle = math.pi * (0.06 + 0.88 * share)
        height = 2.2 + 1.5 * math.sin(share * math.tau * 2.5) ** 2 + 1.6 * math.sin(math.pi * share)
        location = [9.5 * math.cos(angle), 7.5 * math.sin(angle), height / 2]
        yield Thing(
            {
                "type": "cube",
                "name": f"Column {index}",
                "size": 1.0,
                "location": location,
                "scale": [0.42, 0.42, height],
            },
            {
                "name": f"Column {index}",
                "base_color": [*colorsys.hsv_to_rgb(0.55 + 0.35 * share, 0.7, 0.55)],
                "metallic": 0.2,
                "roughness": 0.35,
            },
        )


def _lights() -> Iterator[Thing]:
    for name, location, size, energy, color in (
        ("Key", (-6.0, -7.0, 8.0), 4.0, 1100.0, (1.0, 0.86, 0.68)),
        ("Fill", (8.0, -5.0, 5.0), 5.0, 420.0, (0.45, 0.65, 1.0)),
        ("Rim", (0.0, 6.0, 8.5), 3.0, 1000.0, (1.0, 0.4, 0.75)),
    ):
        yield Thing(
            {
                "type": "light_area",
                "name": name,
                "location": list(location),
                "rotation": _look(location, _AIM),
                "size": size,
            },
            update={"energy": energy, "color": list(color)},
        )


def _look(eye: tuple[float, float, float], aim: tuple[float, float, float]) -> list[float]:
    """Euler angles (XYZ, radians) that turn a camera's or a light's -Z towards `aim`, with +Z up."""
    x, y, z = (to - here for here, to in zip(eye, aim, strict=True))
    return [math.atan2(math.hypot(x, y), -z), 0.0, math.atan2(y, x) - math.pi / 2]
