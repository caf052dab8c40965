"""What every table of settings is made of, and the pool's table."""

from __future__ import annotations

import dataclasses
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from bridge.pool.settings import PoolSettings

from .values import Count, CountOrNone, Seconds, Share


class Table(BaseModel):
    """Unknown names are refused; the text under a field is what `bpy-bridge config show` says of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


_POOL = {
    "max_connections": "How many connections to one Blender there may be at the same time.",
    "max_waiting": "How many requests may wait for a connection; those beyond are answered `busy`.",
    "warm": "How many connections are kept open without demand.",
    "acquire_timeout": "How long a request may wait for a connection, beside its own deadline.",
    "unavailable_timeout": "How long a request waits while there is no connection at all.",
    "connect_timeout": "How long making a connection may take.",
    "check_after": "A connection that was idle for so long is pinged before it is lent.",
    "check_timeout": "How long the answer to that ping may take.",
    "close_timeout": "How long closing a connection may take.",
    "idle_timeout": "A connection beyond `warm` that was idle for so long is closed.",
    "max_lifetime": "A connection that is so old is replaced.",
    "lifetime_jitter": "The share of `max_lifetime` by which it varies, so that not all end at once.",
    "leak_after": "A connection that is lent for so long is reported.",
    "reconnect_delay": "The first pause between two attempts to connect; it doubles each time.",
    "reconnect_max_delay": "The longest such pause.",
    "reconnect_max_delay_in_demand": "The longest such pause while requests wait.",
}


def _pool_field(field: dataclasses.Field[Any], kind: type) -> tuple[Any, Any]:
    annotation: Any = (Share if field.name == "lifetime_jitter" else Seconds) if kind is float else CountOrNone
    if field.name in ("max_connections", "max_waiting"):
        annotation = Count
    return annotation, Field(default=field.default, description=_POOL.get(field.name))


_KINDS = get_type_hints(PoolSettings)
_POOL_FIELDS: dict[str, Any] = {
    field.name: _pool_field(field, _KINDS[field.name]) for field in dataclasses.fields(PoolSettings)
}
# Made from PoolSettings, so that a limit of the pool is named and given its default in one place.
PoolTable = create_model("PoolTable", __base__=Table, **_POOL_FIELDS)
