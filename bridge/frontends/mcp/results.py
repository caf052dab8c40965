"""A reply → what an assistant reads: JSON, structured and as identical text; pictures; what binary parts hold.

Never structured content beside a picture: clients show one of them only. A failure is a result too: what went wrong,
what is known about its effects, and what to do next.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

from mcp_types import CallToolResult, ContentBlock, ImageContent, TextContent

from blender_addon.wire import Fault, Part, split_parts
from bridge import protocol
from bridge.connection import Reply

from .files import Folder
from .pictures import SEEN, Unreadable, scaled

Picture = tuple[bytes, str]
"""A picture's file and its media type."""

_FIRST = 6
_RESTARTED = "Blender was restarted since your last call: what was not saved is gone; look before you go on"
_EFFECTS = {
    "not_executed": "Nothing ran in Blender.",
    "failed": "It ran and raised: what it did before that may remain.",
    "unknown": "It is not known whether it ran: look at the scene before you repeat it.",
}
_FORMATS = {"<f4": "f", "<i4": "i", "|u1": "B", "|i1": "b"}


class Shape(NamedTuple):
    """How a result is told: pictures where the tool gives any, of at most `max_size`; arrays into `folder`."""

    images: bool
    max_size: int | None
    folder: Folder | None


async def outcome_of(reply: Reply, shape: Shape, *, restarted: bool) -> tuple[CallToolResult, Picture | None]:
    """The result of a call that Blender or the bridge has answered, and the last picture in it.

    The reply stays the caller's.
    """
    if not reply.ok:
        return failure(protocol.fault_from_payload(reply.payload), restarted=restarted), None
    data, parts = split_parts(reply.payload, reply.parts)
    seen, pictures, problems = await _pictures(parts, shape)
    told = {name: {**_summary(part), **problems.get(name, {})} for name, part in parts.items()}
    arrays = {name: part for name, part in parts.items() if name not in seen}
    if shape.folder is not None and arrays:
        await _save(arrays, shape.folder, told)
    value = _told(protocol.json_value(data), told)
    if not isinstance(value, dict):
        value = {"result": value}
    if restarted:
        value = {"restarted": _RESTARTED, **value}
    if not pictures:
        return said(value), None
    content: list[ContentBlock] = [TextContent(text=protocol.json_bytes(value).decode())]
    content += [ImageContent(data=base64.b64encode(file).decode(), mime_type=kind) for file, kind in pictures]
    return CallToolResult(content=content), pictures[-1]


def said(value: dict[str, Any], *, is_error: bool = False) -> CallToolResult:
    """Structured content, and the same as text."""
    text = TextContent(text=protocol.json_bytes(value).decode())
    return CallToolResult(content=[text], structured_content=value, is_error=is_error)


def failure(fault: Fault, *, restarted: bool = False) -> CallToolResult:
    """What went wrong, as a result that a model can act on."""
    advice = [_EFFECTS[fault.outcome], *_advice(fault), *([f"{_RESTARTED}."] if restarted else [])]
    error = {
        "code": fault.code,
        "message": fault.message,
        "outcome": fault.outcome,
        "retryable": fault.retryable,
        "next": " ".join(advice),
        "data": fault.data,
    }
    return said({"error": error}, is_error=True)


def _advice(fault: Fault) -> list[str]:
    advice = []
    current, after = fault.data.get("current"), fault.data.get("retry_after")
    if isinstance(current, Mapping):
        advice.append(f"{current.get('method')} has been running for {current.get('seconds')} s.")
    close = fault.data.get("nearest")
    if isinstance(close, list) and close:
        advice.append(f"Did you mean {', '.join(map(str, close[:5]))}?")
    if fault.retryable:
        advice.append(f"It is safe to try again{f' in {after} s' if after else ''}.")
    elif fault.outcome == "not_executed":
        advice.append("Mend the call, then it is safe to try again.")
    return advice


async def _pictures(
    parts: Mapping[str, Part], shape: Shape
) -> tuple[set[str], list[Picture], dict[str, dict[str, str]]]:
    """The names of the parts that are shown, how, and what speaks against the others."""
    seen: set[str] = set()
    pictures: list[Picture] = []
    problems: dict[str, dict[str, str]] = {}
    for name, part in parts.items() if shape.images else ():
        if part.media_type not in SEEN:
            continue
        try:
            pictures.append(await scaled(part.data, part.media_type, shape.max_size))
            seen.add(name)
        except Unreadable as error:
            problems[name] = {"not_shown": str(error)}
    return seen, pictures, problems


def _told(value: Any, summaries: Mapping[str, Any]) -> Any:
    """The value with each reference to a part replaced by what is told of it."""
    if isinstance(value, dict):
        if value.keys() == {"$part"}:
            return summaries.get(value["$part"], value)
        return {name: _told(item, summaries) for name, item in value.items()}
    if isinstance(value, list):
        return [_told(item, summaries) for item in value]
    return value


def _summary(part: Part) -> dict[str, Any]:
    told: dict[str, Any] = {"bytes": len(part)}
    if part.media_type is not None:
        told["media_type"] = part.media_type
    if part.dtype is None:
        return told
    told |= {"dtype": part.dtype, "shape": list(part.shape or ())}
    kind = _FORMATS.get(part.dtype)
    if kind is not None and len(part):
        count = min(_FIRST, len(part) // struct.calcsize(kind))
        told["first"] = [_plain(number) for number in struct.unpack_from(f"<{count}{kind}", part.data)]
    return told


def _plain(number: float) -> float | None:
    return round(number, 6) if math.isfinite(number) else None


async def _save(arrays: Mapping[str, Part], folder: Folder, told: dict[str, dict[str, Any]]) -> None:
    try:
        for name, place in (await folder.save(arrays)).items():
            told[name]["saved_to"] = place
    except OSError as error:
        for name in arrays:
            told[name].setdefault("not_saved", f"{folder.path}: {error.strerror or error}")
