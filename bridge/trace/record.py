"""A frame as people may see it: no token, no proof, and of its payload nothing that was not asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple

from blender_addon.wire import Buffer
from bridge import protocol
from bridge.log import HIDDEN

Direction = Literal["in", "out"]
Record = dict[str, Any]

_SECRET = "token|secret|password|proof|authorization"  # noqa: S105  # names, not one of them
_SECRET_NAME = re.compile(_SECRET, re.IGNORECASE).search
_SECRET_FIELD = re.compile(
    rf'("[^"]{{0,64}}(?:{_SECRET})[^"]{{0,64}}"\s*:\s*)("(?:[^"\\]|\\.)*"?|\[[^\]]*\]?|\{{[^}}]*\}}?|[^,}}\]\s]+)',
    re.IGNORECASE,
)
_SHORTEST_SECRET = 4  # a shorter one would blacken ordinary words
_DEEPEST = 8
_LONGEST_ERROR = 1 << 20
_CODE = re.compile(r"[a-z_]{1,64}\Z").match


class Seen(NamedTuple):
    """One whole frame as it passed; `payload` are its pieces in order, which are valid for now only."""

    direction: Direction
    envelope: Buffer
    payload: Sequence[Buffer]

    @property
    def payload_length(self) -> int:
        return sum(map(len, self.payload))


def envelope_of(seen: Seen, secrets: Collection[str]) -> dict[str, Any] | None:
    """The envelope without its secrets; None where it is no JSON object."""
    try:
        envelope = protocol.json_value(seen.envelope)
    except ValueError:
        return None
    return _blackened(envelope, secrets, _DEEPEST) if isinstance(envelope, dict) else None


def error_code(seen: Seen) -> str | None:
    """The code in a failed response, the one word of its payload that is always shown."""
    if seen.payload_length > _LONGEST_ERROR:
        return None
    try:
        error = protocol.json_value(_beginning(seen.payload, _LONGEST_ERROR))
    except ValueError:
        return None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and _CODE(code) else None


def payload_text(seen: Seen, envelope: dict[str, Any] | None, limit: int, secrets: Collection[str]) -> str:
    """The beginning of the payload's JSON value, `limit` characters at most, without secrets."""
    # A character is four bytes at most.
    data = _beginning(seen.payload, min(_json_length(envelope, seen.payload_length), 4 * limit))
    text = data.decode("utf-8", "replace")[:limit]
    for secret in secrets:
        for spelled in {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}:
            text = _without_start_of(spelled, text.replace(spelled, HIDDEN))
    return _SECRET_FIELD.sub(rf'\1"{HIDDEN}"', text)


def worth_hiding(secret: str | None) -> bool:
    """A secret long enough to be looked for."""
    return secret is not None and len(secret) >= _SHORTEST_SECRET


def _json_length(envelope: dict[str, Any] | None, whole: int) -> int:
    parts = (envelope or {}).get("parts")
    if not isinstance(parts, list) or not parts or not isinstance(parts[0], dict):
        return whole
    length = parts[0].get("length")
    return min(length, whole) if isinstance(length, int) and length >= 0 else 0


def _beginning(pieces: Sequence[Buffer], count: int) -> bytes:
    taken = []
    for piece in pieces:
        taken.append(bytes(memoryview(piece)[:count]))
        count -= len(taken[-1])
    return b"".join(taken)


def _without_start_of(secret: str, text: str) -> str:
    """The text may have been cut within a secret: what stands at its end then goes too."""
    for length in range(len(secret) - 1, _SHORTEST_SECRET - 1, -1):
        if text.endswith(secret[:length]):
            return text[:-length] + HIDDEN
    return text


def _blackened(value: Any, secrets: Collection[str], depth: int) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return value
    if not isinstance(value, (dict, list)):
        return value
    if depth == 0:
        return "…"
    if isinstance(value, list):
        return [_blackened(item, secrets, depth - 1) for item in value]
    return {
        _blackened(name, secrets, depth): HIDDEN if _SECRET_NAME(name) else _blackened(field, secrets, depth - 1)
        for name, field in value.items()
    }
