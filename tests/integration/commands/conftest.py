"""One real headless Blender for all command tests, driven over its socket; each test starts from the factory scene."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
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

ROOT = Path(__file__).parents[3]


class Answer(NamedTuple):
    value: Any
    parts: dict[str, Part]
    progress: list[dict[str, Any]]


class Blender:
    """A blocking client of one socket. Every result is checked against what its command declares."""

    def __init__(self, path: str) -> None:
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
def headless(tmp_path_factory):
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("needs the bpy wheel: install bpy-bridge[embedded]")
    home = tmp_path_factory.mktemp("blender")
    address = f"unix:{home / 'b.sock'}"
    with subprocess.Popen(
        [sys.executable, "-m", "blender_addon.headless", "--listen", address],
        cwd=ROOT,
        env={**os.environ, "BLENDER_USER_RESOURCES": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert next(line for line in process.stdout if json.loads(line).get("ready"))
        client = Blender(str(home / "b.sock"))
        yield client
        client.close()
        process.terminate()


@pytest.fixture
def blender(headless):
    headless.call("file.new")
    return headless
