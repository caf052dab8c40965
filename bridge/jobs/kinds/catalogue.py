"""The kinds of job: a function each, whose signature is the schema of its parameters and its documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from blender_addon.registry import Command
from blender_addon.schema import nearest
from blender_addon.wire import Fault
from bridge.errors import Refused, error_from_fault
from bridge.jobs.work import Work

Function = TypeVar("Function", bound=Callable[..., object])

_KINDS: dict[str, Command] = {}


def kind(name: str) -> Callable[[Function], Function]:
    """Register the coroutine function below as a kind; its parameter annotated `Work` is given the attempt."""

    def register(function: Function) -> Function:
        hints = {"read_only": False, "destructive": False, "idempotent": False}
        _KINDS[name] = Command(name, function, hints=hints, io_thread=False, context=Work)
        return function

    return register


def find(name: str) -> Command:
    """The kind of that name. Raises Refused with the nearest ones."""
    found = _KINDS.get(name)
    if found is None:
        message = f"there is no kind of job {name!r:.80}: there are {', '.join(sorted(_KINDS))}"
        raise Refused(message, data={"nearest": nearest(name, _KINDS) or sorted(_KINDS)})
    return found


def check(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as the kind's function takes them. Raises Refused with every problem there is."""
    try:
        return find(name).bind(dict(params), {})
    except Fault as fault:
        raise error_from_fault(fault) from None


def takes_scene(name: str, params: Mapping[str, Any]) -> bool:
    """Whether it works on the scene that is open now: it takes a file, and none is named."""
    return "blend" in find(name).params["properties"] and params.get("blend") is None


def describe() -> list[dict[str, Any]]:
    """Every kind: its name, documentation and the schema of its parameters."""
    return [{"name": name, "doc": kind.doc, "params": kind.params} for name, kind in sorted(_KINDS.items())]
