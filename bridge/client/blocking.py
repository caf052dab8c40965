"""The blocking client. Standard library only: importing it takes milliseconds."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Any, Self

from blender_addon.wire import Buffer, Event, Fault, Part, Pong, Response
from blender_addon.wire.session import ClientEvent
from bridge.errors import BridgeError, Busy, RequestCancelled

from .backoff import Backoff
from .exchange import (
    CANCEL_WAIT,
    CONNECT_TIMEOUT,
    GRACE,
    Call,
    OnEvent,
    Result,
    deadline_of,
    event_object,
    locate,
    lost,
    request_buffers,
    result_of,
    status_object,
    unanswered,
    unsent,
)
from .link import Link, open_link

_CHECKED_AFTER_IDLE = 1.0


class Client:
    """Calls a bridge and waits for the answer.

        with Client() as client:
            print(client.call("scene.summary").value)

    Without an address the running bridge is looked up, under BPY_BRIDGE_ADDRESS first. `instance` is the Blender that
    calls go to unless they name another. Entering connects; so does a call, where there is no connection or it was
    lost. What the bridge refuses as busy, which has not run, is sent again until the call's timeout, after
    pauses that grow; without `retry_busy` it raises Busy. Nothing else is ever sent twice.

    A client takes one call at a time: a second thread's is refused with a BridgeError, so use a client per thread (or
    AsyncClient). `cancel` alone may be called from another thread.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        token: str | None = None,
        instance: str | None = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        retry_busy: bool = True,
    ) -> None:
        self._address = address
        self._token = token
        self._instance = instance
        self._connect_timeout = connect_timeout
        self._retry_busy = retry_busy
        self._link: Link | None = None
        self._closed = False
        self._used_at = 0.0
        self._ids = itertools.count(1)
        self._busy = threading.Lock()
        self._sending = threading.Lock()
        self._running: str | None = None
        self._cancelled = False
        self._pausing: threading.Event | None = None

    def __enter__(self) -> Self:
        self._take_turn()
        try:
            self._connected()
        finally:
            self._busy.release()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the client is then of no more use."""
        self._closed = True
        self._drop()

    def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        parts: Mapping[str, Part] | None = None,
        timeout: float | None = None,
        instance: str | None = None,
        key: str | None = None,
        boot: str | None = None,
        on_event: OnEvent | None = None,
        retry_busy: bool | None = None,
    ) -> Result:
        """Call a method and wait for its answer, at most `timeout` seconds (None: 300) and 5 s of grace.

        `on_event` gets each progress and log object, with its kind under "event", in this thread. Interrupted, by
        Ctrl-C or by what on_event raises, the call is cancelled in Blender too, and waits up to 1.5 s for that.
        `retry_busy` is the client's unless given here.
        Raises RequestError by kind, each with its outcome; NotRunning where no bridge answers; ValueError or
        TypeError, before anything is sent, for a timeout or params that cannot be sent.
        """
        deadline = deadline_of(timeout)
        call = Call(method, params, parts, instance or self._instance, key, boot)
        self._take_turn()
        try:
            self._cancelled = False
            link = self._connected()
            until = monotonic() + deadline
            backoff = Backoff()
            while True:
                try:
                    return self._try(link, call, until - monotonic(), on_event)
                except Busy as refusal:
                    pause = backoff.pause(refusal, until - monotonic()) if self._retries(retry_busy) else None
                    if pause is None:
                        raise
                self._pause(pause)
                link = self._connected()
        finally:
            self._running = self._pausing = None
            self._busy.release()

    def _try(self, link: Link, call: Call, left: float, on_event: OnEvent | None) -> Result:
        request_id = str(next(self._ids))
        buffers = request_buffers(link.session, link.limits, request_id, call, left)
        until = monotonic() + left + GRACE
        try:
            self._send(link, buffers, until, left, request_id)
            response, payload = self._answer(link, request_id, until, left, on_event)
        except BaseException:
            # Interrupts and the callback's errors: whoever stops waiting must not leave Blender working.
            self._abandon(link)
            raise
        return result_of(response, payload)

    def _retries(self, retry_busy: bool | None) -> bool:
        return self._retry_busy if retry_busy is None else retry_busy

    def _pause(self, seconds: float) -> None:
        """Wait before the next try; until that one is sent, `cancel` ends the call here."""
        with self._sending:
            self._running = None
            self._pausing = pausing = threading.Event()
            if self._cancelled:
                pausing.set()
        if pausing.wait(seconds):
            raise RequestCancelled("it was cancelled while the bridge was busy; it did not run", outcome="not_executed")

    def _begin(self, link: Link, request_id: str) -> None:
        """The request is sent, in this step: from now on there is something to cancel in Blender."""
        self._running = request_id
        pausing, self._pausing = self._pausing, None
        if pausing is not None and pausing.is_set():
            link.send_small(link.session.cancel(request_id))

    def cancel(self) -> bool:
        """Ask for the end of the call that runs now; from another thread, or in on_event. False where none runs.

        The call then raises RequestCancelled, or returns if it had finished.
        """
        with self._sending:
            link, running = self._link, self._running
            if self._pausing is not None:
                self._pausing.set()
                return True
            if link is None or running is None:
                return False
            # The answer on its way may be that the bridge is busy, after which nothing must be sent again.
            self._cancelled = True
            with suppress(OSError):  # the call itself reports a lost connection
                link.send_small(link.session.cancel(running))
            return True

    def ping(self, timeout: float = CONNECT_TIMEOUT) -> dict[str, Any]:
        """The bridge's status in short, answered within milliseconds however busy Blender is."""
        self._take_turn()
        try:
            link = self._connected()
            ping_id = str(next(self._ids))
            until = monotonic() + timeout
            try:
                self._send(link, [link.session.ping(ping_id)], until, timeout)
                while True:
                    event, payload = self._receive(link, until, timeout)
                    if isinstance(event, Pong) and event.id == ping_id:
                        return status_object(payload)
            except BaseException:
                # An interrupt: the pong would be in the next call's way.
                self._drop()
                raise
        finally:
            self._busy.release()

    def methods(self) -> list[dict[str, Any]]:
        """The catalogue: name, doc, params, result and hints of each method."""
        value: list[dict[str, Any]] = self.call("bridge.methods").value
        return value

    def status(self) -> dict[str, Any]:
        """The bridge's whole status."""
        value: dict[str, Any] = self.call("bridge.status").value
        return value

    def _take_turn(self) -> None:
        if not self._busy.acquire(blocking=False):
            raise BridgeError("this Client is in a call already: use one Client per thread, or AsyncClient")

    def _connected(self) -> Link:
        if self._closed:
            raise BridgeError("this Client is closed: make a new one")
        link = self._link
        if link is not None:
            if monotonic() - self._used_at < _CHECKED_AFTER_IDLE or link.still_open():
                return link
            self._drop()
        address, token = locate(self._address, self._token)
        self._link = open_link(address, token, self._connect_timeout)
        self._used_at = monotonic()
        return self._link

    def _send(
        self, link: Link, buffers: list[Buffer], until: float, deadline: float, request_id: str | None = None
    ) -> None:
        """Send a whole frame. One that was not sent whole has not run, which the error says."""
        try:
            with self._sending:
                link.send(buffers, until)
                if request_id is not None:
                    self._begin(link, request_id)
        except TimeoutError:
            self._drop()
            raise unsent(deadline) from None
        except OSError:
            # The bridge may have said why it closed, before it did.
            with suppress(OSError, Fault):
                while True:
                    link.receive(monotonic() + CANCEL_WAIT)
            self._drop()
            raise lost(link.session, "not_executed") from None

    def _receive(self, link: Link, until: float, deadline: float) -> tuple[ClientEvent, Buffer]:
        try:
            event = link.receive(until)
        except TimeoutError:
            self._drop()
            raise unanswered(deadline) from None
        except (OSError, Fault):
            self._drop()
            raise lost(link.session) from None
        self._used_at = monotonic()
        return event

    def _answer(
        self, link: Link, request_id: str, until: float, deadline: float, on_event: OnEvent | None
    ) -> tuple[Response, Buffer]:
        while True:
            event, payload = self._receive(link, until, deadline)
            if isinstance(event, Response) and event.id == request_id:
                return event, payload
            if isinstance(event, Event) and event.id == request_id and on_event is not None:
                on_event(event_object(event, payload))

    def _abandon(self, link: Link) -> None:
        """Cancel the request that was sent, wait a moment for its last word, and close the connection.

        It is closed even if the answer comes: an interrupt can fall between reading bytes and counting them.
        """
        request_id = self._running
        # Python may be interrupted between leaving `with` and giving its lock back: that one would never come free.
        self._sending = threading.Lock()
        if self._link is not link:
            return
        try:
            if request_id is not None and self.cancel():
                until = monotonic() + CANCEL_WAIT
                with suppress(OSError, Fault):
                    while not _is_answer(link.receive(until)[0], request_id):
                        pass
        finally:
            self._drop()

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()


def _is_answer(event: ClientEvent, request_id: str) -> bool:
    return isinstance(event, Response) and event.id == request_id
