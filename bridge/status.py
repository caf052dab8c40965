"""What the bridge says of itself, measured when it is asked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, NamedTuple

import trio

from . import protocol
from .fleet import Fleet, Instance
from .recent import Recent


class Readiness(NamedTuple):
    """Whether a request could be served now; `reason` in words, `instances` each with what keeps it from serving."""

    ready: bool
    reason: str
    instances: dict[str, str | None]


class Status:
    """Published state: rooms write what they know into it, doors read it.

    `listen`, `http` and `mcp` are the open doors' addresses, `clients` the connections to the framed door, `shared` how
    many requests another's execution has answered, `recent` what was done lately, `draining` is true once the bridge is
    told to end.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.listen: list[str] = []
        self.http: str | None = None
        self.mcp: str | None = None
        self.recent = Recent()
        self.clients = 0
        self.shared = 0
        self.draining = False
        self._fleet = fleet
        self._started = trio.current_time()

    @contextmanager
    def client(self) -> Iterator[None]:
        """One client connection is open."""
        self.clients += 1
        try:
            yield
        finally:
            self.clients -= 1

    @property
    def uptime(self) -> float:
        """Seconds since the bridge was built."""
        return trio.current_time() - self._started

    def whole(self) -> dict[str, Any]:
        """The bridge now, as JSON."""
        return {
            **self._identity(),
            "state": "draining" if self.draining else "running",
            "listen": self.listen,
            "http": self.http,
            "mcp": self.mcp,
            "clients": self.clients,
            "chosen": self._fleet.chosen,
            "groups": {group.name: [member.name for member in group.members] for group in self._fleet.groups.values()},
            "shared": self.shared,
            "instances": self.instances(),
        }

    def instances(self) -> list[dict[str, Any]]:
        """Every instance now, as JSON."""
        return [_describe(instance) for instance in self._fleet.instances.values()]

    def pong(self) -> dict[str, Any]:
        """What a ping on a door is answered with."""
        obstacles = self._obstacles()
        ready = sum(obstacle is None for obstacle in obstacles.values())
        return {**self._identity(), "instances": len(obstacles), "ready": ready}

    def readiness(self) -> Readiness:
        """Whether at least one instance can serve."""
        obstacles = self._obstacles()
        if self.draining:
            return Readiness(ready=False, reason="the bridge is shutting down", instances=obstacles)
        if None in obstacles.values():
            return Readiness(ready=True, reason="at least one instance can serve", instances=obstacles)
        return Readiness(ready=False, reason="no instance can serve", instances=obstacles)

    def _obstacles(self) -> dict[str, str | None]:
        return {name: instance.obstacle() for name, instance in self._fleet.instances.items()}

    def _identity(self) -> dict[str, Any]:
        return {"pid": os.getpid(), "version": protocol.VERSION, "uptime": round(self.uptime, 3)}


def _describe(instance: Instance) -> dict[str, Any]:
    obstacle = instance.obstacle()
    pool = instance.pool.statistics()
    return {
        "name": instance.name,
        "address": instance.address,
        "source": instance.source,
        "file": instance.file,
        "worker": None if instance.worker is None else instance.worker.as_object(),
        "blender": instance.blender,
        "addon": None if instance.addon is None else instance.addon.as_object(),
        "boot": instance.boot,
        "connected": pool.live > 0,
        "ready": obstacle is None,
        "obstacle": obstacle,
        "pool": asdict(pool),
        "health": instance.health.latest.value.as_object(),
    }
