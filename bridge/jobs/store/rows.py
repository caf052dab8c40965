"""Rows → jobs, and what is written → JSON. The columns are those of the model, in whatever order the store has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from bridge.errors import Unstorable
from bridge.jobs.model import Job

_JSON = ("params", "progress", "result", "error")


def job_from(row: Mapping[str, Any]) -> Job:
    """The job that a row holds; columns that the model does not have are left out."""
    values = {field: row[field] for field in Job._fields}
    for field in _JSON:
        if values[field] is not None:
            values[field] = orjson.loads(values[field])
    values["cancel_requested"] = bool(values["cancel_requested"])
    return Job(**values)


def as_json(value: Mapping[str, Any]) -> str:
    """The value as text, keys in order, so that equal params are equal texts. Raises Unstorable."""
    try:
        return orjson.dumps(dict(value), option=orjson.OPT_SORT_KEYS).decode()
    except TypeError as error:
        raise Unstorable(f"it is no JSON: {error}") from error
