"""Blender's operators by name, and what they say when they fail."""

from __future__ import annotations

from typing import Any, Mapping

from ..wire import Fault


def operator_named(name: str) -> Any:
    """bpy.ops' own of the name "module.function"."""
    import bpy

    module, _, function = name.partition(".")
    return getattr(getattr(bpy.ops, module), function)


def is_operator(name: str) -> bool:
    """Whether there is an operator of that name."""
    try:
        operator_named(name).get_rna_type()
    except (KeyError, AttributeError, RuntimeError):
        return False
    return True


def run_operator(name: str, options: Mapping[str, Any], what: str) -> None:
    """Run it in the present context. Raises Fault `execution_failed`, in Blender's own words, where it did not finish.

    `what` was tried, for the message.
    """
    try:
        outcome = operator_named(name)(**options)
    except RuntimeError as error:
        raise _failed(what, str(error)) from None
    if "FINISHED" not in outcome:
        raise _failed(what, f"{name} gave up, and said no more")


def _failed(what: str, error: str) -> Fault:
    """Its last line: the lines before are the traceback of the add-on behind it."""
    lines = [line for line in error.splitlines() if line.strip() and not line.startswith("Location:")]
    said = lines[-1].removeprefix("Error: ").strip() if lines else "no reason given"
    data = {"type": "RuntimeError", "traceback": error[:10_000], "stdout": ""}
    return Fault("execution_failed", f"{what}: {said}"[:2000], data=data)
