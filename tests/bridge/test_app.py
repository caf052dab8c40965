"""The whole bridge in this process: what it opens, publishes, drains and leaves behind."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from contextlib import asynccontextmanager

import psutil
import pytest
import trio

from bridge import app, paths
from bridge.config import Settings
from bridge.errors import ConfigurationError
from tests.bridge.line import until
from tests.bridge.supervisor.standin import BEGIN, GOOD
from tests.bridge.tool import Tool


class Doors(list[str]):
    """The addresses; `ended` is set when the bridge has."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = trio.Event()


@asynccontextmanager
async def serving(settings, **options):
    """The bridge, ready; ended by SIGTERM."""
    ready = trio.Event()
    doors = Doors()

    def on_ready(opened):
        doors.extend(opened.listen)
        ready.set()

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:

            async def serve() -> None:
                await app.serve(settings, on_ready, **options)
                doors.ended.set()

            nursery.start_soon(serve)
            await ready.wait()
            yield doors
            if not doors.ended.is_set():
                os.kill(os.getpid(), signal.SIGTERM)


async def connect(door: str, token: str | None = None) -> Tool:
    kind, _, where = door.partition(":")
    if kind == "unix":
        stream = await trio.open_unix_socket(where)
    else:
        host, _, port = where.rpartition(":")
        stream = await trio.open_tcp_stream(host, int(port))
    tool = Tool(stream, token=token)
    await tool.greet()
    return tool


def settings(blender, **options) -> Settings:
    alone = {"http": "off", "jobs": {"url": "off"}}
    return Settings(instances={"default": {"address": f"unix:{blender.path}"}}, **{**alone, **options})


async def test_it_serves_and_leaves_nothing_behind(blender, home):
    async with serving(settings(blender)) as doors:
        assert doors == [f"unix:{home / 'bridge.sock'}"]
        tool = await connect(doors[0])
        assert await tool.call("r", "test.echo", {"value": 1}) == {"value": 1}
    assert (await tool.receive())[0].reason == "the bridge is shutting down"
    assert await tool.at_end()
    await tool.leave()
    assert list(home.iterdir()) == []


async def test_the_tcp_door_asks_for_the_token_and_the_unix_door_does_not(blender, home):
    both = settings(blender, listen=[f"unix:{home / 'b.sock'}", "tcp:127.0.0.1:0"])
    async with serving(both) as doors:
        assert not doors[1].endswith(":0")
        local = await connect(doors[0])
        remote = await connect(doors[1], paths.read_token())
        assert await remote.call("r", "test.echo", {"value": 1}) == {"value": 1}
        for tool in (local, remote):
            await tool.leave()


async def test_an_address_that_cannot_be_had_is_an_error_before_it_is_ready(blender, home):
    wrong = settings(blender, listen=[f"unix:{home / 'a.sock'}", f"unix:{home}/nowhere/b.sock"])
    with pytest.raises(ConfigurationError):
        await app.serve(wrong, lambda doors: pytest.fail("it is not ready"))
    assert list(home.iterdir()) == []


async def test_told_to_end_it_finishes_what_runs_and_refuses_what_waits(blender, home):
    async with serving(settings(blender, pool={"max_connections": 1})) as doors:
        tool = await connect(doors[0])
        await tool.send("running", "test.wait", {"name": "running"})
        await until(lambda: blender.ran)
        await tool.send("waiting", "test.echo")
        await tool.ping()
        os.kill(os.getpid(), signal.SIGTERM)
        assert (await tool.error("waiting")).code == "shutting_down"
        assert tool.goodbye == "the bridge is shutting down"
        blender.gates["running"].set()
        assert (await tool.answer("running")).body == {"waited": "running"}
        assert await tool.at_end()
        await tool.leave()
        await doors.ended.wait()


async def test_told_to_end_it_waits_for_answers_to_be_read(blender, home):
    async with serving(settings(blender)) as doors:
        tool = await connect(doors[0])
        await tool.send("large", "test.blob", {"size": 10_000_000})
        await until(lambda: blender.ran and not blender.pump.status()["busy"])
        os.kill(os.getpid(), signal.SIGTERM)
        await until(lambda: not (home / "bridge.sock").exists())
        assert len((await tool.answer("large")).parts["blob"]) == 10_000_000
        await tool.leave()
        await doors.ended.wait()


async def test_what_does_not_end_in_time_is_left(blender, home):
    async with serving(settings(blender, drain_timeout=0.2, limits={"cancel_grace": 0.1})) as doors:
        tool = await connect(doors[0])
        await tool.send("running", "test.wait", {"name": "running", "stubborn": True})
        await until(lambda: blender.ran)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises((EOFError, OSError)):
            await tool.answer("running")
        await tool.leave()
        await doors.ended.wait()


async def test_a_second_signal_does_not_wait(blender, home):
    async with serving(settings(blender, limits={"cancel_grace": 0.1})) as doors:
        tool = await connect(doors[0])
        await tool.send("running", "test.wait", {"name": "running", "stubborn": True})
        await until(lambda: blender.ran)
        os.kill(os.getpid(), signal.SIGTERM)
        assert (await tool.receive())[0].reason == "the bridge is shutting down"
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises((EOFError, OSError)):
            await tool.receive()
        await tool.leave()
        await doors.ended.wait()


async def test_with_nothing_configured_a_worker_is_started(home, monkeypatch):
    command = [sys.executable, "-c", BEGIN + GOOD]
    monkeypatch.setattr("bridge.blenders.find_blender", lambda blender: command)
    async with serving(Settings(http="off", jobs={"url": "off"})):
        await until((home / "worker-default.sock").exists)
    assert list(home.iterdir()) == []


def test_as_many_files_are_allowed_as_a_full_house_needs():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        app._allow_many_files()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert soft == (8192 if hard == resource.RLIM_INFINITY else min(8192, hard))
        app._allow_many_files()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_20_starts_and_ends_leave_no_file_open_and_no_thread_or_task_alive(blender, home):
    whole = settings(blender, http="tcp:127.0.0.1:0", listen=[f"unix:{home / 'b.sock'}", "tcp:127.0.0.1:0"])
    await start_and_end(whole)  # the first imports and caches what stays
    await until(lambda: blender_threads() == 0)
    before = left_behind()
    for _ in range(20):
        await start_and_end(whole)
    await until(lambda: blender_threads() == 0)
    assert left_behind() == before


async def start_and_end(whole: Settings) -> None:
    async with serving(whole) as doors:
        tool = await connect(doors[0])
        await tool.call("r", "test.echo")
        await tool.leave()


def blender_threads() -> int:
    """Those of the stand-in's connections, which end a moment after the bridge."""
    return sum("connection" in thread.name for thread in threading.enumerate())


def left_behind():
    # trio keeps threads for what may come.
    threads = [thread.name for thread in threading.enumerate() if not thread.name.startswith("Trio")]
    return psutil.Process().num_fds(), threads, trio.lowlevel.current_statistics().tasks_living
