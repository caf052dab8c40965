"""What this Blender's Python has: operators, types, nodes and properties by name, for search. Made once."""

from __future__ import annotations

import contextlib
import re
from typing import Any, Dict, Iterator, List, Literal, NamedTuple, Optional, Sequence, Tuple

Kind = Literal["operator", "type", "node", "property", "function"]

# In this order where two entries match equally well.
_RANK = {"operator": 0, "node": 1, "type": 2, "property": 3, "function": 4}
_WORD = re.compile(r"[a-z0-9]+")


class Entry(NamedTuple):
    """`name`: mesh.primitive_cube_add, Object, ShaderNodeMath, Object.location, Object.ray_cast."""

    kind: Kind
    name: str
    label: str
    description: str


class Index(NamedTuple):
    entries: List[Entry]
    # Beside each entry, all that a query's words are looked for in.
    texts: List[str]


_cached: Optional[Tuple[int, Index]] = None


def index() -> Index:
    """The index; a new one where an add-on has come or gone since. Main thread."""
    global _cached  # noqa: PLW0603  # one process, one Blender
    state = _state()
    if _cached is None or _cached[0] != state:
        entries = [*_operators(), *_types()]
        texts = [f"{entry.name} {entry.label} {entry.description}".casefold() for entry in entries]
        _cached = state, Index(entries, texts)
    return _cached[1]


def names(kind: Kind) -> List[str]:
    """The names of all entries of that kind."""
    return [entry.name for entry in index().entries if entry.kind == kind]


def find(query: str, kinds: Sequence[str]) -> List[Entry]:
    """The entries that have every word of the query, those first that have them in their name."""
    query = query.casefold().strip().removeprefix("bpy.ops.").removeprefix("bpy.types.")
    words = _WORD.findall(query)
    if not words:
        return []
    entries, texts = index()
    matches = [
        (_score(entry, words, query), _RANK[entry.kind], len(entry.name), entry.name, position)
        for position, (entry, text) in enumerate(zip(entries, texts, strict=True))
        if (not kinds or entry.kind in kinds) and all(word in text for word in words)
    ]
    return [entries[match[-1]] for match in sorted(matches)]


def _score(entry: Entry, words: Sequence[str], query: str) -> int:
    """Smaller is better: the whole name, the last part of it, words of it, parts of words, then the description."""
    name, label = entry.name.casefold(), entry.label.casefold()
    if query in (name, label) or name.rpartition(".")[2] == "_".join(words):
        return 0
    inside = set(_WORD.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", f"{entry.name} {entry.label}").casefold()))
    missing = sum(word not in inside for word in words)
    if not missing:
        return 1
    return 2 + missing + 2 * sum(word not in name and word not in label for word in words)


def _state() -> int:
    """Another one where a type or an operator came or went: those of add-ons are types too."""
    import bpy

    return hash(tuple(dir(bpy.types)))


def _operators() -> Iterator[Entry]:
    import bpy

    for module in sorted(dir(bpy.ops)):
        functions = getattr(bpy.ops, module)
        for name in sorted(dir(functions)):
            with contextlib.suppress(KeyError):  # an add-on's, that has just gone
                rna = getattr(functions, name).get_rna_type()
                yield Entry("operator", f"{module}.{name}", rna.name, rna.description)


def _types() -> Iterator[Entry]:
    import bpy

    for name, rna in types().items():
        is_node = issubclass(getattr(bpy.types, name), bpy.types.Node)
        yield Entry("node" if is_node else "type", name, rna.name, rna.description)
        inherited = set(rna.base.properties.keys()) if rna.base else {"rna_type"}
        for prop in rna.properties:
            if prop.identifier not in inherited:
                yield Entry("property", f"{name}.{prop.identifier}", prop.name, prop.description)
        known = set(rna.base.functions.keys()) if rna.base else set()
        for function in rna.functions:
            if function.identifier not in known:
                yield Entry("function", f"{name}.{function.identifier}", "", function.description)


def types() -> Dict[str, Any]:
    """The RNA of each type that is no operator's properties, by name."""
    import bpy

    found = {}
    for name in dir(bpy.types):
        rna = getattr(getattr(bpy.types, name), "bl_rna", None)
        if rna is not None and "_OT_" not in name:
            found[name] = rna
    return found
