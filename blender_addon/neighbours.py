"""Commands of other add-ons.

    def bpy_bridge_commands(command):
        @command("trees.plant")
        def plant(*, kind: str, count: int = 1) -> dict:
            '''Plant trees of that kind at the cursor.'''

An enabled add-on whose module has a function of that name is called with our decorator, and needs to import nothing of
ours. Its commands are there while it is enabled; where it raises, none of them are.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Callable, Dict, List, Mapping, NamedTuple

from .registry import Catalogue

HOOK = "bpy_bridge_commands"

_log = logging.getLogger(__name__)

Hook = Callable[[Callable[..., Any]], object]


def enabled_hooks(bpy: Any) -> Dict[str, Hook]:
    """The function of each enabled add-on that has one, by the add-on's module name. Main thread."""
    hooks = {}
    for name in bpy.context.preferences.addons.keys():  # noqa: SIM118  # not a dictionary: iterating it gives add-ons
        hook = getattr(sys.modules.get(name), HOOK, None)
        if callable(hook):
            hooks[name] = hook
    return hooks


class Neighbour(NamedTuple):
    """An add-on that offers commands: their names, and in `problem` why there are none, else ""."""

    hook: Hook
    commands: List[str]
    problem: str


class Neighbours:
    """Keeps a catalogue in step with the add-ons that are enabled. Main thread."""

    def __init__(self, catalogue: Catalogue, hooks: Callable[[], Mapping[str, Hook]]) -> None:
        """`hooks` says which there are now; see `enabled_hooks`."""
        self._catalogue = catalogue
        self._hooks = hooks
        self._known: Dict[str, Neighbour] = {}

    def look(self) -> bool:
        """Take in those that have come, let go of those that have gone or were reloaded. Returns whether any had."""
        try:
            hooks = self._hooks()
        except BaseException:  # noqa: BLE001  # the boundary: whatever other add-ons are, they don't stop our commands
            _log.exception("could not look for other add-ons' commands")
            return False
        known = self._known
        if hooks.keys() == known.keys() and all(known[name].hook is hook for name, hook in hooks.items()):
            return False
        # One that was refused may have been in conflict with one that goes now.
        gone = [name for name, its in known.items() if its.problem or hooks.get(name) is not its.hook]
        for name in gone:
            self._forget(known.pop(name).commands)
        for name, hook in hooks.items():
            if name not in known:
                known[name] = self._invite(name, hook)
        return True

    def known(self) -> Dict[str, Neighbour]:
        """Those there are, by module name."""
        return dict(self._known)

    def close(self) -> None:
        """Let go of all of them."""
        for neighbour in self._known.values():
            self._forget(neighbour.commands)
        self._known.clear()

    def _invite(self, module: str, hook: Hook) -> Neighbour:
        commands: List[str] = []

        def command(name: str, **hints: Any) -> Callable[[Callable[..., object]], Callable[..., object]]:
            if name in self._catalogue:
                raise ValueError(f"there is a command {name} already")
            register = self._catalogue.command(name, **hints)

            def registered(function: Callable[..., object]) -> Callable[..., object]:
                register(function)
                commands.append(name)
                return function

            return registered

        try:
            hook(command)
        except BaseException as error:  # noqa: BLE001  # the boundary: another add-on's code, sys.exit in it included
            _log.exception("the commands of the add-on %s could not be had", module)
            self._forget(commands)
            return Neighbour(hook, [], f"{type(error).__name__}: {error}"[:500])
        return Neighbour(hook, commands, "")

    def _forget(self, commands: List[str]) -> None:
        for name in commands:
            if name in self._catalogue:
                self._catalogue.remove(name)
