"""A tool whose requests wait for the only connection, and what they look at."""

from __future__ import annotations

import pytest

from blender_addon.call import Call
from blender_addon.wire import Part
from tests.bridge.blender import pattern
from tests.bridge.line import bridge
from tests.bridge.sharing.queue import ONE, Queue


@pytest.fixture
def looked(blender):
    """What was looked at, once for each execution."""
    seen: list[str] = []

    @blender.catalogue.command("test.look", read_only=True)
    def look(call: Call, *, at: str = "", size: int = 0, fails: bool = False, stubborn: bool = False) -> object:
        """Look, and for as long as the gate of that name is shut go on looking."""
        seen.append(at)
        while at and not blender.gates[at].wait(0.002):
            if not stubborn:
                call.check()
        if fails:
            raise ValueError("dark")
        call.progress(1, 1, "looked")
        return {"at": at, "image": Part(pattern(size))} if size else {"at": at}

    return seen


@pytest.fixture
async def queue(blender, wires, listen, looked):
    async with bridge(wires, listen, pool=ONE) as line:
        queue = Queue(line, await line.tool(), blender)
        await queue.hold()
        yield queue
        blender.gates["held"].set()
