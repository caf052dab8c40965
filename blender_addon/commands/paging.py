"""Results that stay small: a page of many things, and of each thing the fields that were asked for."""

from __future__ import annotations

from typing import Annotated, Any, List, Mapping, Optional, Sequence, Tuple, TypeVar

from ..constraints import Range, Size
from ..schema import did_you_mean, nearest
from .lookup import refuse

Item = TypeVar("Item")

Limit = Annotated[int, "how many at most", Range(1, 1000)]
Offset = Annotated[int, "how many to skip: next_offset of the page before", Range(0, 10**9)]
Fields = Annotated[Optional[List[str]], "only these fields of each; default: all", Size(1, 50)]


def page(found: Sequence[Item], limit: int, offset: int) -> Tuple[Sequence[Item], Optional[int]]:
    """The items of one page, and the next page's offset, None on the last."""
    end = offset + limit
    return found[offset:end], end if end < len(found) else None


def only(fields: Optional[Sequence[str]], described: Mapping[str, Any], known: Sequence[str] = ()) -> Any:
    """What `described` says under those fields, all where None. Raises Fault for a field that is not `known`."""
    if fields is None:
        return dict(described)
    there = {**described, **dict.fromkeys(known)}
    for field in fields:
        if field not in there:
            raise refuse("fields", f"there is no field {field!r}{did_you_mean(field, there)}", nearest(field, there))
    return {field: described[field] for field in fields if field in described}
