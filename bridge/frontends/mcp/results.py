"""A reply → what an assistant reads: JSON, structured and as identical text; pictures; what binary parts hold.

Never structured content beside a picture: clients show one of them only. A failure is a result too: what went wrong,
what is known about its effects, and what to do next.
"""

from __future__ import annotations

import base64
import os
import struct
from collections.abc import Mapping
from typing import Any

import trio
from mcp_types import CallToolResult, ContentBlock, ImageContent, TextContent

from blender_addon.wire import Fault, Part, split_parts
from bridge import protocol
from bridge.connection import Reply

from .npy import npy
from .pictures import scaled

Picture = tuple[bytes, str]
"""A picture's file and its media type."""

_FIRST = 6
_RESTARTED = "Blender was restarted since your last call: what was not saved is gone, look before you go on."
_KNOWN = {
    "not_executed": "Nothing ran in Blender.",
    "failed": "It ran and raised: what it did before that may remain.",
    "unknown": "It is not known whether it ran: look at the scene before you repeat it.",
}


async def outcome_of(
    reply: Reply, *, max_size: int | None, save_to: str | None, restarted: bool
) -> tuple[CallToolResult, Picture | None]:
    """The result of a call that Blender or the bridge has answered, and the last picture in it.

    The reply stays the caller's.
    """
    if not reply.ok:
        return failure(protocol.fault_from_payload(reply.payload)), None
    data, parts = split_parts(reply.payload, reply.parts)
    value = protocol.json_value(data)
    pictures = {name: part for name, part in parts.items() if _is_picture(part)}
    arrays = {name: part for name, part in parts.items() if name not in pictures}
    saved = await _save(arrays, save_to) if save_to is not None and arrays else {}
    value = _told(value, {name: _summary(part, saved.get(name)) for name, part in parts.items()})
    if not isinstance(value, dict):
        value = {"result": value}
    content: list[ContentBlock] = [TextContent(text=protocol.json_bytes(value).decode())]
    picture: Picture | None = None
    for part in pictures.values():
        picture = await scaled(bytes(part.data), part.media_type or "image/png", max_size)
        content.append(ImageContent(data=base64.b64encode(picture[0]).decode(), mime_type=picture[1]))
    if restarted:
        content.append(TextContent(text=_RESTARTED))
    return CallToolResult(content=content, structured_content=None if pictures else value), picture


def failure(fault: Fault) -> CallToolResult:
    """What went wrong, as a result that a model can act on."""
    retry = "It is safe to try again later." if fault.retryable else ""
    lines = [f"{fault.code}: {fault.message}", _KNOWN[fault.outcome], retry]
    close = fault.data.get("nearest")
    if close:
        lines.append(f"Did you mean: {', '.join(map(str, close[:5]))}?")
    known = {"code": fault.code, "message": fault.message, "outcome": fault.outcome, "retryable": fault.retryable}
    text = "\n".join(line for line in lines if line)
    error = {"error": {**known, "data": fault.data}}
    return CallToolResult(content=[TextContent(text=text)], structured_content=error, is_error=True)


def _is_picture(part: Part) -> bool:
    return (part.media_type or "").startswith("image/")


def _told(value: Any, summaries: Mapping[str, Any]) -> Any:
    """The value with each reference to a part replaced by what is told of it."""
    if isinstance(value, dict):
        if value.keys() == {"$part"}:
            return summaries.get(value["$part"], value)
        return {name: _told(item, summaries) for name, item in value.items()}
    if isinstance(value, list):
        return [_told(item, summaries) for item in value]
    return value


def _summary(part: Part, saved: str | None) -> dict[str, Any]:
    told: dict[str, Any] = {"bytes": len(part)}
    if part.media_type is not None:
        told["media_type"] = part.media_type
    if part.dtype in ("<f4", "<i4") and len(part):
        count = min(_FIRST, len(part) // 4)
        first = struct.unpack_from(f"<{count}{'f' if part.dtype == '<f4' else 'i'}", part.data)
        told |= {"dtype": part.dtype, "shape": part.shape, "first": [round(number, 6) for number in first]}
    if saved is not None:
        told["saved_to"] = saved
    return told


async def _save(arrays: Mapping[str, Part], directory: str) -> dict[str, str]:
    place = trio.Path(directory)
    if not os.path.isabs(directory) or not await place.is_dir():
        return dict.fromkeys(arrays, f"not saved: {directory!r} is no existing absolute directory")
    saved = {}
    for name, part in arrays.items():
        file = place / f"{name}.npy"
        await file.write_bytes(npy(part))
        saved[name] = str(file)
    return saved
