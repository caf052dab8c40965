"""The add-on's version and protocol against the bridge's: what fits, what is said of the rest, and where."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess

import pytest
from structlog.testing import capture_logs

from blender_addon.wire import Peer
from bridge import __version__
from bridge.blenders import _program
from bridge.compatibility import Addon, judge
from bridge.health import HealthLimits
from bridge.pool import PoolSettings
from tests.bridge.blender import Wires, running_blender
from tests.bridge.line import bridge, until

MAJOR, MINOR, _ = __version__.split(".")
OTHER = f"{MAJOR}.{int(MINOR) + 1}.0"
FIX = "`bpy-bridge addon install`, then restart Blender"


@pytest.mark.parametrize("version", [__version__, f"{MAJOR}.{MINOR}.99", f"{MAJOR}.{MINOR}"])
def test_the_same_major_and_minor_is_fine(version):
    assert judge(version) == Addon(version, True, None)


@pytest.mark.parametrize("version", [OTHER, f"{int(MAJOR) + 1}.{MINOR}.0", "nonsense", ""])
def test_another_is_not_and_comes_with_what_to_do(version):
    assert judge(version) == Addon(version, False, FIX)


def test_the_command_names_the_blender_where_it_is_known():
    assert judge(OTHER, lambda: "/opt/my blender/blender").fix == (
        "`bpy-bridge addon install --blender '/opt/my blender/blender'`, then restart Blender"
    )


def test_the_program_of_a_blender_is_known_by_its_process_and_no_other_s(tmp_path):
    shutil.copy(shutil.which("sleep"), tmp_path / "blender")
    with subprocess.Popen([tmp_path / "blender", "60"]) as process:
        try:
            assert _program(process.pid) == str(tmp_path / "blender")
        finally:
            process.kill()
    assert _program(process.pid) is None
    assert _program(os.getpid()) is None


@contextlib.asynccontextmanager
async def meeting(tmp_path, listen, peer, wires=Wires, **options):
    """A bridge on a Blender that presents itself so."""
    with running_blender(tmp_path / "blender.sock", peer=peer) as blender:
        async with bridge({"default": wires(blender.path)}, listen, **options) as line:
            yield line


async def addon(line):
    [instance] = await (await line.tool()).call("r", "bridge.instances")
    return instance["addon"]


async def test_another_version_serves_and_is_said_in_the_status(tmp_path, listen):
    async with meeting(tmp_path, listen, Peer("bpy-bridge add-on", OTHER)) as line:
        await (await line.tool()).call("r", "test.echo")
        assert await addon(line) == {"version": OTHER, "matches": False, "fix": FIX}


async def test_it_is_logged_once_and_not_for_each_connection(tmp_path, listen):
    with capture_logs() as logs:
        async with meeting(tmp_path, listen, Peer("bpy-bridge add-on", OTHER), pool=PoolSettings(warm=3)) as line:
            await until(lambda: line.pool().live == 3)
            line.fleet.instances["default"].changed()
            await (await line.tool()).call("r", "test.echo")
    said = [entry for entry in logs if "add-on" in entry["event"]]
    assert [(entry["log_level"], entry["addon"], entry["fix"]) for entry in said] == [("warning", OTHER, FIX)]


async def test_whoever_else_speaks_the_protocol_is_not_judged(tmp_path, listen):
    async with meeting(tmp_path, listen, Peer("something of ours", "77")) as line:
        await (await line.tool()).call("r", "test.echo")
        assert await addon(line) is None


class AnotherProtocol(Wires):
    """The bridge as it would be with protocol 2."""

    async def __call__(self):
        stream = await super().__call__()
        send = stream.send_now
        two = (b'"protocol":1', b'"protocol":2')
        stream.send_now = lambda buffers: send([bytes(data).replace(*two) for data in buffers])
        return stream


async def test_one_that_speaks_another_protocol_is_unavailable_with_what_to_do(tmp_path, listen):
    pool = PoolSettings(unavailable_timeout=0.3)
    peer = Peer("bpy-bridge add-on", OTHER)
    async with meeting(tmp_path, listen, peer, AnotherProtocol, pool=pool, health=HealthLimits()) as line:
        fault = await (await line.tool()).refused("test.echo")
        assert (fault.code, fault.outcome) == ("blender_unavailable", "not_executed")
        assert f"its add-on speaks another protocol than this bridge {__version__}" in fault.message
        assert FIX in fault.message
        assert await addon(line) == {"version": None, "matches": False, "fix": FIX}
        await until(lambda: line.health().checked_at)
        assert FIX in line.health().reason
