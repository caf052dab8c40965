"""What follows a command: its undo step, its line in the journal, and what it has changed."""

from __future__ import annotations

import pytest

from blender_addon import application
from blender_addon.application import Blender
from blender_addon.pump import Pump
from blender_addon.registry import Catalogue
from blender_addon.wire import Fault
from blender_addon.work import Ticket, Work
from tests.blender_addon.serving import CooperativeInterrupter
from tests.blender_addon.stand_in import all_handlers, bpy_without_blender


class Client:
    def __init__(self, events):
        self.events = events

    def answer(self, ticket, answer):
        self.events.append(f"answer {answer.outcome}")


@pytest.fixture
def bpy():
    return bpy_without_blender()


@pytest.fixture
def blender(bpy):
    return Blender(bpy)


@pytest.fixture
def events(monkeypatch):
    """What happened, in order."""
    events = []
    monkeypatch.setattr(application.undo, "step", lambda name: events.append(f"step {name}"))
    return events


@pytest.fixture
def perform(blender, events):
    """Run a command made of that function."""

    def perform(name, function, **hints):
        catalogue, pump = Catalogue(), Pump(CooperativeInterrupter())

        @catalogue.command(name, **hints)
        def run() -> object:
            """Run it."""
            return function()

        pump.submit(Work(Ticket(Client(events), "1", None), name, catalogue.find(name), {}))
        blender.perform(pump, pump.take())

    return perform


def fail():
    raise Fault("invalid_params", "no")


def change(bpy):
    for handler in bpy.app.handlers.depsgraph_update_post:
        handler()


def test_a_command_is_answered_and_then_becomes_one_undo_step_of_its_name(perform, events):
    perform("object.create", dict)
    assert events == ["answer ok", "step object.create"]


@pytest.mark.parametrize("hints", [{"read_only": True}, {"undo": False}])
def test_one_that_is_no_undo_step_leaves_none(perform, events, hints):
    perform("object.get", dict, **hints)
    assert events == ["answer ok"]


def test_one_that_failed_before_it_changed_anything_leaves_no_undo_step(perform, events):
    perform("object.create", fail)
    assert events == ["answer invalid_params"]


def test_one_that_failed_halfway_can_be_undone(perform, events, bpy):
    def halfway():
        change(bpy)
        fail()

    perform("object.create", halfway)
    assert events == ["answer invalid_params", "step object.create"]


def test_what_goes_wrong_afterwards_stops_nobody(perform, blender, events, monkeypatch, caplog):
    def broken(name):
        raise SystemExit

    monkeypatch.setattr(application.undo, "step", broken)
    perform("object.create", dict)
    assert "after object.create" in caplog.text


def test_the_journal_has_each_command_and_how_it_ended(perform, blender):
    perform("object.create", dict)
    perform("object.update", fail)
    last, first = blender.journal.entries()
    assert (first.method, first.outcome) == ("object.create", "ok")
    assert (last.method, last.outcome) == ("object.update", "invalid_params")
    assert 0 <= first.seconds < 60


def test_a_pong_tells_of_the_file_and_of_the_commands_that_there_are(blender, perform):
    perform("object.create", dict)
    told = blender.describe()
    assert {"blender", "file", "dirty", "runs", "catalogue"} <= told.keys()
    assert (told["runs"], told["catalogue"]) == (1, application.CATALOGUE.revision)


def test_in_a_window_it_is_blenders_own_count_that_says_what_is_unsaved(perform):
    bpy = bpy_without_blender(background=False)
    blender = Blender(bpy)
    assert not blender.describe()["dirty"]
    bpy.data.is_dirty, bpy.data.filepath = True, "/tmp/theirs.blend"
    blender.look()
    assert blender.describe()["dirty"]
    assert blender.describe()["file"] == "/tmp/theirs.blend"
    blender.close()


def test_after_a_load_there_is_no_window_until_the_main_loop_comes_by():
    bpy = bpy_without_blender(background=False)
    blender = Blender(bpy)
    bpy.context.window_manager.windows = [object()]
    assert not blender.settled()
    bpy.context.window = bpy.context.window_manager.windows[0]
    assert blender.settled()


def test_at_the_end_no_handler_is_left(blender, bpy):
    assert all_handlers(bpy)
    blender.close()
    assert all_handlers(bpy) == []
