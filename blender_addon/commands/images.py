"""Images for textures: from a file, from the bytes of one, or by name."""

from __future__ import annotations

from typing import Any, Optional

from ..wire import Part
from .lookup import data_named, refuse
from .places import to_read


def image_from(path: Optional[str], data: Optional[Part], image: Optional[str], name: str) -> Any:
    """The image of exactly one of these. Raises Fault `invalid_params`; `name` is for one made of bytes."""
    given = [word for word, value in (("path", path), ("data", data), ("image", image)) if value is not None]
    if len(given) != 1:
        raise refuse("path", f"expected one of path, data and image, got {', '.join(given) or 'none'}")
    if path is not None:
        return _load(path)
    if data is not None:
        return _unpack(data, name)
    import bpy

    return data_named(bpy.data.images, "image", image or "", "image")


def _load(path: str) -> Any:
    import bpy

    file = to_read(path)
    known = set(bpy.data.images.keys())
    image = bpy.data.images.load(str(file), check_existing=True)
    if image.source != "MOVIE" and not image.size[0]:
        if image.name not in known:
            bpy.data.images.remove(image)
        raise refuse("path", f"{str(file)!r} is no image that Blender can read")
    return image


def _unpack(data: Part, name: str) -> Any:
    """An image that lies in the .blend file itself."""
    import bpy

    content = bytes(data.data)
    image = bpy.data.images.new(name, 1, 1)
    image.pack(data=content, data_len=len(content))
    image.source = "FILE"
    # Until now it has the size that it was made with: decode it.
    image.reload()
    if not image.size[0]:
        bpy.data.images.remove(image)
        raise refuse("data", f"{len(content)} bytes that are no image which Blender can read")
    return image
