"""Parameters that several kinds have."""

from __future__ import annotations

from typing import Annotated, Literal

from blender_addon.constraints import Range, Size

Blend = Annotated[
    str | None,
    "an absolute path to a .blend file; default: a copy of the scene that is open now, made at once",
    Size(1, 4096),
]
Seconds = Annotated[
    float | None, "how long the work itself may take, in seconds; default: as long as it needs", Range(1, 2_592_000)
]
RunOn = Annotated[Literal["local", "slurm"], "this machine, or a cluster that has Slurm"]
Pixels = Annotated[int | None, "in pixels; default: the scene's, or what keeps its proportions", Range(4, 16_384)]
Engine = Annotated[Literal["cycles", "eevee", "workbench"] | None, "default: the scene's"]
Samples = Annotated[int | None, "default: the scene's", Range(1, 65_536)]
Camera = Annotated[str | None, "a camera object's name; default: the scene's camera", Size(1, 255)]
Frame = Annotated[int, Range(-1_048_574, 1_048_574)]
Format = Annotated[Literal["png", "jpg", "exr", "tif", "webp"], "of the files"]
