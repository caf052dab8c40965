"""Commands of other add-ons: found while those are enabled, and no danger to ours."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from blender_addon.neighbours import Neighbours, enabled_hooks
from blender_addon.registry import Catalogue
from blender_addon.wire import Fault


@pytest.fixture
def catalogue():
    catalogue = Catalogue()

    @catalogue.command("ours.look", read_only=True)
    def look() -> dict:
        """Ours."""
        return {}

    return catalogue


@pytest.fixture
def enabled():
    """The functions of the add-ons that are enabled, by module name."""
    return {}


@pytest.fixture
def neighbours(catalogue, enabled):
    return Neighbours(catalogue, lambda: dict(enabled))


def trees(command):
    @command("trees.plant", idempotent=True)
    def plant(*, count: int) -> dict:
        """Plant trees."""
        return {"planted": count}

    @command("trees.fell", destructive=True)
    def fell() -> dict:
        """Fell all trees."""
        return {}


def names(catalogue):
    return [described["name"] for described in catalogue.describe()]


def test_an_enabled_add_ons_commands_are_there(neighbours, enabled, catalogue):
    enabled["trees"] = trees
    assert neighbours.look()
    assert names(catalogue) == ["ours.look", "trees.fell", "trees.plant"]
    plant = catalogue.find("trees.plant")
    assert plant.hints == {"read_only": False, "destructive": False, "idempotent": True}
    assert plant.undo
    assert plant.run(None, plant.bind({"count": 3}, {})) == {"planted": 3}


def test_they_go_when_it_is_disabled(neighbours, enabled, catalogue):
    enabled["trees"] = trees
    neighbours.look()
    del enabled["trees"]
    assert neighbours.look()
    assert names(catalogue) == ["ours.look"]
    with pytest.raises(Fault, match="there is no method"):
        catalogue.find("trees.plant")


def test_a_look_that_finds_the_same_changes_nothing(neighbours, enabled, catalogue):
    enabled["trees"] = trees
    neighbours.look()
    plant = catalogue.find("trees.plant")
    assert not neighbours.look()
    assert catalogue.find("trees.plant") is plant


def test_a_reloaded_add_on_has_its_new_commands_alone(neighbours, enabled, catalogue):
    def reloaded(command):
        @command("trees.water")
        def water() -> dict:
            """Water all trees."""
            return {}

    enabled["trees"] = trees
    neighbours.look()
    enabled["trees"] = reloaded
    assert neighbours.look()
    assert names(catalogue) == ["ours.look", "trees.water"]


def broken(error):
    def hook(command):
        trees(command)
        raise error

    return hook


@pytest.mark.parametrize("error", [ValueError("no roots"), SystemExit(1), KeyboardInterrupt()])
def test_of_a_broken_one_nothing_is_there_and_it_is_told_why(neighbours, enabled, catalogue, caplog, error):
    enabled.update(bad=broken(error), trees=trees)
    neighbours.look()
    assert names(catalogue) == ["ours.look", "trees.fell", "trees.plant"]
    assert neighbours.known()["bad"].problem.startswith(type(error).__name__)
    assert neighbours.known()["trees"].problem == ""
    assert "add-on bad" in caplog.text


def test_a_broken_one_is_not_asked_again_at_every_look(neighbours, enabled, caplog):
    enabled["bad"] = broken(ValueError())
    neighbours.look()
    caplog.clear()
    assert not neighbours.look()
    assert caplog.text == ""


@pytest.mark.parametrize("name", ["ours.look", "bridge.status", "no_family"])
def test_a_name_that_is_not_theirs_to_have_is_refused(neighbours, enabled, catalogue, name):
    def greedy(command):
        @command(name)
        def take() -> dict:
            """Take it."""
            return {"theirs": True}

    ours = catalogue.find("ours.look")
    enabled["greedy"] = greedy
    neighbours.look()
    assert catalogue.find("ours.look") is ours
    assert "ValueError" in neighbours.known()["greedy"].problem


def test_a_name_that_two_want_is_the_firsts_until_it_is_disabled(neighbours, enabled, catalogue):
    def others(command):
        @command("trees.plant")
        def plant() -> dict:
            """Plant one tree."""
            return {"other": True}

    enabled.update(trees=trees, others=others)
    neighbours.look()
    assert "trees.plant already" in neighbours.known()["others"].problem
    del enabled["trees"]
    neighbours.look()
    assert catalogue.find("trees.plant").run(None, {}) == {"other": True}


def test_at_the_end_all_are_let_go_of(neighbours, enabled, catalogue):
    enabled["trees"] = trees
    neighbours.look()
    neighbours.close()
    assert names(catalogue) == ["ours.look"]


def test_blender_says_which_are_enabled(monkeypatch):
    monkeypatch.setitem(sys.modules, "bl_ext.user_default.trees", SimpleNamespace(bpy_bridge_commands=trees))
    monkeypatch.setitem(sys.modules, "plain", SimpleNamespace())
    addons = {"bl_ext.user_default.trees": object(), "plain": object(), "enabled_but_not_there": object()}
    bpy = SimpleNamespace(context=SimpleNamespace(preferences=SimpleNamespace(addons=addons)))
    assert enabled_hooks(bpy) == {"bl_ext.user_default.trees": trees}


def test_looking_never_raises(catalogue, caplog):
    def restricted():
        raise AttributeError("'_RestrictContext' object has no attribute 'preferences'")

    assert not Neighbours(catalogue, restricted).look()
    assert "_RestrictContext" in caplog.text


def test_the_revision_tells_catalogues_apart_and_knows_the_same_again(neighbours, enabled, catalogue):
    before = catalogue.revision
    enabled["trees"] = trees
    neighbours.look()
    with_trees = catalogue.revision
    assert with_trees != before
    del enabled["trees"]
    neighbours.look()
    assert catalogue.revision == before
    enabled["trees"] = trees
    neighbours.look()
    assert catalogue.revision == with_trees
