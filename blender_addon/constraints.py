"""What an annotation may say beside its type: bounds, sizes, patterns, array layouts.

A plain string in `Annotated` is the description. Everything else is recognised by its attributes, in the way of
annotated-types (`ge`, `gt`, `le`, `lt`, `min_length`, `max_length`), so that another add-on's own markers work too.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Tuple


class Range(NamedTuple):
    """Bounds of a number, each included."""

    ge: Optional[float] = None
    le: Optional[float] = None


class Size(NamedTuple):
    """Bounds of a list's or a string's length."""

    min_length: int = 0
    max_length: Optional[int] = None


class Pattern(NamedTuple):
    """A regular expression that the whole string matches, and its name in messages: 'a colour like "#ff8800"'."""

    pattern: str
    meaning: str


class Array(NamedTuple):
    """The layout of a binary part: little-endian items of `dtype` ("<f4", "<i4"), `columns` in a row."""

    dtype: str
    columns: int = 1

    @property
    def row_bytes(self) -> int:
        return int(self.dtype[2:]) * self.columns


class Media(NamedTuple):
    """The media type of a binary part."""

    media_type: str


class Constraints(NamedTuple):
    """All that the metadata of one `Annotated` said."""

    description: str = ""
    ge: Optional[float] = None
    gt: Optional[float] = None
    le: Optional[float] = None
    lt: Optional[float] = None
    min_length: int = 0
    max_length: Optional[int] = None
    pattern: Optional[Pattern] = None
    array: Optional[Array] = None
    media: Optional[Media] = None


_BY_CLASS = {Pattern: "pattern", Array: "array", Media: "media"}
_BY_ATTRIBUTE = ("ge", "gt", "le", "lt", "min_length", "max_length")


def read_constraints(metadata: Tuple[Any, ...]) -> Constraints:
    """Collect what the metadata says; unknown markers are ignored, as `Annotated` wants it."""
    found: dict[str, Any] = {}
    for marker in metadata:
        if isinstance(marker, str):
            found["description"] = marker
        elif type(marker) in _BY_CLASS:
            found[_BY_CLASS[type(marker)]] = marker
        else:
            said = {name: getattr(marker, name, None) for name in _BY_ATTRIBUTE}
            found.update({name: value for name, value in said.items() if value is not None})
    return Constraints(**found)


def range_keywords(constraints: Constraints) -> dict[str, Any]:
    """The bounds in JSON Schema's words."""
    words = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
    return {word: bound for name, word in words.items() if (bound := getattr(constraints, name)) is not None}


def size_keywords(constraints: Constraints, minimum: str, maximum: str) -> dict[str, Any]:
    """The length's bounds in JSON Schema's words for this type."""
    said: dict[str, Any] = {}
    if constraints.min_length:
        said[minimum] = constraints.min_length
    if constraints.max_length is not None:
        said[maximum] = constraints.max_length
    return said
