"""All instances, as they come and go, and the routes to them."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import Context
from functools import partial

import trio

from bridge.errors import Refused
from bridge.trace import Trace

from . import routing
from .group import Group
from .instance import Instance
from .routing import DEFAULT, Affinity, Target


class Fleet:
    """All instances. `route` finds a request's; `run` owns the pools; `trace` shows what passes on their wires.

    `chosen` is the name that `use` was given: whom all mean that name nobody, while that one is there.
    """

    def __init__(self, instances: Iterable[Instance] = ()) -> None:
        self.instances: dict[str, Instance] = {}
        self.groups: dict[str, Group] = {}
        self.trace = Trace()
        self._chosen: Target | None = None
        self._nursery: trio.Nursery | None = None
        self._closed = trio.Event()
        for instance in instances:
            self.add(instance)

    @property
    def names(self) -> set[str]:
        """What nobody else can be called: the names of all instances and groups, and `default`."""
        return {DEFAULT, *self.instances, *self.groups}

    @property
    def chosen(self) -> str | None:
        """Whom `use` chose; None where nobody is chosen, or that one is gone."""
        return self._chosen.name if self._chosen is not None and self.has(self._chosen) else None

    def has(self, target: Target) -> bool:
        """It is here, and no other of its name."""
        return self.instances.get(target.name) is target or self.groups.get(target.name) is target

    # coming and going: all synchronous

    def add(self, instance: Instance) -> None:
        """One more; while the fleet runs, it runs from now on. Raises ValueError for a name that is taken."""
        if instance.name in self.instances or instance.name in self.groups:
            raise ValueError(f"there is a Blender called {instance.name} already")
        self.instances[instance.name] = instance
        instance.trace = self.trace
        if self._closed.is_set():
            instance.pool.close()
        if self._nursery is not None:
            # Outside of the context of the request that it may come with: its log lines are not that request's.
            Context().run(partial(self._nursery.start_soon, instance.run))

    def add_group(self, group: Group) -> None:
        """From now on its name means whichever of its members, all of them added before, is free first."""
        if group.name in self.instances or group.name in self.groups:
            raise ValueError(f"there is a Blender called {group.name} already")
        self.groups[group.name] = group

    def remove(self, name: str) -> Instance:
        """One less, from this moment. Requests that wait for it are refused, those in flight may end.

        A group that it was in goes with it. Raises KeyError.
        """
        instance = self.instances.pop(name)
        for group in [group for group in self.groups.values() if instance in group.members]:
            del self.groups[group.name]
        instance.pool.close()
        return instance

    # routes

    def find(self, name: str | None, affinity: Affinity | None = None) -> Instance:
        """The one instance that `peek` finds. Raises Refused, also where the name is that of several."""
        target = self.peek(name, affinity)
        if isinstance(target, Group):
            raise routing.several(target)
        return target

    def find_all(self, name: str | None, affinity: Affinity | None = None) -> dict[str, Instance]:
        """The one instance that `peek` finds, or all of the group, by their names. Raises Refused."""
        target = self.peek(name, affinity)
        found = target.members if isinstance(target, Group) else (target,)
        return {instance.name: instance for instance in found}

    def peek(self, name: str | None, affinity: Affinity | None = None) -> Target:
        """Whom a request would be for, by its name or its client's affinity, which stays as it is. Raises Refused."""
        kept = affinity.target if affinity is not None else None
        if kept is not None and self._means_default(name) and self.has(kept):
            return kept
        return self.route(name, Affinity())

    def behind(self, name: str) -> list[Instance]:
        """The instance of that name, or all of the group; none where nobody is called so."""
        group = self.groups.get(name)
        instance = self.instances.get(name)
        return [instance] if instance is not None else [] if group is None else list(group.members)

    def route(self, name: str | None, affinity: Affinity, bound: Target | None = None) -> Target:
        """Whom a request is for, by the name in it or by what its client's connection got before.

        `bound` is what the affinity was when the request was read. Raises Refused: unknown_instance,
        ambiguous_instance, or unknown_instance once where what the connection got is gone.
        """
        if name is not None and not self._means_default(name):
            target = self._named(name)
            if target is None:
                raise routing.unknown(name, [*self.groups, *self.instances])
            return target
        kept = bound if bound is not None else affinity.target
        if kept is None:
            kept = affinity.target = self._default()
        elif not self.has(kept):
            raise self.gone(kept, affinity)
        return kept

    def use(self, name: str | None) -> Target | None:
        """Choose whom all mean that name nobody and got nobody yet; None undoes it. Raises Refused."""
        target = None if name is None else self._named(name)
        if name is not None and target is None:
            raise routing.unknown(name, [*self.groups, *self.instances])
        self._chosen = target
        return target

    def gone(self, target: Target, affinity: Affinity) -> Refused:
        """What a request is told whose instance is gone. Its connection is bound to that no more."""
        if affinity.target is target:
            affinity.target = None
        return routing.gone(target, [*self.groups, *self.instances])

    def _default(self) -> Target:
        chosen = self._chosen
        if chosen is not None:
            if self.has(chosen):
                return chosen
            # Somebody relies on the choice, and has to hear that it is over before another scene is worked on.
            self._chosen = None
            raise routing.gone(chosen, [*self.groups, *self.instances])
        return routing.unnamed(self.instances, self.groups)

    def _named(self, name: str) -> Target | None:
        return self.instances.get(name) or self.groups.get(name)

    def _means_default(self, name: str | None) -> bool:
        """No name; or `default`, where no Blender was given that name by somebody."""
        if name != DEFAULT:
            return name is None
        own = self._named(DEFAULT)
        return own is None or (isinstance(own, Instance) and own.source == "embedded")

    # the way up and down

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run every instance, those that are added later too, until the fleet is drained or closed."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                for instance in list(self.instances.values()):
                    await nursery.start(instance.run)
                task_status.started()
                await self._closed.wait()
            finally:
                self._nursery = None

    async def drain(self) -> None:
        """Refuse new requests and the waiting ones, end every trace, and wait until those in flight have ended."""
        self.trace.close()
        self.close()
        async with trio.open_nursery() as nursery:
            for instance in list(self.instances.values()):
                nursery.start_soon(instance.pool.drain)

    def close(self) -> None:
        """Refuse new requests and the waiting ones; those in flight may end."""
        self._closed.set()
        for instance in self.instances.values():
            instance.pool.close()
