"""export: a scene in another program's format."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from blender_addon.constraints import Size
from bridge.jobs.work import Work

from .catalogue import kind
from .parameters import Blend, Seconds
from .scene import scene_of


@kind("export")
async def export(
    work: Work,
    *,
    format: Annotated[  # noqa: A002  # the name is the public parameter
        Literal["glb", "gltf", "fbx", "obj", "stl", "ply", "usd", "usdc", "usda", "abc", "svg"], "by its file's suffix"
    ],
    blend: Blend = None,
    name: Annotated[str, "the file's name without its suffix", Size(1, 100)] = "export",
    objects: Annotated[list[str] | None, "only these objects; default: all", Size(1, 10_000)] = None,
    timeout: Seconds = None,
) -> dict[str, Any]:
    """Export a file, or the scene that is open now."""
    async with work.attempt.phase("snapshot"):
        file = scene_of(work, blend)
        await work.outputs.begin()
    async with work.attempt.phase("waiting_for_worker"), work.blender(file) as blender:
        async with work.attempt.phase("exporting", timeout):
            params: dict[str, Any] = {"path": str(work.outputs.unfinished / f"{name}.{format}")}
            if objects is not None:
                params["objects"] = objects
            await blender.call("file.export", params, work.attempt.progress)
    async with work.attempt.phase("collecting"):
        await work.attempt.confirm()
        for made in sorted(work.outputs.unfinished.iterdir()):
            await work.outputs.keep(made)
        return await work.outputs.close()
