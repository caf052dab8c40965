"""Announced Blenders as instances: their names, and how they come and go."""

from __future__ import annotations

import pytest

from blender_addon.descriptor import Descriptor
from bridge.fleet import Announced, Fleet, Group


def descriptor(number: int = 1, file: str = "", name: str | None = None) -> Descriptor:
    return Descriptor(f"unix:/blender-{number}", None, number, 1.0, 1.0, f"{number:016x}", "5.0.1", file, name)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


@pytest.fixture
def announced(fleet, instance) -> Announced:
    return Announced(fleet, lambda name, found: instance(name, "announced", address=found.address, file=found.file))


def test_it_is_named_after_its_file_or_as_it_wishes(fleet, announced):
    announced.come(descriptor(1, "/a/shot.blend"))
    announced.come(descriptor(2, "/b/shot.blend"))
    announced.come(descriptor(3))
    announced.come(descriptor(4, "/a/shot.blend", "hero"))
    assert list(fleet.instances) == ["shot", "shot-2", "blender", "hero"]


async def test_its_name_stays_when_another_file_is_open_there(fleet, announced):
    announced.come(descriptor(1, "/a/shot.blend"))
    announced.changed(descriptor(1, "/a/other.blend"))
    assert fleet.instances["shot"].file == "/a/other.blend"
    announced.gone(descriptor(1, "/a/other.blend"))
    assert fleet.instances == {}


def test_no_name_of_another_is_taken(fleet, announced, instance):
    for name in ("studio", "farm-1", "farm-2"):
        fleet.add(instance(name))
    fleet.add_group(Group("farm", [fleet.instances["farm-1"], fleet.instances["farm-2"]]))
    for number, name in enumerate(("studio", "farm", "farm-1", "default"), 1):
        announced.come(descriptor(number, name=name))
    assert list(fleet.instances)[3:] == ["studio-2", "farm-3", "farm-1-2", "default-2"]


async def test_one_that_is_configured_already_gets_no_second_name(fleet, announced, instance):
    fleet.add(instance("studio", address=descriptor(1).address))
    announced.come(descriptor(1))
    announced.changed(descriptor(1, "/a.blend"))
    announced.gone(descriptor(1))
    assert list(fleet.instances) == ["studio"]
