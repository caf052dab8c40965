"""The Blenders with a window that the GUI rows talk to: Debian's, on a display that nobody sees."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import psutil

from benchmarks.blender import STACK, RawClient, home, place
from benchmarks.harness import Unmeasurable
from bridge.addon.build import legacy
from tests.gui import desktop


@cache
def _screen() -> str:
    lacking = desktop.missing()
    if lacking is not None:
        raise Unmeasurable(lacking)
    return STACK.enter_context(desktop.display())


def _started(name: str, *, with_addon: bool) -> desktop.Window:
    screen = _screen()
    directory = home() / name
    directory.mkdir()
    variables = _variables(directory)
    if with_addon:
        archive = directory / "bpy_bridge.zip"
        archive.write_bytes(legacy())
        desktop.install(archive, variables)
    # On a core of its own, as the others: see `place`. What is started inherits it.
    place(0, core=1)
    try:
        return STACK.enter_context(desktop.window(screen, variables, directory / "run", hand=False))
    finally:
        place(0, core=0)


def _variables(directory: Path) -> Mapping[str, str]:
    own = {"BPY_BRIDGE_HOME": str(directory / "h"), "BLENDER_USER_RESOURCES": str(directory / "resources")}
    return {**os.environ, **own}


@cache
def window() -> desktop.Window:
    """One with the add-on, which serves."""
    started = _started("window", with_addon=True)
    started.descriptor()
    return started


@cache
def bare_window() -> psutil.Process:
    """One that has never heard of the add-on."""
    return psutil.Process(_started("bare", with_addon=False).process.pid)


def client() -> RawClient:
    """One more connection to `window`."""
    said = window().descriptor()
    return RawClient(said.address, said.token)
