"""Who is meant where a request names nobody, and what is said where nobody can be meant.

In this order: what `bridge.use` chose, what is configured, what has announced itself, the embedded worker. Where the
first of these that there are is more than one, and none of them is named default, it is ambiguous: nothing is guessed.

A client's connection keeps the instance that its requests without a name got. If that is gone, its next such request is
refused, and so are those that were read before it: work is never moved to another scene unsaid. The one after that is
routed anew.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from bridge.errors import Refused

from .group import Group
from .instance import Instance

DEFAULT = "default"

Target = Instance | Group


class Affinity:
    """Where the requests of one client's connection go that name nobody; None until one has gone somewhere."""

    __slots__ = ("target",)

    def __init__(self) -> None:
        self.target: Target | None = None


def unnamed(instances: Mapping[str, Instance], groups: Mapping[str, Group]) -> Target:
    """Who is meant where nobody is named or was chosen. Raises Refused."""
    grouped = {member.name for group in groups.values() for member in group.members}
    configured: list[Target] = [
        instance for name, instance in instances.items() if instance.source == "configured" and name not in grouped
    ]
    announced: list[Target] = [instance for instance in instances.values() if instance.source == "announced"]
    embedded: list[Target] = [instance for instance in instances.values() if instance.source == "embedded"]
    for choice in ([*configured, *groups.values()], announced, embedded):
        if len(choice) > 1:
            default = next((target for target in choice if target.name == DEFAULT), None)
            if default is None:
                raise _ambiguous([*choice, *(announced if choice is not announced else [])])
            return default
        if choice:
            return choice[0]
    raise Refused("there is no Blender: none is configured and none has announced itself", code="unknown_instance")


def _ambiguous(choice: list[Target]) -> Refused:
    known = ", ".join(_in_words(target) for target in choice)
    message = f"there are several Blenders and none was named: name one, or choose one with `bpy-bridge use`: {known}"
    data = {"nearest": [target.name for target in choice], "instances": [_as_object(target) for target in choice]}
    return Refused(message, code="ambiguous_instance", data=data)


def _in_words(target: Target) -> str:
    file = target.file if isinstance(target, Instance) else None
    return f"{target.name} ({file})" if file else target.name


def _as_object(target: Target) -> dict[str, Any]:
    if isinstance(target, Group):
        return {"name": target.name, "members": [member.name for member in target.members]}
    return {"name": target.name, "source": target.source, "file": target.file, "blender": target.blender}


def several(group: Group) -> Refused:
    """Only one instance can be meant, and the name is that of several."""
    names = [member.name for member in group.members]
    message = f"{group.name} is {len(names)} Blenders: name one of {', '.join(names)}"
    return Refused(message, code="ambiguous_instance", data={"nearest": names})


def unknown(name: str, known: Collection[str]) -> Refused:
    """There is none of that name."""
    nearest = difflib.get_close_matches(name, known, n=5, cutoff=0.4) or list(known)[:5]
    message = f"there is no instance {name!r}; known here: {', '.join(nearest) or 'none'}"
    return Refused(message, code="unknown_instance", data={"nearest": nearest})


def gone(target: Target, known: Collection[str]) -> Refused:
    """The instance that the request was for has gone while it, or the client's connection, was bound to it."""
    message = (
        f"{target.name} is gone, and this request, which was for it, did not run. The next one without a name goes to "
        "whichever Blender is the default then: another scene, perhaps"
    )
    return Refused(message, code="unknown_instance", data={"gone": target.name, "nearest": list(known)[:5]})
