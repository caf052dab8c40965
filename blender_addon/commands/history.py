"""history.*: undo and redo. Each command that changes something is one step, named after it."""

from __future__ import annotations

from typing import Annotated, List, Literal, Optional, TypedDict

from ..constraints import Pattern, Range, Size
from ..schema import did_you_mean, nearest
from ..undo import FIRST, LONGEST_NAME, in_window, step
from ..undo_stack import Stack, read_stack
from ..wire import Fault
from .catalogue import command
from .lookup import refuse
from .paging import Limit

StepName = Annotated[str, "its name", Size(1, LONGEST_NAME), Pattern(r"[^\x00-\x1f\x7f]*", "text on one line")]
Steps = Annotated[int, "how many; more than there are is all of them", Range(1, 256)]


class Moved(TypedDict):
    """`steps`: how many were undone or redone, `names`: theirs, in that order. `can_undo` and `can_redo` say how many
    are left. The last three are null where this Blender does not tell.
    """

    steps: int
    names: Optional[List[str]]
    can_undo: Optional[int]
    can_redo: Optional[int]


class HistoryStep(TypedDict):
    """`state`: done and can be undone; `current`, the last one done; undone and can be redone."""

    name: str
    state: Literal["done", "current", "undone"]


class History(TypedDict):
    """The newest first; `total` counts those too that are left out."""

    steps: List[HistoryStep]
    total: int
    can_undo: int
    can_redo: int


class Checkpoint(TypedDict):
    name: str


@command("history.undo", destructive=True, undo=False)
def undo(*, steps: Steps = 1) -> Moved:
    """Take back the last steps: commands that changed something, and what the user did by hand. Answers their names.

    history.redo brings them back, as long as nothing else is changed first. Loading a file empties the history.
    """
    return _move("undo", steps)


@command("history.redo", undo=False)
def redo(*, steps: Steps = 1) -> Moved:
    """Bring back what history.undo (or the user) has just taken back. Answers the names of the steps."""
    return _move("redo", steps)


@command("history.checkpoint", undo=False)
def checkpoint(*, name: StepName) -> Checkpoint:
    """Mark the present state with a name that history.restore can go back to.

    It is a step like any other: Blender forgets the oldest (it keeps 32 by default), and all when a file is loaded.
    """
    if len(name.encode()) > LONGEST_NAME:
        raise refuse("name", f"has {len(name.encode())} bytes, and Blender keeps {LONGEST_NAME}: choose a shorter one")
    if name == FIRST:
        raise refuse("name", f"{FIRST!r} is what Blender calls the state of the file as it was loaded: choose another")
    _ready()
    step(name)
    return {"name": name}


@command("history.restore", destructive=True, idempotent=True, undo=False)
def restore(*, name: StepName) -> Moved:
    """Go to the state right after the step of that name, the latest one of it: a checkpoint, or any step of
    history.list. It may be an undone one. Nothing is forgotten: undo and redo go on from there.
    """
    import bpy

    _ready()
    with in_window():
        stack = _known_stack()
        places = [place for place, known in enumerate(stack.steps) if known.name == name]
        if not places:
            known_names = list(dict.fromkeys(known.name for known in stack.steps))
            problem = f"there is no step named {name!r}{did_you_mean(name, known_names)}"
            raise refuse("name", problem, nearest(name, known_names))
        place = places[-1]
        between = stack.done[: stack.at - place] if place < stack.at else stack.undone[: place - stack.at]
        if place != stack.at:
            bpy.ops.ed.undo_history(item=stack.steps[place].number)
        after = _known_stack()
    names = [passed.name for passed in between]
    return {"steps": len(names), "names": names, "can_undo": len(after.done), "can_redo": len(after.undone)}


@command("history.list", read_only=True)
def list_steps(*, limit: Limit = 32) -> History:
    """List the undo steps that Blender keeps, the newest first: commands, checkpoints and what the user did by hand."""
    with in_window():
        stack = _known_stack()
    listed: List[HistoryStep] = [
        {"name": known.name, "state": "done" if place < stack.at else "current" if place == stack.at else "undone"}
        for place, known in enumerate(stack.steps)
    ]
    listed.reverse()
    total = len(listed)
    return {"steps": listed[:limit], "total": total, "can_undo": len(stack.done), "can_redo": len(stack.undone)}


def _move(direction: Literal["undo", "redo"], steps: int) -> Moved:
    import bpy

    operator = getattr(bpy.ops.ed, direction)
    _ready()
    with in_window():
        before = read_stack()
        names = None
        if before is not None:
            passed = before.done if direction == "undo" else before.undone
            names = [known.name for known in passed[:steps]]
            steps = len(names)
        moved = 0
        while moved < steps and operator.poll():
            operator()
            moved += 1
        after = read_stack()
    return {
        "steps": moved,
        "names": names,
        "can_undo": None if after is None else len(after.done),
        "can_redo": None if after is None else len(after.undone),
    }


def _known_stack() -> Stack:
    stack = read_stack()
    if stack is None:
        raise Fault("forbidden", "this Blender does not show its undo steps: use history.undo and history.redo")
    return stack


def _ready() -> None:
    """Raises Fault where undo would do harm, or nothing."""
    import bpy

    if not bpy.context.preferences.edit.use_global_undo:
        where = "Blender's preferences, Editing, Undo & Redo"
        raise Fault("forbidden", f"Global Undo is switched off in this Blender: switch it on in {where}")
    if bpy.app.is_job_running("RENDER"):
        raise Fault("busy", "a render is under way and undo would end it: try again when it is done")
    for window in bpy.context.window_manager.windows:
        # Blender before 4.2 does not say what the user is in the middle of.
        for operator in getattr(window, "modal_operators", ()):
            if operator.bl_options & {"UNDO", "BLOCKING"}:
                message = f"the user is in the middle of {operator.bl_label!r} in Blender: try again when it is done"
                raise Fault("busy", message)
