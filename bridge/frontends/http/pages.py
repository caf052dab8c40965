"""What there is to read over HTTP, as an ASGI application. Nothing here changes anything; what is mounted may.

Only programs of this machine get in, and a web page in a browser of this machine is none of them: a request whose Host
is not a loopback name is refused (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Iterable, Mapping

from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

from bridge import protocol
from bridge.status import Status

MetricsPage = Callable[[str], tuple[bytes, str]]
"""The metrics now, for an Accept header: the body and its content type."""

_JSON = "application/json"


class Pages:
    """/livez, /readyz, /status and /metrics, as an ASGI application."""

    def __init__(
        self, status: Status, metrics: MetricsPage, mounted: Mapping[str, ASGIFramework] | None = None
    ) -> None:
        """`mounted` are whole applications, each at its path: it sees to methods and permission itself."""
        self._mounted = mounted or {}
        self._status = status
        self._metrics = metrics
        self._pages: dict[str, Callable[[HTTPScope], _Page]] = {
            "/livez": self._livez,
            "/readyz": self._readyz,
            "/metrics": self._metrics_page,
            "/status": self._whole_status,
        }

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"] in self._mounted and _is_loopback(_header(scope, b"host")):
            await self._mounted[scope["path"]](scope, receive, send)
        elif scope["type"] == "http":
            await _respond(scope, send, self._page(scope))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000, "reason": "there are no WebSockets here"})

    def _page(self, scope: HTTPScope) -> _Page:
        host = _header(scope, b"host")
        if not _is_loopback(host):
            return _error(403, f"this door is for programs of this machine, and {host[:200]!r} is no name of it")
        page = self._pages.get(scope["path"])
        if page is None:
            known = ", ".join([*self._pages, *self._mounted])
            return _error(404, f"there is nothing at {scope['path'][:200]}; there are {known}")
        if scope["method"] not in ("GET", "HEAD"):
            return _error(405, "only GET and HEAD are answered here", [(b"allow", b"GET, HEAD")])
        return page(scope)

    def _livez(self, _: HTTPScope) -> _Page:
        return _json(200, {"alive": True, "pid": os.getpid(), "uptime": round(self._status.uptime, 3)})

    def _readyz(self, _: HTTPScope) -> _Page:
        readiness = self._status.readiness()
        return _json(200 if readiness.ready else 503, readiness._asdict())

    def _whole_status(self, _: HTTPScope) -> _Page:
        return _json(200, self._status.whole())

    def _metrics_page(self, scope: HTTPScope) -> _Page:
        body, kind = self._metrics(_header(scope, b"accept"))
        return 200, kind, body, []


_Headers = list[tuple[bytes, bytes]]
_Page = tuple[int, str, bytes, _Headers]


def _json(status: int, value: object, headers: Iterable[tuple[bytes, bytes]] = ()) -> _Page:
    return status, _JSON, protocol.json_bytes(value) + b"\n", list(headers)


def _error(status: int, message: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> _Page:
    return _json(status, {"error": message}, headers)


def _header(scope: HTTPScope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _is_loopback(host: str) -> bool:
    """No Host at all is a program's, for browsers always send one."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


async def _respond(scope: HTTPScope, send: ASGISendCallable, page: _Page) -> None:
    status, kind, body, headers = page
    headers += [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
    body = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": body, "more_body": False})
