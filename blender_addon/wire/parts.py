"""A payload's JSON value and the binary parts that lie behind it.

Without parts the whole payload is the JSON value. With parts, the first is the JSON value and the rest are bytes that
it refers to as {"$part": name}; images and geometry never travel as base64.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from .envelope import Parts
from .frame import Buffer


class Part:
    """Bytes with what they mean: a media type, or an array's dtype ("<f4", "<i4") and shape."""

    # No dataclass: importing `dataclasses` takes as long as all of the wire.
    __slots__ = ("data", "dtype", "media_type", "shape")

    def __init__(
        self,
        data: Buffer,
        media_type: Optional[str] = None,
        dtype: Optional[str] = None,
        shape: Optional[Tuple[int, ...]] = None,
    ) -> None:
        self.data = data
        self.media_type = media_type
        self.dtype = dtype
        self.shape = shape

    def __len__(self) -> int:
        return memoryview(self.data).nbytes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Part) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        return f"Part({len(self)} bytes, media_type={self.media_type!r}, dtype={self.dtype!r}, shape={self.shape!r})"

    def _fields(self) -> Tuple[object, ...]:
        return self.data, self.media_type, self.dtype, self.shape


def split_parts(payload: Buffer, parts: Optional[Parts]) -> Tuple[Buffer, Dict[str, Part]]:
    """The JSON bytes and the other parts by name, as views of the payload. `parts` as `parse` checked them."""
    if parts is None:
        return payload, {}
    view = memoryview(payload)
    json_length = parts[0]["length"]
    offset = json_length
    found: Dict[str, Part] = {}
    for description in parts[1:]:
        end = offset + description["length"]
        found[description["name"]] = Part(view[offset:end], *_meaning(description))
        offset = end
    return view[:json_length], found


def _meaning(description: Mapping[str, Any]) -> Tuple[Optional[str], Optional[str], Optional[Tuple[int, ...]]]:
    media_type, dtype, shape = (description.get(name) for name in ("media_type", "dtype", "shape"))
    whole = isinstance(shape, list) and all(isinstance(n, int) and not isinstance(n, bool) for n in shape)
    return (
        media_type if isinstance(media_type, str) else None,
        dtype if isinstance(dtype, str) else None,
        tuple(shape) if whole and shape is not None else None,
    )


def join_parts(json_bytes: bytes, parts: Mapping[str, Part]) -> Tuple[Optional[Parts], List[Buffer]]:
    """What an envelope says of the parts (None where there are none), and the payload's buffers in order."""
    if not parts:
        return None, [json_bytes]
    described: Parts = [{"name": "json", "length": len(json_bytes)}]
    buffers: List[Buffer] = [json_bytes]
    for name, part in parts.items():
        view = memoryview(part.data).cast("B") if memoryview(part.data).nbytes else memoryview(b"")
        description: Dict[str, Any] = {"name": name, "length": view.nbytes}
        for field in ("media_type", "dtype", "shape"):
            if getattr(part, field) is not None:
                description[field] = getattr(part, field)
        described.append(description)
        buffers.append(view)
    return described, buffers


def total_length(buffers: Iterable[Buffer]) -> int:
    """Bytes in all."""
    return sum(memoryview(buffer).nbytes for buffer in buffers)
