"""The pool's limits. Times are seconds."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """Defaults suit one Blender on the same machine, which runs one command at a time anyway.

    `warm` connections (at most max_connections) are kept open without demand. `acquire_timeout` is beside the
    request's own deadline. `unavailable_timeout` is how long an acquire waits while there is no connection at all. A
    connection that was idle for `check_after` is pinged before it is lent. A lease held for `leak_after` is reported.
    """

    max_connections: int = 4
    max_waiting: int = 256
    warm: int = 1
    acquire_timeout: float = math.inf
    unavailable_timeout: float = 5.0
    connect_timeout: float = 5.0
    check_after: float = 1.0
    check_timeout: float = 2.0
    close_timeout: float = 1.0
    idle_timeout: float = 600.0
    max_lifetime: float = 3600.0
    lifetime_jitter: float = 0.05
    leak_after: float = 900.0
    reconnect_delay: float = 0.05
    reconnect_max_delay: float = 2.0
    reconnect_max_delay_in_demand: float = 0.25

    def __post_init__(self) -> None:
        if self.max_connections < 1 or self.max_waiting < 1:
            raise ValueError("max_connections and max_waiting must be at least 1")
        if self.warm < 0:
            raise ValueError("warm must not be negative")

    def lifetime(self) -> float:
        """Of one connection, in seconds; jittered, so that not all end at once."""
        return self.max_lifetime * (1.0 - random.uniform(0.0, self.lifetime_jitter))  # noqa: S311  # no secret
