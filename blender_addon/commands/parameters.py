"""Types that several commands' signatures share."""

from __future__ import annotations

from typing import Annotated, Tuple, Union

from ..constraints import Pattern, Range, Size

Positive = Annotated[float, Range(1e-6, 1e9)]
Vector = Tuple[float, float, float]
Fraction = Annotated[float, Range(0, 1)]
Name = Annotated[str, Size(1, 255)]

Location = Annotated[Vector, "x, y, z in metres, relative to the parent where there is one"]
Rotation = Annotated[Vector, "Euler angles x, y, z (order XYZ) in radians: a quarter turn is 1.5708"]
Scale = Annotated[Vector, "factors along x, y, z"]

HexColour = Annotated[str, Pattern("#[0-9a-fA-F]{6}", 'a colour like "#ff8800"')]
Colour = Annotated[
    Union[Annotated[list[Fraction], Size(3, 4)], HexColour],
    'linear red, green, blue and optionally alpha, each 0 to 1; or sRGB as "#rrggbb"',
]


def linear_rgba(colour: Union[list[float], str]) -> tuple[float, float, float, float]:
    """A Colour as Blender keeps it: linear light, alpha 1 where none was given."""
    if isinstance(colour, str):
        red, green, blue = (_linear(int(colour[start : start + 2], 16) / 255) for start in (1, 3, 5))
        return red, green, blue, 1.0
    red, green, blue, alpha = [*colour, 1.0][:4]
    return red, green, blue, alpha


def _linear(srgb: float) -> float:
    return srgb / 12.92 if srgb <= 0.04045 else ((srgb + 0.055) / 1.055) ** 2.4
