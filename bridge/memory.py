"""One bound on all buffered payloads together; beyond it the bridge stops reading payloads until there is room."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

import trio

from blender_addon.wire import Buffer

_RECYCLED_FROM = 1 << 20
_SPARE_AT_MOST = 128 << 20


class SpareBuffers:
    """Large buffers to be used again, 128 MiB at most.

    Receiving into fresh memory takes several times as long as receiving into memory that was touched before, because
    the operating system has to find and clear each page (64 MiB on the machine in the README: 43-85 ms against 11).
    """

    def __init__(self) -> None:
        self._spare: list[bytearray] = []

    def take(self, length: int) -> memoryview:
        """Writable memory of that length, with whatever is in it."""
        for index, buffer in enumerate(self._spare):
            if length <= len(buffer) <= 2 * length:
                del self._spare[index]
                return memoryview(buffer)[:length]
        return memoryview(bytearray(length))

    def give(self, payload: memoryview) -> None:
        """Take back what nobody reads any more; what is small, foreign or too much is left to Python."""
        buffer = payload.obj
        if not isinstance(buffer, bytearray) or len(buffer) < _RECYCLED_FROM:
            return
        if sum(map(len, self._spare)) + len(buffer) <= _SPARE_AT_MOST:
            self._spare.append(buffer)


class Holder(Protocol):
    """Whom a payload is charged to."""

    def drop(self, payload: Buffer) -> None:
        """Give back a payload's bytes and its memory; nobody may look at it afterwards."""
        ...


class SharedPayload:
    """One payload that several hold: the last of them to drop it gives its memory back to `owner`."""

    def __init__(self, owner: Holder | None, holders: int) -> None:
        self._owner = owner
        self._holders = holders

    def drop(self, payload: Buffer) -> None:
        """One of them is done with it."""
        self._holders -= 1
        if self._holders == 0 and self._owner is not None:
            self._owner.drop(payload)


class MemoryBudget:
    """Counts the bytes of all payloads that are buffered, requests' and responses' alike."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.waiting = 0
        self.spare = SpareBuffers()
        self._shares: list[MemoryShare] = []

    def share(self, limit: int) -> MemoryShare:
        """A part of the budget that may hold `limit` bytes at most."""
        share = MemoryShare(self, min(limit, self.limit))
        self._shares.append(share)
        return share

    def admit_waiters(self) -> None:
        """Room was made: let the shares' waiters look again."""
        for share in self._shares:
            share.admit_waiters()


class MemoryShare:
    """A share of the budget; those who wait for room are served in their order.

    Requests get a share that leaves room for the largest response, so that queued requests can never hold the memory
    that the answers need which would free them.
    """

    def __init__(self, budget: MemoryBudget, limit: int) -> None:
        self._budget = budget
        self._limit = limit
        self.used = 0
        self._waiters: OrderedDict[trio.lowlevel.Task, int] = OrderedDict()

    def reserve_now(self, count: int) -> bool:
        """Take `count` bytes if there is room and nobody waits."""
        budget = self._budget
        if self._waiters or self.used + count > self._limit or budget.used + count > budget.limit:
            return False
        self.used += count
        budget.used += count
        return True

    async def reserve(self, count: int) -> None:
        """Take `count` bytes, waiting for room. Cancelled, nothing was taken. Raises ValueError beyond the share."""
        if count > self._limit:
            raise ValueError(f"{count} bytes never fit into a share of {self._limit}")
        if self.reserve_now(count):
            return
        task = trio.lowlevel.current_task()
        self._waiters[task] = count
        self._budget.waiting += 1

        def leave(_: object) -> trio.lowlevel.Abort:
            del self._waiters[task]
            self._budget.waiting -= 1
            # Behind a large one that has left, a small one may fit.
            self.admit_waiters()
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(leave)

    def release(self, count: int) -> None:
        """Give `count` bytes back."""
        budget = self._budget
        self.used -= count
        budget.used -= count
        if budget.waiting:
            budget.admit_waiters()

    def allocate(self, length: int) -> memoryview:
        """Memory for a payload whose length was reserved."""
        return self._budget.spare.take(length)

    def drop(self, payload: Buffer) -> None:
        """Give back a payload's bytes and its memory; nobody may look at it afterwards."""
        self.release(len(payload))
        if isinstance(payload, memoryview):
            self._budget.spare.give(payload)

    def admit_waiters(self) -> None:
        """Serve the waiters that fit now, in their order."""
        while self._waiters:
            task, count = next(iter(self._waiters.items()))
            if self.used + count > self._limit or self._budget.used + count > self._budget.limit:
                return
            del self._waiters[task]
            self._budget.waiting -= 1
            self.used += count
            self._budget.used += count
            trio.lowlevel.reschedule(task)
