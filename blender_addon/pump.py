"""From the I/O threads to Blender's main thread and back.

    submit ──▶ queue ──take──▶ running ──▶ done: one answer to everyone who waits
                 └── cancelled, expired, orphaned: done without ever running

`Pump` is that table and what moves work through it; one plain lock guards it and is held around plain code alone.
`BlockingPump` is the loop that drives it where the main thread has nothing else to do.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import OrderedDict
from typing import Any, Callable, Dict, List, Optional

from .call import StopReason
from .execution import execute, stopped
from .interrupt import Interrupter
from .keys import Kept, KeyStore
from .wire import DEFAULT_MAX_PAYLOAD, Fault
from .work import Answer, State, Ticket, Work

MOST_QUEUED = 256


class Pump:
    """Queued, running and keyed work. Everything but `take` and `run` may be called from any thread."""

    def __init__(
        self, interrupter: Interrupter, *, most_queued: int = MOST_QUEUED, max_payload: int = DEFAULT_MAX_PAYLOAD
    ) -> None:
        self._interrupter = interrupter
        self._most_queued = most_queued
        self._max_payload = max_payload
        self._lock = threading.Lock()
        self._queue: OrderedDict[Work, None] = OrderedDict()
        self._running: Optional[Work] = None
        self._keys: KeyStore[Work, Answer] = KeyStore()
        self._closing: Optional[str] = None
        self._parked = False
        self._ticked = time.monotonic()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()

    def submit(self, work: Work) -> None:
        """Queue work, or give its ticket to the work or the answer that its key has already.

        Raises Fault: `busy`, `shutting_down`, `key_conflict`, `key_expired`.
        """
        ticket = work.tickets[0]
        with self._lock:
            kept = self._join(work, ticket) if work.key is not None else None
            if kept is None and ticket.work is None:
                self._enqueue(work, ticket)
        if kept is not None:
            ticket.requester.answer(ticket, kept)

    def _join(self, work: Work, ticket: Ticket) -> Optional[Answer]:
        assert work.key is not None
        known = self._keys.find(work.key, work.digest, time.monotonic())
        if isinstance(known, Kept):
            return known.answer
        if known is not None:
            ticket.work = known.live
            known.live.tickets.append(ticket)
        return None

    def _enqueue(self, work: Work, ticket: Ticket) -> None:
        if self._closing is not None:
            raise Fault("shutting_down", f"this Blender is ending ({self._closing}) and takes no more work")
        if len(self._queue) >= self._most_queued:
            raise Fault("busy", "too much work waits for this Blender: try again later", data=self._how_busy())
        ticket.work, ticket.owner = work, True
        self._queue[work] = None
        if work.key is not None:
            self._keys.claim(work.key, work.digest, work)
        if self._parked:
            self._parked = False
            self._wake.put(None)

    def _how_busy(self) -> Dict[str, Any]:
        running = self._running
        seconds = time.monotonic() - running.started if running is not None else 0.0
        return {
            "queued": len(self._queue),
            "limit": self._most_queued,
            "running": int(running is not None),
            "current": {"method": running.call.method, "seconds": seconds} if running is not None else None,
            "retry_after": 1.0,
        }

    def stop(self, work: Work, reason: StopReason) -> None:
        """Cancel work: remove it where it waits, interrupt it where it runs. No effect once it is done."""
        tickets: List[Ticket] = []
        with self._lock:
            if work.state is State.QUEUED:
                del self._queue[work]
                tickets = self._end(work)
                if work.key is not None:
                    self._keys.forget(work.key)
            elif work.state is State.RUNNING and work.call.stop_reason is None:
                work.call.stop_reason = reason
        self._interrupter.strike(work.call)
        _answer(tickets, stopped(work.call, reason, "not_executed"))

    def strike(self, work: Work) -> None:
        """Interrupt work again that was stopped and still runs: what it is in may have swallowed the first."""
        if work.state is State.RUNNING and work.call.stop_reason is not None:
            self._interrupter.strike(work.call)

    def expire(self, ticket: Ticket) -> None:
        """The ticket's deadline has passed."""
        work = ticket.work
        assert work is not None
        if ticket.owner:
            self.stop(work, "timeout")
            return
        if self._leave(work, ticket):
            message = f"{work.call.method} goes on for the request that it was first sent with: ask again later"
            _answer([ticket], Fault("timeout", message, outcome="unknown"))

    def abandon(self, ticket: Ticket) -> None:
        """The ticket's socket is gone. Work without a key that nobody waits for any more is stopped."""
        work = ticket.work
        if work is not None and self._leave(work, ticket) and work.key is None:
            self.stop(work, "orphaned")

    def _leave(self, work: Work, ticket: Ticket) -> bool:
        with self._lock:
            if ticket not in work.tickets:
                return False
            work.tickets.remove(ticket)
            return True

    def ending(self, work: Work) -> threading.Event:
        """An event that is set once the work is done."""
        with self._lock:
            if work.ended is None:
                work.ended = threading.Event()
                if work.state is State.DONE:
                    work.ended.set()
            return work.ended

    def take(self) -> Optional[Work]:
        """The next work to run, which is then the running one; None where there is none. Main thread."""
        while True:
            with self._lock:
                self._ticked = now = time.monotonic()
                if self._running is not None or not self._queue:
                    return None
                work, _ = self._queue.popitem(last=False)
                if work.call.deadline is None or now < work.call.deadline:
                    work.state, work.started = State.RUNNING, now
                    self._running = work
                    return work
                tickets = self._end(work)
                if work.key is not None:
                    self._keys.forget(work.key)
            _answer(tickets, stopped(work.call, "timeout", "not_executed"))

    def run(self, work: Work) -> Answer:
        """Run what `take` returned, and send and return its answer. Main thread. Raises nothing that it raises."""
        answer = execute(work, self._interrupter, self._max_payload)
        with self._lock:
            self._running = None
            tickets = self._end(work)
            if work.key is not None:
                self._keys.store(work.key, answer, answer.size, time.monotonic())
        for ticket in tickets:
            ticket.requester.answer(ticket, answer)
        return answer

    def _end(self, work: Work) -> List[Ticket]:
        work.state = State.DONE
        tickets, work.tickets = work.tickets, []
        work.release()
        if work.ended is not None:
            work.ended.set()
        return tickets

    def park(self, timeout: Optional[float] = None) -> None:
        """Wait until there may be work, or for `timeout` seconds, None for ever. Main thread."""
        with self._lock:
            if self._queue or self._closing is not None:
                return
            self._parked = True
        with contextlib.suppress(queue.Empty):
            self._wake.get(timeout=timeout)
        with self._lock:
            self._parked = False

    def close(self, reason: str) -> Optional[Work]:
        """Take no more work, answer what waits with `shutting_down`, and return what still runs."""
        with self._lock:
            self._closing = reason
            waiting = [(work, self._end(work)) for work in self._queue]
            self._queue.clear()
            for work, _ in waiting:
                if work.key is not None:
                    self._keys.forget(work.key)
            running = self._running
        self._wake.put(None)
        for _, tickets in waiting:
            _answer(tickets, Fault("shutting_down", f"this Blender is ending ({reason}); the request did not run"))
        return running

    @property
    def closing(self) -> bool:
        return self._closing is not None

    @property
    def running(self) -> Optional[Work]:
        """What runs now."""
        return self._running

    def status(self) -> Dict[str, Any]:
        """The pump's part of a pong: busy, running, queued, last_tick_age (0 while it is parked)."""
        with self._lock:
            now = time.monotonic()
            self._keys.drop_old(now)
            work = self._running
            running = None
            if work is not None:
                running = {"id": work.call.request_id, "method": work.call.method, "seconds": now - work.started}
            return {
                "busy": work is not None,
                "running": running,
                "queued": len(self._queue),
                "last_tick_age": 0.0 if self._parked else now - self._ticked,
            }


class BlockingPump:
    """Drives a pump where the main thread has nothing else to do: it sleeps until work comes."""

    def __init__(self, pump: Pump, perform: Callable[[Pump, Work], object] = Pump.run) -> None:
        """`perform` runs one work by the pump's `run`, with whatever else there is to do around it."""
        self._pump = pump
        self._perform = perform

    def run(self) -> None:
        """Run work until the pump is closed."""
        while not self._pump.closing:
            work = self._pump.take()
            if work is None:
                self._pump.park()
            else:
                self._perform(self._pump, work)


def _answer(tickets: List[Ticket], fault: Fault) -> None:
    if tickets:
        answer = Answer.of_fault(fault)
        for ticket in tickets:
            ticket.requester.answer(ticket, answer)
