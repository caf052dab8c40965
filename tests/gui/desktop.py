"""A display of our own, and on it a Blender with a window that has the add-on, as its user would have installed it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from blender_addon.descriptor import Descriptor, parse

T = TypeVar("T")

SIZE = (1280, 800)
_PATIENCE = 90.0

_INSTALL = """
import bpy
bpy.ops.preferences.addon_install(filepath={archive!r})
bpy.ops.preferences.addon_enable(module="bpy_bridge")
bpy.context.preferences.view.show_splash = False
bpy.ops.wm.save_userpref()
"""


def missing() -> str | None:
    """What is not installed here; None where a window can be had."""
    found = [name for name in ("blender", "Xvfb") if shutil.which(name) is None]
    return f"not installed: {' and '.join(found)} (on Debian: apt-get install blender xvfb)" if found else None


@contextmanager
def display() -> Iterator[str]:
    """The name of an X display that nobody sees, its pictures drawn by software."""
    reading, writing = os.pipe()
    screen = "x".join(map(str, SIZE))
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{screen}x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    ) as server:
        os.close(writing)
        try:
            with open(reading) as said:
                number = said.readline().strip()
            assert number, "Xvfb did not start"
            yield f":{number}"
        finally:
            server.terminate()


def install(archive: Path, variables: Mapping[str, str]) -> None:
    """Have Blender install and enable the add-on in a zip, for good."""
    run_blender(_INSTALL.format(archive=str(archive)), variables)


def run_blender(code: str, variables: Mapping[str, str]) -> str:
    """Run code in a Blender without a window; what it printed. Raises AssertionError where it failed."""
    command = ["blender", "-b", "--python-exit-code", "1", "--python-expr", code]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Window:
    """A running Blender."""

    def __init__(self, process: subprocess.Popen[bytes], announced: Path, hand: Path, log: Path) -> None:
        self.process = process
        self.log = log
        self._announced = announced
        self._hand = hand
        self._tasks = itertools.count(1)

    def files(self) -> list[str]:
        """The names of what this user's Blenders have in the directory in which they announce themselves."""
        return sorted(path.name for path in self._announced.iterdir()) if self._announced.is_dir() else []

    def descriptor(self) -> Descriptor:
        """What it announces; waits for that."""
        return self._until(self._descriptor)

    def by_hand(self, code: str) -> Any:
        """What the code sets `result` to; it is run without the add-on, as if a person did it. See hand.py."""
        name = f"{next(self._tasks):04}"
        task = self._hand / f"{name}.new"
        task.write_text(code)
        task.rename(self._hand / f"{name}.py")
        answer = self._hand / f"{name}.json"
        said = self._until(lambda: json.loads(answer.read_text()) if answer.exists() else None)
        assert "error" not in said, said["error"]
        return said["result"]

    def _descriptor(self) -> Descriptor | None:
        for path in self._announced.glob(f"{self.process.pid}-*.json"):
            with contextlib.suppress(FileNotFoundError):
                return parse(path.read_bytes())
        return None

    def _until(self, look: Callable[[], T | None]) -> T:
        end = time.monotonic() + _PATIENCE
        while (found := look()) is None:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, f"it did not come to pass\n{self.log.read_text()}"
            time.sleep(0.005)  # between two looks at another process
        return found


@contextmanager
def window(
    screen: str, variables: Mapping[str, str], place: Path, *, hand: bool = True, mouse: bool = False
) -> Iterator[Window]:
    """A Blender on that display. Its log and what it is told by hand are in the directory `place`.

    Without `hand` nobody does anything by hand, and there is no timer that looks for it. With `mouse` events can be
    simulated, and its main loop never sleeps.
    """
    tasks, log = place / "hand", place / "blender.log"
    tasks.mkdir(parents=True)
    command = ["blender", "-noaudio", "-p", "0", "0", *map(str, SIZE)]
    if mouse:
        command += ["--enable-event-simulate"]
    if hand:
        command += ["--python", str(Path(__file__).with_name("hand.py")), "--", str(tasks)]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, env={**variables, "DISPLAY": screen}, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors
        )
    try:
        yield Window(process, Path(variables["BPY_BRIDGE_HOME"]) / "blenders", tasks, log)
    finally:
        process.kill()
        process.wait()
