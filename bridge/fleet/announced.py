"""Blenders that have announced themselves become instances of the fleet, under names that last as long as they do."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import PurePath

import structlog

from blender_addon.descriptor import Descriptor

from .fleet import Fleet
from .instance import Instance

log = structlog.get_logger(__name__)

_LONGEST = 48
_NO_NAME = "blender"

Make = Callable[[str, Descriptor], Instance]


class Announced:
    """What discovery finds, in the fleet. `make` makes the instance of that name for a descriptor.

    Who listens where an instance of another source already is, is that instance, and gets no second name.
    """

    def __init__(self, fleet: Fleet, make: Make) -> None:
        self._fleet = fleet
        self._make = make
        self._instances: dict[tuple[object, ...], Instance] = {}

    def come(self, descriptor: Descriptor) -> None:
        """It is there: add it."""
        if any(instance.address == descriptor.address for instance in self._fleet.instances.values()):
            log.info("an announced Blender is known already", address=descriptor.address)
            return
        name = unique_name(descriptor.name or descriptor.file, self._fleet.names)
        instance = self._instances[descriptor.identity] = self._make(name, descriptor)
        self._fleet.add(instance)
        log.info("a Blender has announced itself", instance=name, pid=descriptor.pid, file=descriptor.file)

    def changed(self, descriptor: Descriptor) -> None:
        """Another file is open there. Its name stays."""
        instance = self._instances.get(descriptor.identity)
        if instance is not None:
            instance.file = descriptor.file

    def gone(self, descriptor: Descriptor) -> None:
        """It has ended, or wants to be left alone."""
        instance = self._instances.pop(descriptor.identity, None)
        if instance is not None:
            self._fleet.remove(instance.name)
            log.info("an announced Blender is gone", instance=instance.name, pid=descriptor.pid)


def unique_name(text: str, taken: Collection[str]) -> str:
    """A name after a file or a wish: `shot-010`, or `shot-010-2` where that is taken; `blender` after nothing."""
    # A file's name may have been written on another system.
    last = PurePath(text.replace("\\", "/")).name
    stem = re.sub(r"\.blend\d*$", "", last, flags=re.IGNORECASE)
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:_LONGEST].rstrip("-._") or _NO_NAME
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name
