"""PNG files put side by side or made smaller, by Blender's own images: there is no other library everywhere."""

from __future__ import annotations

import contextlib
import math
import struct
from array import array
from pathlib import Path
from typing import Any, Iterator, Sequence, Tuple


def png_size(data: bytes) -> Tuple[int, int]:
    """Width and height."""
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def shrink(place: Path, most: int) -> None:
    """Make the picture at that path at most so many pixels wide and high."""
    width, height = png_size(place.read_bytes()[:24])
    scale = most / max(width, height)
    if scale >= 1:
        return
    with _loaded(place) as image:
        image.scale(max(1, round(width * scale)), max(1, round(height * scale)))
        image.save()


def columns_for(count: int) -> int:
    """How many stand in a row of a sheet."""
    return math.ceil(math.sqrt(count))


def sheet(places: Sequence[Path], size: Tuple[int, int], place: Path) -> None:
    """Write the pictures, each of that size, on one sheet: row by row, from the upper left."""
    import bpy

    columns = columns_for(len(places))
    rows = math.ceil(len(places) / columns)
    width, height = size
    pixels = array("f", (0.0, 0.0, 0.0, 1.0)) * (columns * width * rows * height)
    line = width * 4
    for number, source in enumerate(places):
        row, column = divmod(number, columns)
        own = _pixels(source)
        # Blender's rows begin at the bottom.
        below = (rows - 1 - row) * height
        for y in range(height):
            start = ((below + y) * columns + column) * line
            pixels[start : start + line] = own[y * line : (y + 1) * line]
    image = bpy.data.images.new("bpy-bridge sheet", columns * width, rows * height)
    try:
        image.pixels.foreach_set(pixels)
        image.filepath_raw, image.file_format = str(place), "PNG"
        image.save()
    finally:
        bpy.data.images.remove(image)


def _pixels(place: Path) -> array[float]:
    with _loaded(place) as image:
        values = array("f", (0.0,)) * len(image.pixels)
        image.pixels.foreach_get(values)
        return values


@contextlib.contextmanager
def _loaded(place: Path) -> Iterator[Any]:
    import bpy

    image = bpy.data.images.load(str(place))
    try:
        yield image
    finally:
        bpy.data.images.remove(image)
