"""The async client, on anyio: for asyncio and trio alike."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import anyio
from anyio.abc import ByteStream, TaskGroup, UNIXSocketStream

from blender_addon.wire import Address, ClientSession, Fault, FrameDecoder, Limits, Opened, Part, Response
from bridge.errors import Busy, NotRunning, ShuttingDown, error_from_fault
from bridge.paths import no_answer

from .backoff import Backoff, backlog_pause
from .exchange import (
    CANCEL_WAIT,
    CONNECT_TIMEOUT,
    GRACE,
    PEER,
    Call,
    OnEvent,
    Result,
    deadline_of,
    locate,
    request_buffers,
    result_of,
    status_object,
    unanswered,
    unsent,
)
from .link import unix_socket
from .multiplex import Answer, Exchange, Multiplex, next_event


class AsyncClient:
    """Calls a bridge; any number of tasks may call at once, over one connection.

        async with AsyncClient() as client:
            print((await client.call("scene.summary")).value)

    Without an address the running bridge is looked up, under BPY_BRIDGE_ADDRESS first. `instance` is the Blender that
    calls go to unless they name another. The client lives for one `async with`, in whose task group it reads and
    writes; leaving it ends every call that is still open with BlenderLost. What the bridge refuses as busy, which has
    not run, is sent again until the call's timeout, after pauses that grow; without `retry_busy` it raises Busy.
    Nothing else is ever sent twice.
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
        self._ids = itertools.count(1)

    async def __aenter__(self) -> Self:
        """Connect. Raises NotRunning where no bridge answers, RequestError where one refuses, ConfigurationError."""
        address, token = locate(self._address, self._token)
        self._stream, self._session, limits, decoder = await _open(address, token, self._connect_timeout)
        self._limits = limits
        self._slots = anyio.Semaphore(limits.max_in_flight)
        self._multiplex = Multiplex(self._stream, self._session, decoder)
        self._tasks: TaskGroup = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._multiplex.read)
        self._tasks.start_soon(self._multiplex.write)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        self._tasks.cancel_scope.cancel()
        try:
            return await self._tasks.__aexit__(kind, error, traceback)  # noqa: ASYNC102  # as a task group's own
        except BaseExceptionGroup as group:
            # The reader and the writer raise nothing but bugs; the body's own error goes on as it is, in no group.
            others = [leaf for leaf in _leaves(group) if leaf not in _leaves(error)]
            if not all(isinstance(leaf, anyio.get_cancelled_exc_class()) for leaf in others):
                raise
            return None
        finally:
            await anyio.aclose_forcefully(self._stream)

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        parts: Mapping[str, Part] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # the deadline travels to Blender with the request
        instance: str | None = None,
        key: str | None = None,
        boot: str | None = None,
        on_event: OnEvent | None = None,
        retry_busy: bool | None = None,
    ) -> Result:
        """Call a method and wait for its answer, at most `timeout` seconds (None: 300) and 5 s of grace.

        Beyond the bridge's limit of requests in flight, calls wait for each other within their timeout. `on_event`
        gets each progress and log object, with its kind under "event"; what it raises ends this call alone.
        Cancelled, the call is cancelled in Blender too, and waits up to 1.5 s for that before it goes.
        `retry_busy` is the client's unless given here.
        Raises RequestError by kind, each with its outcome (ShuttingDown, with nothing sent, once the bridge has said
        goodbye); NotRunning where the connection is gone already;
        ValueError or TypeError, before anything is sent, for a timeout or params that cannot be sent.
        """
        deadline = deadline_of(timeout)
        call = Call(method, params, parts, instance or self._instance, key, boot)
        until = anyio.current_time() + deadline
        retries = self._retry_busy if retry_busy is None else retry_busy
        backoff = Backoff()
        while True:
            try:
                return await self._try(call, until - anyio.current_time(), on_event)
            except Busy as refusal:
                pause = backoff.pause(refusal, until - anyio.current_time()) if retries else None
                if pause is None:
                    raise
            await anyio.sleep(pause)

    async def _try(self, call: Call, deadline: float, on_event: OnEvent | None) -> Result:
        started = anyio.current_time()
        with anyio.move_on_after(deadline) as scope:
            await self._slots.acquire()
        if scope.cancelled_caught:
            raise unsent(deadline)
        try:
            # The deadline is what is left: the wait for a slot has used some of it.
            left = max(deadline - (anyio.current_time() - started), 0.001)
            request_id = str(next(self._ids))
            buffers = request_buffers(self._session, self._limits, request_id, call, left)
            response, payload = await self._exchange(request_id, Exchange(buffers, on_event), left + GRACE, left)
        finally:
            self._slots.release()
        assert isinstance(response, Response)
        return result_of(response, payload)

    async def ping(self, timeout: float = CONNECT_TIMEOUT) -> dict[str, Any]:  # noqa: ASYNC109  # as Client.ping
        """The bridge's status in short, answered within milliseconds however busy Blender is."""
        ping_id = str(next(self._ids))
        exchange = Exchange([self._session.ping(ping_id)])
        _, payload = await self._exchange(ping_id, exchange, timeout, timeout)
        return status_object(payload)

    async def methods(self) -> list[dict[str, Any]]:
        """The catalogue: name, doc, params, result and hints of each method."""
        value: list[dict[str, Any]] = (await self.call("bridge.methods")).value
        return value

    async def status(self) -> dict[str, Any]:
        """The bridge's whole status."""
        value: dict[str, Any] = (await self.call("bridge.status")).value
        return value

    async def _exchange(self, request_id: str, exchange: Exchange, wait: float, deadline: float) -> Answer:
        if self._multiplex.ended:
            raise NotRunning("the connection to the bridge was lost: open a new AsyncClient")
        if self._multiplex.leaving:
            raise ShuttingDown("the bridge is shutting down: open a new AsyncClient when it is back")
        self._multiplex.start(request_id, exchange)
        try:
            await exchange.settled(wait)
        except BaseException:
            # Cancelled, or on_event raised: whoever stops waiting must not leave Blender working.
            with anyio.move_on_after(CANCEL_WAIT, shield=True):
                await self._abandon(request_id, exchange)
            raise
        finally:
            self._multiplex.forget(request_id)
        if exchange.answer is not None:
            return exchange.answer
        if self._multiplex.ended:
            raise self._multiplex.error_of(exchange)
        raise unanswered(deadline) if exchange.begun else unsent(deadline)

    async def _abandon(self, request_id: str, exchange: Exchange) -> None:
        """Cancel a request whose frame was begun, and wait for its last word."""
        if exchange.answer is not None or not exchange.begun or self._multiplex.ended:
            return
        exchange.done = anyio.Event()
        self._multiplex.cancel(request_id)
        await exchange.done.wait()


def _leaves(error: BaseException | None) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [] if error is None else [error]


async def _open(
    address: Address,
    token: str | None,
    within: float,
) -> tuple[ByteStream, ClientSession, Limits, FrameDecoder]:
    try:
        with anyio.fail_after(within):
            stream = await _connect(address)
            try:
                session, decoder = ClientSession(PEER, token=token), FrameDecoder()
                session.greet()
                event, _ = await next_event(stream, session, decoder)
            except BaseException:
                # Whatever ends the handshake, a cancel too, ends the connection.
                await anyio.aclose_forcefully(stream)
                raise
    except Fault as fault:
        raise error_from_fault(fault) from None
    except (OSError, anyio.EndOfStream, anyio.BrokenResourceError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "it closed the connection or did not answer"
        raise no_answer(str(address), reason) from error
    assert isinstance(event, Opened)
    return stream, session, event.welcome.limits, decoder


async def _connect(address: Address) -> ByteStream:
    if address.kind == "tcp":
        return await anyio.connect_tcp(address.host, address.port)
    sock = unix_socket(address)
    try:
        sock.setblocking(False)
        while True:
            try:
                sock.connect(address.path)
                break
            except BlockingIOError:
                # Its backlog is full. To wait until the socket is writable, as anyio would, is no help: it is that now.
                await anyio.sleep(backlog_pause())
        return await UNIXSocketStream.from_socket(sock)
    except BaseException:
        # A cancel too must not leave the socket behind.
        sock.close()
        raise
