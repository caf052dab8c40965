"""Which tools are listed, so that the list fits a model's context: a profile, families, or both."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NamedTuple

CORE = (
    "scene.summary", "scene.objects", "object.get", "object.create", "object.update", "object.delete",
    "object.duplicate", "material.set", "modifier.add", "light.create", "camera.look_at", "camera.frame_objects",
    "world.set", "viewport.preview", "viewport.screenshot", "render.still", "history.undo", "history.checkpoint",
    "code.execute", "file.open", "file.save", "api.search", "bridge.status",
)  # fmt: skip
PROFILES = ("core", "full")
_LONGEST_WORD = 64


def selects(selection: str, method: str) -> bool:
    """Whether a command is listed. The selection: `core`, `full` and names of families, with commas."""
    chosen = _words(selection)
    return "full" in chosen or method.partition(".")[0] in chosen or ("core" in chosen and method in CORE)


class Mistake(NamedTuple):
    """What is wrong with a selection, in words. `certain` where no add-on can bring what is unknown: it is misspelt."""

    message: str
    certain: bool


def mistake(selection: str, families: Iterable[str]) -> Mistake | None:
    """What is wrong with a selection where these families are there; None where nothing is."""
    known = [*PROFILES, *sorted(families)]
    words = _words(selection)
    wrong = [word[:_LONGEST_WORD] for word in words if word not in known]
    if words and not wrong:
        return None
    said = ", ".join(map(repr, wrong[:5])) or "nothing"
    message = f"tools: {said} is no family of tools: give core, full, or some of {', '.join(known[len(PROFILES) :])}"
    return Mistake(message, any(difflib.get_close_matches(word, known) for word in wrong) or not words)


def _words(selection: str) -> list[str]:
    return [word for part in selection.split(",") if (word := part.strip())]
