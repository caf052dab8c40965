"""Whether a pool lends connections and opens them, and who has said so."""

from __future__ import annotations

from .statistics import PoolState


class Availability:
    """A paused pool lends nothing; a parked one opens nothing either, and keeps nothing that comes back.

    `expecting`: who listens at the address is on his way. `given_up` is why nobody is to listen there. `closed` is for
    good.
    """

    __slots__ = ("closed", "expecting", "given_up", "parked", "paused")

    def __init__(self) -> None:
        self.closed = False
        self.paused = False
        self.parked = False
        self.expecting = False
        self.given_up: str | None = None

    @property
    def opens_nothing(self) -> bool:
        return self.closed or self.parked or self.expecting or self.given_up is not None

    @property
    def patient(self) -> bool:
        """That there is no connection is no reason to refuse who waits: it is meant so, or will end."""
        return self.paused or self.expecting

    def park(self) -> None:
        self.paused = self.parked = True

    def resume(self) -> None:
        self.paused = self.parked = False

    def expect(self) -> None:
        self.expecting, self.given_up = True, None

    def arrive(self) -> None:
        self.expecting, self.given_up = False, None

    def state(self, leased: int, total: int) -> PoolState:
        """In a word, for a pool of which so many connections are lent, and so many exist or are being opened."""
        if self.closed:
            return "closing" if leased else "closed"
        if self.parked:
            return "draining" if total else "drained"
        return "paused" if self.paused else "open"
