"""What the panel says, and when it is drawn again."""

from types import SimpleNamespace

import pytest

from blender_addon.connection import ConnectedClient
from blender_addon.journal import Entry, Journal
from blender_addon.neighbours import Neighbour
from blender_addon.panel_state import MOST_LINES, Line, Redraws, duration, look, shortened
from blender_addon.policy import Policy


def server(*, running=None, queued=0, clients=(), neighbours=()):
    """What is read of a server."""
    status = {"running": running, "queued": queued}
    return SimpleNamespace(
        address="unix:/b.sock",
        journal=Journal(),
        pump=SimpleNamespace(status=lambda: status),
        clients=lambda: [ConnectedClient(name, "1.2", 0.0) for name in clients],
        neighbours=lambda: dict(neighbours),
    )


def test_where_nothing_serves_it_says_why():
    shown = look(None, "no room", Policy(code=False))

    assert (shown.address, shown.problem, shown.code) == (None, "no room", False)


def test_it_says_who_is_connected_and_what_is_done():
    shown = look(server(running={"method": "render.still", "seconds": 3.7}, queued=2, clients=["cli"]), None, Policy())

    assert shown.address == "unix:/b.sock"
    assert shown.clients == ("cli 1.2",)
    assert shown.activity == ("render.still", 3, 2)


def test_it_names_the_add_ons_whose_commands_cannot_be_had():
    fine, broken = Neighbour(print, ["trees.plant"], ""), Neighbour(print, [], "NameError: name 'x' is not defined")

    shown = look(server(neighbours={"trees": fine, "rocks": broken}), None, Policy())

    assert shown.broken == ("rocks: NameError: name 'x' is not defined",)


def test_the_log_has_the_last_commands_the_newest_first():
    served = server()
    for number in range(MOST_LINES + 5):
        served.journal.add(Entry(f"a.b{number}", 0.0012, "ok", 0.0))
    served.journal.add(Entry("code.execute", 2.0, "execution_failed", 0.0))

    shown = look(served, None, Policy())

    assert shown.log[:2] == (Line("code.execute", "2.0 s", "execution failed"), Line("a.b14", "1.2 ms", None))
    assert (len(shown.log), shown.ran) == (MOST_LINES, MOST_LINES + 6)


def test_a_client_with_several_connections_is_named_once():
    assert shortened(["cli", "app", "cli"]) == ["cli (2 connections)", "app"]


def test_a_crowd_is_counted():
    assert shortened([*"abcdefg"])[-1] == "and 2 more"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.00004, "0.0 ms"), (0.0012, "1.2 ms"), (0.303, "303 ms"), (3.21, "3.2 s"), (125.9, "2 min 5 s")],
)
def test_durations_are_short(seconds, said):
    assert duration(seconds) == said


@pytest.fixture
def shown():
    return look(server(), None, Policy())


@pytest.fixture
def other(shown):
    return shown._replace(ran=1)


def test_a_panel_that_nobody_has_opened_is_not_drawn(shown):
    assert not Redraws().wanted(shown)


def test_a_panel_is_drawn_when_it_would_say_something_else(shown, other):
    redraws = Redraws()
    redraws.drawn(shown)

    assert not redraws.wanted(shown)
    assert redraws.wanted(other)


def test_a_panel_is_asked_for_once_until_it_was_drawn(shown, other):
    redraws = Redraws()
    redraws.drawn(shown)
    redraws.wanted(other)

    assert not redraws.wanted(other._replace(ran=2))
    redraws.drawn(other)
    assert redraws.wanted(other._replace(ran=3))


def test_a_panel_that_was_asked_for_and_not_drawn_is_hidden(shown, other):
    redraws = Redraws()
    redraws.drawn(shown)
    assert not redraws.hidden(0.0)

    redraws.wanted(other)
    assert redraws.hidden(0.0)
    assert not redraws.hidden(60.0)

    redraws.drawn(other)
    assert not redraws.hidden(0.0)
