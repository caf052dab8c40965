"""Pictures for a model's eyes: scaled down to what it can use."""

from __future__ import annotations

import io

import trio


async def scaled(data: bytes, media_type: str, max_size: int | None) -> tuple[bytes, str]:
    """The picture with at most `max_size` pixels at its longer side, as a PNG where it had to be scaled."""
    if max_size is None:
        return data, media_type
    return await trio.to_thread.run_sync(_scaled, data, media_type, max_size)


def _scaled(data: bytes, media_type: str, max_size: int) -> tuple[bytes, str]:
    from PIL import Image  # noqa: PLC0415  # it is needed for pictures alone

    with Image.open(io.BytesIO(data)) as picture:
        if max(picture.size) <= max_size:
            return data, media_type
        picture.thumbnail((max_size, max_size))
        smaller = io.BytesIO()
        picture.save(smaller, "PNG")
    return smaller.getvalue(), "image/png"
