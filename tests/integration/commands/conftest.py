"""One real headless Blender for all command tests, driven over its socket; each test starts from the factory scene.

BPY_BRIDGE_TEST_BLENDER names another one than this Python's: a Python that has bpy, or a blender executable.
"""

import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import pytest

from blender_addon.commands import CATALOGUE
from blender_addon.schema import compile_type
from blender_addon.wire import (
    ClientSession,
    Event,
    Fault,
    FrameDecoder,
    Opened,
    Part,
    Peer,
    Request,
    Response,
    head,
    join_parts,
    split_parts,
)
from tests.integration.serving import ROOT, environment

SCRIPT = ROOT / "blender_addon" / "headless.py"


class Answer(NamedTuple):
    value: Any
    parts: dict[str, Part]
    progress: list[dict[str, Any]]


class Blender:
    """A blocking client of one socket. Every result is checked against what its command declares.

    `version` is this Blender's: (3, 4, 1). A test of what a version lacks asserts the refusal where it is lacking.
    """

    def __init__(self, path: str, version: tuple[int, int, int]) -> None:
        self.version = version
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(path)
        self._decoder = FrameDecoder()
        self._session = ClientSession(Peer("tests", "0"), token=None)
        self._session.greet()
        self._socket.sendall(b"".join(self._session.outbox))
        assert isinstance(self._receive()[0], Opened)
        self._count = 0

    def close(self) -> None:
        self._socket.close()

    def call(
        self, method: str, parts: dict[str, Part] | None = None, deadline: float | None = None, **params: Any
    ) -> Answer:
        """Raises the Fault that Blender answered."""
        self._count += 1
        described, buffers = join_parts(json.dumps(params).encode(), parts or {})
        envelope = self._session.request(Request(str(self._count), method, deadline, parts=described))
        self._socket.sendall(head(envelope, sum(len(memoryview(buffer)) for buffer in buffers)))
        for buffer in buffers:
            self._socket.sendall(buffer)
        return self._answer(method)

    def _answer(self, method: str) -> Answer:
        progress = []
        while True:
            said, payload = self._receive()
            if isinstance(said, Event):
                progress.append(json.loads(bytes(payload)))
            if isinstance(said, Response):
                break
        data, parts = split_parts(payload, said.parts)
        value = json.loads(bytes(data))
        if not said.ok:
            raise Fault.from_object(value)
        declared = get_type_hints(CATALOGUE.find(method).function, include_extras=True)["return"]
        compile_type(declared).check(value, parts)
        return Answer(value, parts, progress)

    def _receive(self) -> tuple[Any, Any]:
        while (frame := self._decoder.next_frame()) is None:
            count = self._socket.recv_into(self._decoder.buffer())
            assert count, "Blender hung up"
            self._decoder.received(count)
        return self._session.receive(frame), frame.payload

    def get(self, method: str, **params: Any) -> Any:
        """The result's JSON value."""
        return self.call(method, **params).value

    def refuses(self, method: str, parts: dict[str, Part] | None = None, **params: Any) -> Fault:
        """The invalid_params fault of a request that must not be taken."""
        with pytest.raises(Fault) as caught:
            self.call(method, parts, **params)
        assert (caught.value.code, caught.value.outcome) == ("invalid_params", "not_executed")
        return caught.value

    def python(self, code: str) -> Any:
        """What the code sets `result` to."""
        return self.get("code.execute", code=code)["result"]


@pytest.fixture(scope="session")
def headless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blender]:
    home = tmp_path_factory.mktemp("blender")
    with subprocess.Popen(
        [*_command(), "--listen", f"unix:{home / 'b.sock'}"],
        cwd=ROOT,
        env=environment(home / "home"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            client = Blender(str(home / "b.sock"), _version(_ready(process)["blender"]))
            yield client
            client.close()
            process.terminate()
            process.wait(30)
        finally:
            process.kill()


def _command() -> list[str]:
    """What starts the Blender that is tested. Skips where there is none, and fails where the one that is named is."""
    named = os.environ.get("BPY_BRIDGE_TEST_BLENDER") or sys.executable
    if named == sys.executable and importlib.util.find_spec("bpy") is None:
        pytest.skip("needs the bpy wheel: install bpy-bridge[embedded]")
    executable = shutil.which(named)
    assert executable, f"BPY_BRIDGE_TEST_BLENDER={named} cannot be run"
    if Path(executable).name.startswith("python"):
        return [executable, "-m", "blender_addon.headless"]
    return [executable, "-b", "--factory-startup", "--python-exit-code", "1", "--python", str(SCRIPT), "--"]


def _ready(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    # A blender executable prints lines of its own before the script runs.
    for line in process.stdout or ():
        if line.startswith(b"{") and "ready" in (said := json.loads(line)):
            return said
    raise AssertionError(f"Blender ended with exit code {process.wait()} before it was ready")


def _version(said: str) -> tuple[int, int, int]:
    major, minor, patch = re.findall(r"\d+", said)[:3]
    return int(major), int(minor), int(patch)


@pytest.fixture
def blender(headless: Blender) -> Blender:
    headless.call("file.new")
    return headless
