"""export: a scene in another program's format."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from blender_addon.constraints import Pattern, Size
from bridge.jobs.work import Work

from .catalogue import kind
from .parameters import Blend, Seconds, examine_blend
from .stages import in_blender, scene_of

_FileName = Annotated[
    str,
    "the file's name without its suffix",
    Pattern(r"[^/\\.\x00][^/\\\x00]{0,99}", "a file's name, in no folder and without a dot in front"),
]


@kind("export", scene=True, examine=examine_blend)
async def export(
    work: Work,
    *,
    format: Annotated[  # noqa: A002  # the name is the public parameter
        Literal["glb", "gltf", "fbx", "obj", "stl", "ply", "usd", "usdc", "usda", "abc", "svg"], "by its file's suffix"
    ],
    blend: Blend = None,
    name: _FileName = "export",
    objects: Annotated[list[str] | None, "only these objects; default: all", Size(1, 10_000)] = None,
    options: Annotated[
        dict[str, Any] | None, "of Blender's operator that writes it: see file.formats, api.operator"
    ] = None,
    timeout: Seconds = None,
) -> dict[str, Any]:
    """Export a file, or the scene that is open now, with the textures and buffers that belong to it."""
    file = await scene_of(work, blend, anew=True)
    params: dict[str, Any] = {"path": str(work.outputs.unfinished / f"{name}.{format}")}
    params.update({key: value for key, value in (("objects", objects), ("options", options)) if value is not None})
    async with in_blender(work, file, "exporting", timeout) as blender:
        told = await blender.call("file.export", params, work.attempt.progress)
    return {"format": told["format"], "objects": told["objects"]}
