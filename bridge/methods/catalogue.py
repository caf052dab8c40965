"""The catalogue of the methods that the bridge answers itself, defined as Blender's commands are: by signature.

The command line reads it too, without a bridge: nothing here imports trio.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from blender_addon.registry import Catalogue

if TYPE_CHECKING:
    from bridge.connection import OnEvent
    from bridge.fleet import Affinity, Fleet
    from bridge.jobs.queue import Queue
    from bridge.status import Status
    from bridge.supervisor import Supervisor


class Context(NamedTuple):
    """One request for a method of the bridge: what it may see, and what it was sent with.

    `instance` is the request's, None where it names none. `deadline` is on trio's clock; the request's scope ends it
    then. `on_event` sends an event to the client. `describe` returns the commands of that instance's Blender.
    `connection` is the id of the client's connection, `affinity` where its requests without a name go. `supervisor` has
    the Blenders that the bridge starts, `queue` the jobs. `perform` does a request as the same client, and returns its
    result's JSON value.
    """

    fleet: Fleet
    status: Status
    instance: str | None
    deadline: float
    on_event: OnEvent | None
    describe: Callable[[], Awaitable[list[dict[str, Any]]]]
    connection: str
    affinity: Affinity
    supervisor: Supervisor | None = None
    queue: Queue | None = None
    perform: Callable[[str, dict[str, Any]], Awaitable[Any]] | None = None


CATALOGUE = Catalogue(context=Context, families=("bridge", "jobs"))


def changes_something(name: str) -> bool:
    """The bridge has a method of that name, and it is not read-only."""
    return any(entry["name"] == name and not entry["hints"]["read_only"] for entry in CATALOGUE.describe())
