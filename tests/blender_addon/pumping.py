"""A pump without Blender: who submits work to it, and what the work is."""

from __future__ import annotations

import json

import pytest

from blender_addon.wire import Fault

PAST = 0.0


class Waiting:
    """Stands where a connection would: keeps what it is answered."""

    def __init__(self):
        self.answers = {}
        self.events = []

    def answer(self, ticket, answer):
        assert ticket.request_id not in self.answers, "answered twice"
        self.answers[ticket.request_id] = answer

    def progress(self, ticket, payload):
        assert ticket.request_id not in self.answers, "progress after the answer"
        self.events.append(json.loads(payload))

    def said(self, request_id):
        answer = self.answers[request_id]
        return json.loads(b"".join(bytes(buffer) for buffer in answer.buffers))

    def error(self, request_id):
        said = self.said(request_id)
        return said["code"], said["outcome"]


class Function:
    def __init__(self, function):
        self._function = function

    def run(self, call, arguments):
        return self._function(call)


def failing(call):
    raise ValueError


def run_all(pump):
    while (work := pump.take()) is not None:
        pump.run(work)


def refused(submit, *arguments, **options):
    with pytest.raises(Fault) as caught:
        submit(*arguments, **options)
    return caught.value


def keyed(key="k", digest=b"1"):
    return {"key": key, "digest": digest}
