"""Which tools are listed, so that the list fits a model's context: a profile, families, or both."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

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


def mistake(selection: str, families: Iterable[str]) -> str | None:
    """What is wrong with a selection where these families are there, in words; None where nothing is."""
    known = [*PROFILES, *sorted(families)]
    words = _words(selection)
    wrong = [word[:_LONGEST_WORD] for word in words if word not in known]
    if words and not wrong:
        return None
    said = ", ".join(map(repr, wrong[:5])) or "nothing"
    close = difflib.get_close_matches(wrong[0], known, 1) if wrong else []
    hint = f", did you mean {close[0]!r}?" if close else "."
    there = f"There are core, full, and the families {', '.join(known[len(PROFILES) :])}"
    return f"tools: {said} is no family of tools{hint} {there}"


def _words(selection: str) -> list[str]:
    return [word for part in selection.split(",") if (word := part.strip())]
