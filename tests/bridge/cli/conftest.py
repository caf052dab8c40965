"""The command line in this process, and a small bridge for it: the wire's own session, with fixed answers."""

from __future__ import annotations

import json
import queue
import socket
from collections.abc import Callable
from typing import Any

import pytest

from blender_addon.wire import (
    STANDARD_CODEC,
    Buffer,
    Cancel,
    Fault,
    FrameDecoder,
    Limits,
    Opened,
    Part,
    Peer,
    Request,
    ServerSession,
    head,
    join_parts,
)
from blender_addon.wire.parts import total_length
from bridge import cli
from tests.serving_thread import ServingThread

POOL = {
    "name": "studio",
    "state": "paused",
    "max_connections": 4,
    "idle": 2,
    "leased": 1,
    "connecting": 0,
    "checking": 0,
    "waiting": 3,
    "oldest_wait": 0.25,
    "last_error": None,
}
STATUS = {
    "pid": 4242,
    "version": "9.9",
    "uptime": 3725.5,
    "state": "running",
    "listen": ["unix:/run/bridge.sock"],
    "http": "http://127.0.0.1:9871",
    "clients": 2,
    "instances": [
        {
            "name": "studio",
            "address": "unix:/run/studio.sock",
            "blender": "5.0.1",
            "addon": {"version": "0.1.0", "matches": True, "fix": None},
            "obstacle": "its pool is paused",
            "health": {"state": "healthy", "reason": "it answers", "checked_at": 1.0, "failures": 0},
            "pool": POOL,
        },
        {
            "name": "[red]other",
            "address": "unix:/o",
            "blender": None,
            "obstacle": "[Errno 2]",
            "pool": {"last_error": "[Errno 2]"},
        },
    ],
}
SCHEMA = {
    "type": "object",
    "required": ["what"],
    "properties": {
        "what": {"type": "string", "enum": ["a", "b"]},
        "colour": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "number"}}], "default": "#fff"},
        "fixed": {"const": 3, "description": "never\nanything else"},
        "maybe": {"type": ["integer", "null"], "default": None},
        "any": {},
    },
}
METHODS = [{"name": "studio.only", "doc": "From the bridge.", "params": SCHEMA, "result": {}, "hints": {}}]
PICTURE = Part(b"\x89PNG\r\n", media_type="image/png")


class Bridge:
    """Serves one connection after another; `requests` has what came: (method, params, envelope), and "cancel"."""

    def __init__(self, path: str) -> None:
        self.requests: queue.Queue[Any] = queue.Queue()
        self.answers: dict[str, Any] = {
            "bridge.status": STATUS,
            "bridge.methods": METHODS,
            "bridge.pools": [POOL],
            **{f"bridge.{act}": POOL for act in ("pause", "resume", "drain", "resize", "reconnect")},
        }
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(path)
        listening.listen()
        self.close = ServingThread(listening, self._converse).close

    def _converse(self, sock: socket.socket) -> None:
        session, decoder = ServerSession(Peer("bridge", "9.9"), Limits(1 << 20, 4), token=None), FrameDecoder()
        while count := sock.recv_into(decoder.buffer()):
            decoder.received(count)
            while (frame := decoder.next_frame()) is not None:
                event = session.receive(frame)
                for data in session.outbox:
                    sock.sendall(data)
                session.outbox.clear()
                self._answer(sock, session, event, frame.payload)

    def _answer(self, sock: socket.socket, session: ServerSession, event: object, payload: Buffer) -> None:
        def respond(value: Any, *, ok: bool = True, parts: dict[str, Part] | None = None) -> None:
            described, buffers = join_parts(STANDARD_CODEC.dumps(value), parts or {})
            envelope = session.respond(event.id, ok=ok, parts=described)  # type: ignore[attr-defined]
            sock.sendall(head(envelope, total_length(buffers)) + b"".join(buffers))

        if isinstance(event, Cancel):
            self.requests.put("cancel")
            respond(Fault("cancelled", "it was cancelled", outcome="not_executed").as_object(), ok=False)
        elif isinstance(event, Request):
            params = STANDARD_CODEC.loads(payload)
            self.requests.put((event.method, params, event))
            if event.method == "wait":
                sock.sendall(head(session.event(event.id, "progress") or b"", 2) + b"{}")
                return
            if event.method == "error":
                respond(params, ok=False)
            elif event.method == "picture":
                for text in ("1 of 2", "2 of \x1b[31m2"):
                    progress = STANDARD_CODEC.dumps({"progress": int(text[0]), "total": 2, "message": text})
                    sock.sendall(head(session.event(event.id, "progress") or b"", len(progress)) + progress)
                respond({"image": {"$part": "image"}}, parts={"image": PICTURE})
            else:
                answer = self.answers.get(event.method, {"é": [1, params]})
                if answer == "wait":
                    return
                if isinstance(answer, Fault):
                    respond(answer.as_object(), ok=False)
                else:
                    respond(answer)
        else:
            assert event is None or isinstance(event, Opened)


@pytest.fixture
def bridge(home):
    """Runs where `bpy-bridge` looks for one."""
    home.mkdir(mode=0o700)
    running = Bridge(str(home / "bridge.sock"))
    yield running
    running.close()


@pytest.fixture
def run(home, capsys) -> Callable[..., tuple[int, str, str]]:
    """run(*argv): the exit code, standard output and standard error."""

    def run(*argv: str) -> tuple[int, str, str]:
        try:
            code = cli.main(argv)
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def fail(bridge, run):
    """fail(code, …): calls what fails like this; the exit code and standard error."""

    def fail(code: str, message: str = "so it is", **data: Any) -> tuple[int, str]:
        error = Fault(code, message, data=data).as_object()
        # What is busy is sent again until the time is up.
        exit_code, out, err = run("call", "error", "--json", json.dumps(error), "--timeout", "0.3")
        assert out == ""
        return exit_code, err

    return fail
