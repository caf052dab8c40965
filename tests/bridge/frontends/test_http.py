"""The HTTP door: probes, status and metrics for programs of this machine, and nothing for anybody else."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

import pytest
import trio

from bridge.frontends.http import HttpDoor, Pages, url
from bridge.listeners import open_listener
from tests.bridge.line import bridge, until


class Page(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self):
        return json.loads(self.text)


class Site:
    """The door, and what a client gets there."""

    def __init__(self, line, door, listener) -> None:
        self.line = line
        self.door = door
        self.port = listener.socket.getsockname()[1]

    async def get(self, path: str, method: str = "GET", **headers: str) -> Page:
        return await trio.to_thread.run_sync(partial(self._get, path, method, headers))

    def _get(self, path, method, headers) -> Page:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Page(response.status, named, response.read().decode())
        finally:
            connection.close()


@asynccontextmanager
async def serving(wires, listen, metrics=lambda accept: (accept.encode(), "text/plain")):
    listener = open_listener("tcp:127.0.0.1:0", flag="--http")
    async with bridge(wires, listen) as line:
        door = HttpDoor(Pages(line.service.status, metrics))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(door.serve, listener)
            try:
                yield Site(line, door, listener)
            finally:
                door.stop()
                listener.close()


async def test_the_process_is_alive_whether_or_not_there_is_a_blender(wires, listen):
    wires["default"].path = None
    async with serving(wires, listen) as site:
        page = await site.get("/livez")
        assert (page.status, page.json["alive"]) == (200, True)


async def test_it_is_ready_once_an_instance_can_serve(wires, listen):
    async with serving(wires, listen) as site:
        await until(lambda: site.line.pool().live)
        page = await site.get("/readyz")
        assert (page.status, page.json["ready"], page.json["instances"]) == (200, True, {"default": None})


async def test_without_a_blender_it_is_not_ready_and_says_why(wires, listen):
    wires["default"].path = None
    async with serving(wires, listen) as site:
        await until(lambda: site.line.pool().last_error)
        page = await site.get("/readyz")
        assert (page.status, page.json["ready"]) == (503, False)
        assert "nobody listens there" in page.json["instances"]["default"]


async def test_a_blender_that_has_gone_is_noticed_at_the_next_question(wires, listen):
    async with serving(wires, listen) as site:
        await until(lambda: site.line.pool().live)
        wires["default"].path = None
        wires["default"].cut()
        assert (await site.get("/readyz")).status == 503


async def test_while_it_drains_it_is_not_ready(wires, listen):
    async with serving(wires, listen) as site:
        await until(lambda: site.line.pool().live)
        site.line.service.status.draining = True
        page = await site.get("/readyz")
        assert (page.status, page.json["reason"]) == (503, "the bridge is shutting down")


async def test_a_paused_instance_is_not_ready(wires, listen):
    async with serving(wires, listen) as site:
        await until(lambda: site.line.pool().live)
        site.line.fleet.instances["default"].pool.pause()
        assert "paused" in (await site.get("/readyz")).json["instances"]["default"]


async def test_the_status_is_what_the_method_answers(wires, listen):
    async with serving(wires, listen) as site:
        await until(lambda: site.line.pool().live)
        page = (await site.get("/status")).json
        asked = await (await site.line.tool()).call("r", "bridge.status")
        assert page["instances"][0]["boot"] == asked["instances"][0]["boot"]
        assert set(page) == set(asked)


async def test_the_metrics_are_asked_for_in_the_form_that_the_client_accepts(wires, listen):
    async with serving(wires, listen) as site:
        page = await site.get("/metrics", Accept="application/openmetrics-text")
        assert page.text == "application/openmetrics-text"
        assert page.headers["content-type"] == "text/plain"
        assert page.headers["cache-control"] == "no-store"


async def test_a_page_that_cannot_be_made_is_an_error_and_the_door_stays_open(wires, listen):
    async with serving(wires, listen, metrics=lambda accept: 1 / 0) as site:
        assert (await site.get("/metrics")).status == 500
        assert (await site.get("/livez")).status == 200


async def test_elsewhere_is_nothing_and_it_says_what_there_is(wires, listen):
    async with serving(wires, listen) as site:
        page = await site.get("/nowhere")
        assert page.status == 404
        assert "/metrics" in page.json["error"]


async def test_it_changes_nothing_so_it_takes_no_post(wires, listen):
    async with serving(wires, listen) as site:
        page = await site.get("/status", "POST")
        assert (page.status, page.headers["allow"]) == (405, "GET, HEAD")


async def test_a_head_has_no_body(wires, listen):
    async with serving(wires, listen) as site:
        page = await site.get("/livez", "HEAD")
        assert (page.status, page.text) == (200, "")
        assert int(page.headers["content-length"]) > 0


@pytest.mark.parametrize("host", ["localhost:9871", "127.0.0.1:9871", "[::1]:9871", "127.0.0.1"])
async def test_a_name_of_this_machine_gets_in(wires, listen, host):
    async with serving(wires, listen) as site:
        assert (await site.get("/livez", Host=host)).status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9871", "10.0.0.1:9871", "localhost.evil.example"])
async def test_a_page_of_another_site_does_not_get_in_by_a_name_of_its_own(wires, listen, host):
    async with serving(wires, listen) as site:
        for path in ("/status", "/metrics", "/nowhere"):
            assert (await site.get(path, Host=host)).status == 403


async def test_a_client_that_reads_nothing_does_not_keep_the_door_from_closing(wires, listen):
    asked = trio.Event()

    def large(accept):
        asked.set()
        return b"x" * 50_000_000, "text/plain"

    with socket.socket() as stuck, trio.fail_after(15):
        async with serving(wires, listen, metrics=large) as site:
            stuck.connect(("127.0.0.1", site.port))
            stuck.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await asked.wait()
            assert (await site.get("/livez")).status == 200


async def test_garbage_costs_the_one_who_sent_it(wires, listen):
    async with serving(wires, listen) as site:
        with socket.create_connection(("127.0.0.1", site.port), timeout=20) as rude:
            rude.sendall(b"\x00\x01\x02 not http\r\n\r\n")
            assert b"400" in await trio.to_thread.run_sync(rude.recv, 1000)
        assert (await site.get("/livez")).status == 200


def test_its_address_is_a_url():
    listener = open_listener("tcp:127.0.0.1:0")
    with listener.socket:
        assert url(listener) == f"http://127.0.0.1:{listener.socket.getsockname()[1]}"


async def test_cancelled_it_ends_at_once_also_with_a_client_that_reads_nothing(wires, listen):
    asked = trio.Event()

    def large(accept):
        asked.set()
        return b"x" * 50_000_000, "text/plain"

    with socket.socket() as stuck, trio.fail_after(15):
        listener = open_listener("tcp:127.0.0.1:0")
        async with bridge(wires, listen) as line, trio.open_nursery() as nursery:
            nursery.start_soon(HttpDoor(Pages(line.service.status, large)).serve, listener)
            await trio.to_thread.run_sync(stuck.connect, listener.socket.getsockname())
            stuck.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await asked.wait()
            nursery.cancel_scope.cancel()
        listener.close()


async def test_beyond_its_bound_a_connection_is_closed_and_the_others_live_on(wires, listen, monkeypatch):
    monkeypatch.setattr("bridge.frontends.http.door._MOST_CLIENTS", 1)
    async with serving(wires, listen) as site:
        with socket.create_connection(("127.0.0.1", site.port)) as first:
            first.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await trio.to_thread.run_sync(read_answer, first)
            with pytest.raises((ConnectionError, http.client.HTTPException)):
                await site.get("/livez")
            first.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await trio.to_thread.run_sync(read_answer, first)


def read_answer(connected: socket.socket) -> None:
    """The whole of an answer that ends a line."""
    data = b""
    while not data.endswith(b"}\n"):
        data += connected.recv(1000)
    assert data.startswith(b"HTTP/1.1 200")
