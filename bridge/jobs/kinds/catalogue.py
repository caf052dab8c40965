"""The kinds of job: a function each, whose signature is the schema of its parameters and its documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from blender_addon.registry import Command
from blender_addon.schema import did_you_mean, nearest
from blender_addon.wire import Fault
from bridge.errors import Refused, error_from_fault
from bridge.jobs.work import Work

Function = TypeVar("Function", bound=Callable[..., object])
Examine = Callable[[Mapping[str, Any]], None]
"""Looks at checked parameters for what can be known before the work begins; it may read files. Raises Fault."""


class Kind(NamedTuple):
    """One kind. `scene`: without a file it works on the scene that is open at submit. `code`: it runs Python."""

    command: Command
    scene: bool
    code: bool
    examine: Examine


_KINDS: dict[str, Kind] = {}
_HINTS = {"read_only": False, "destructive": False, "idempotent": False}


def kind(name: str, *, examine: Examine, scene: bool = False, code: bool = False) -> Callable[[Function], Function]:
    """Register the coroutine function below as a kind; its parameter annotated `Work` is given the attempt.

    What it returns is in the job's result, beside its files.
    """

    def register(function: Function) -> Function:
        command = Command(name, function, hints=_HINTS, io_thread=False, context=Work)
        _KINDS[name] = Kind(command, scene, code, examine)
        return function

    return register


def find(name: str) -> Kind:
    """The kind of that name. Raises Refused with the nearest ones."""
    found = _KINDS.get(name)
    if found is None:
        hint = did_you_mean(name, _KINDS)
        message = f"there is no kind of job {name!r:.80}{hint}: there are {', '.join(sorted(_KINDS))}"
        raise Refused(message, data={"nearest": nearest(name, _KINDS) or sorted(_KINDS)})
    return found


def check(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as the kind's function takes them. Raises Refused with every problem there is."""
    try:
        return find(name).command.bind(dict(params), {})
    except Fault as fault:
        raise error_from_fault(fault) from None


def examine(name: str, params: Mapping[str, Any]) -> None:
    """Look for what can be known at submit: files, ffmpeg. It may block. Raises Refused."""
    try:
        find(name).examine(params)
    except Fault as fault:
        raise error_from_fault(fault) from None


def takes_scene(name: str, params: Mapping[str, Any]) -> bool:
    """Whether it works on the scene that is open now: it can, and no file is named."""
    return find(name).scene and params.get("blend") is None


def describe() -> list[dict[str, Any]]:
    """Every kind: its name, documentation and the schema of its parameters."""
    return [
        {"name": name, "doc": kind.command.doc, "params": kind.command.params} for name, kind in sorted(_KINDS.items())
    ]
