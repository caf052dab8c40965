"""A lease: the right to use one connection until it is released; and the slot that it is a grant of."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from types import CodeType, TracebackType
from typing import Generic, Protocol, TypeVar

import trio

from bridge.errors import PoolMisuse

TakenAt = tuple[CodeType, int]
"""A place in the code: a code object, and the byte offset of the instruction in it."""


class Poolable(Protocol):
    """What a pool asks of a connection. `poisoned` and `usable()` are asked inside decisions: they must not raise."""

    @property
    def poisoned(self) -> bool:
        """A request is on its way or its answer was not read: the connection must not be lent again."""
        ...

    def usable(self) -> bool:
        """A look without waiting: False where the other side has closed, or has sent what nobody asked for."""
        ...

    async def check(self) -> None:
        """A round trip. Raises where the other side does not answer properly; the pool bounds the time."""
        ...

    async def aclose(self) -> None:
        """Close politely; the pool bounds the time."""
        ...

    def abort(self) -> None:
        """Close now, without waiting."""
        ...


C = TypeVar("C", bound=Poolable)


class Slot(Generic[C]):
    """One live connection and what the pool knows of it; times are trio's clock."""

    __slots__ = ("connection", "expires_at", "generation", "idle_since", "lent")

    def __init__(self, connection: C, generation: int, expires_at: float) -> None:
        self.connection = connection
        self.generation = generation
        self.expires_at = expires_at
        self.idle_since = 0.0
        self.lent = False


class Lease(Generic[C]):
    """The scoped grant of one connection: `with await pool.acquire() as connection: …`.

    `release()` is synchronous, so no cancellation can interrupt it. A connection that is poisoned at release is
    closed, not lent again. Releasing twice raises PoolMisuse and changes nothing.
    """

    __slots__ = ("_release", "_taken_at", "granted_at", "leak_reported", "released", "slot", "task")

    def __init__(
        self,
        slot: Slot[C],
        task: trio.lowlevel.Task,
        granted_at: float,
        taken_at: TakenAt,
        release: Callable[[Lease[C]], None],
    ) -> None:
        self.slot = slot
        self.task = task
        self.granted_at = granted_at
        self.released = False
        self.leak_reported = False
        self._taken_at = taken_at
        self._release = release

    @property
    def connection(self) -> C:
        """The connection, for as long as the lease lasts."""
        if self.released:
            raise PoolMisuse("the lease was released: its connection belongs to somebody else by now")
        return self.slot.connection

    @property
    def taken_at(self) -> str:
        """file:line that acquired it."""
        # The line is looked up only now: to find it takes longer than the rest of an acquire.
        code, offset = self._taken_at
        line = next(islice(code.co_positions(), offset // 2, None))[0]
        return f"{code.co_filename}:{line}"

    def release(self) -> None:
        """Give the connection back: to the head waiter if there is one."""
        self._release(self)

    def __enter__(self) -> C:
        return self.slot.connection if not self.released else self.connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._release(self)

    def __repr__(self) -> str:
        state = "released" if self.released else "held"
        return f"<Lease {state} by {self.task.name} from {self.taken_at}>"
