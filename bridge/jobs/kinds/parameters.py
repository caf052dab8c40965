"""Parameters that several kinds have, and what can be known of them before the work begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from blender_addon.commands.places import to_read_blend
from blender_addon.constraints import Range, Size

Blend = Annotated[
    str | None,
    "an absolute path to a .blend file; default: a copy of the scene that is open now, made at once",
    Size(1, 4096),
]
Seconds = Annotated[
    float | None,
    "how long the work itself may take in an attempt, in seconds; default: as long as it needs",
    Range(1, 2_592_000),
]
Pixels = Annotated[int | None, "in pixels; default: the scene's, or what keeps its proportions", Range(4, 16_384)]
Engine = Annotated[Literal["cycles", "eevee", "workbench"] | None, "default: the scene's"]
Samples = Annotated[int | None, "default: the scene's", Range(1, 65_536)]
Camera = Annotated[str | None, "a camera object's name; default: the scene's camera", Size(1, 255)]
Transparent = Annotated[bool | None, "no background but transparency; default: as the scene has it"]
Frame = Annotated[int, Range(-1_048_574, 1_048_574)]
Format = Annotated[Literal["png", "jpg", "exr", "tif", "webp"], "of the pictures"]
RunOn = Annotated[
    Literal["local", "slurm"],
    "the bridge's machine, or its cluster that has Slurm, a frame each node; that one opens the file at the same path",
]
Threads = Annotated[int | None, "how many processor cores to use at most; default: the scene's", Range(1, 1024)]


def examine_blend(params: Mapping[str, Any]) -> None:
    """The file is there, and a .blend. Raises Fault."""
    if params.get("blend") is not None:
        to_read_blend(params["blend"], param="blend")
