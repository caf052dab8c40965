"""Whether the settings are valid."""

from __future__ import annotations

from collections.abc import Iterator

from bridge import paths

from .finding import Finding, broken, ok
from .place import Place

_EXAMPLE = "; for example "


def settings(place: Place) -> Iterator[Finding]:
    """One finding for each mistake."""
    for mistake in place.mistakes:
        what, _, example = mistake.partition(_EXAMPLE)
        yield broken(what, f"write, for example, {example}" if example else "change it as that says")
    if not place.mistakes:
        file = place.config or paths.config_file()
        yield ok(f"the settings are valid; there is {'the' if file.is_file() else 'no'} file {file}")
