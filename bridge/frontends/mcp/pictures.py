"""Pictures for a model's eyes: of a kind that clients show, scaled down to what it can use."""

from __future__ import annotations

import io
from functools import partial

import trio

from blender_addon.wire import Buffer

SEEN = ("image/png", "image/jpeg", "image/webp", "image/gif")
"""The media types that clients show; others, such as EXR, are data."""

_LARGEST_UNSCALED = 4 << 20
_MOST_PIXELS = 16_384**2  # what Blender can render
_one_at_a_time: trio.CapacityLimiter | None = None


class Unreadable(ValueError):
    """It is no picture, or too large a one; the message says which."""


async def scaled(data: Buffer, media_type: str, max_size: int | None) -> tuple[bytes, str]:
    """The picture with at most `max_size` pixels at its longer side; None leaves it as it is.

    Where it has to be scaled a JPEG stays one, and all else becomes a PNG. Raises Unreadable.
    """
    if max_size is None:
        return bytes(data), media_type
    # A large picture is decoded whole, so that several at a time would take gigabytes.
    return await trio.to_thread.run_sync(partial(_scaled, data, media_type, max_size), limiter=_limiter())


def _limiter() -> trio.CapacityLimiter:
    global _one_at_a_time  # noqa: PLW0603  # it can be made inside of trio alone
    if _one_at_a_time is None:
        _one_at_a_time = trio.CapacityLimiter(1)
    return _one_at_a_time


def _scaled(data: Buffer, media_type: str, max_size: int) -> tuple[bytes, str]:
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415  # it takes a while, and is needed for pictures alone

    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if max(picture.size) <= max_size and len(data) <= _LARGEST_UNSCALED:
                return bytes(data), media_type
            kind = "JPEG" if media_type == "image/jpeg" else "PNG"
            picture.draft(None, (max_size, max_size))
            smaller = picture if picture.mode in ("RGB", "RGBA", "L") else picture.convert("RGBA")
            smaller.thumbnail((max_size, max_size))
            file = io.BytesIO()
            (smaller.convert("RGB") if kind == "JPEG" else smaller).save(file, kind)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise Unreadable(f"this picture cannot be scaled: {error}") from None
    return file.getvalue(), "image/jpeg" if kind == "JPEG" else "image/png"
