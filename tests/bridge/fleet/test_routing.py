"""Who is meant: by name, by what was chosen, by what there is, and by what a client's connection got before."""

from __future__ import annotations

import pytest

from bridge.errors import Refused
from bridge.fleet import Affinity, Fleet, Group


@pytest.fixture
def fleet(instance):
    """`configured` names, `announced` ones and `embedded` ones."""

    def make(*configured: str, announced: tuple[str, ...] = (), embedded: tuple[str, ...] = ()) -> Fleet:
        return Fleet(
            instance(name, source, file=f"/{name}.blend" if source == "announced" else None)
            for names, source in ((configured, "configured"), (announced, "announced"), (embedded, "embedded"))
            for name in names
        )

    return make


def refusal(fleet: Fleet, name: str | None = None, affinity: Affinity | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        fleet.route(name, affinity or Affinity())
    return caught.value


def test_a_name_is_that_instance(fleet):
    assert fleet("studio", "farm").find("farm").name == "farm"


def test_without_a_name_the_only_instance_is_meant(fleet):
    assert fleet("studio").find(None).name == "studio"


def test_without_a_name_default_is_meant_where_there_are_several(fleet):
    assert fleet("studio", "default").find(None).name == "default"


def test_without_a_name_and_without_default_it_is_ambiguous(fleet):
    refused = refusal(fleet("studio", "farm"))
    assert (refused.code, refused.outcome, refused.data["nearest"]) == (
        "ambiguous_instance",
        "not_executed",
        ["studio", "farm"],
    )


def test_an_unknown_name_comes_with_the_nearest(fleet):
    refused = refusal(fleet("studio", "farm"), "stduio")
    assert (refused.code, refused.data["nearest"]) == ("unknown_instance", ["studio"])


def test_where_nothing_is_near_the_known_ones_are_named(fleet):
    assert refusal(fleet("studio", "farm"), "zzz").data["nearest"] == ["studio", "farm"]


@pytest.mark.parametrize(
    ("there", "meant"),
    [
        ({"announced": ("shot",), "embedded": ("default",)}, "shot"),
        ({"embedded": ("default",)}, "default"),
    ],
)
@pytest.mark.parametrize("name", [None, "default"])
def test_what_is_announced_comes_before_the_embedded_worker(fleet, there, meant, name):
    assert fleet(**there).find(name).name == meant


@pytest.mark.parametrize("name", [None, "default"])
def test_what_is_configured_comes_before_what_is_announced(fleet, name):
    assert fleet("studio", announced=("shot", "other")).find(name).name == "studio"


def test_the_name_default_is_whom_somebody_called_so_whatever_is_chosen(fleet):
    both = fleet("studio", "default")
    both.use("studio")
    assert both.find(None).name == "studio"
    assert both.find("default").name == "default"


def test_two_announced_ones_are_ambiguous_and_both_are_listed_with_their_files(fleet):
    refused = refusal(fleet(announced=("shot-010", "shot-020"), embedded=("default",)))
    assert refused.code == "ambiguous_instance"
    listed = [(found["name"], found["file"], found["source"]) for found in refused.data["instances"]]
    assert listed == [
        ("shot-010", "/shot-010.blend", "announced"),
        ("shot-020", "/shot-020.blend", "announced"),
    ]
    assert "shot-010 (/shot-010.blend)" in refused.message
    assert "bpy-bridge use" in refused.message


def test_without_any_blender_nobody_is_meant(fleet):
    assert refusal(fleet()).code == "unknown_instance"


def test_what_was_chosen_is_meant(fleet):
    two = fleet(announced=("one", "other"))
    two.use("other")
    assert (two.chosen, two.find(None).name) == ("other", "other")
    two.use(None)
    assert two.chosen is None
    assert refusal(two).code == "ambiguous_instance"


def test_only_one_that_is_there_can_be_chosen(fleet):
    with pytest.raises(Refused) as caught:
        fleet("studio").use("stduio")
    assert (caught.value.code, caught.value.data["nearest"]) == ("unknown_instance", ["studio"])


async def test_a_choice_lasts_while_that_one_is_there_and_does_not_pass_to_its_namesake(fleet, instance):
    three = fleet(announced=("one", "other", "third"))
    three.use("other")
    three.remove("other")
    assert three.chosen is None
    three.add(instance("other", "announced"))
    assert three.chosen is None
    refusal(three)
    assert refusal(three).code == "ambiguous_instance"


async def test_that_the_choice_is_over_is_said_before_another_scene_is_worked_on(fleet):
    two = fleet(announced=("one", "other"))
    two.use("other")
    two.remove("other")
    told = refusal(two)
    assert (told.code, told.data["gone"]) == ("unknown_instance", "other")
    assert two.find(None).name == "one"


def test_a_connection_keeps_what_it_got(fleet, instance):
    one, affinity = fleet(embedded=("default",)), Affinity()
    got = one.route(None, affinity)
    one.add(instance("shot", "announced"))
    one.use("shot")
    assert one.route(None, affinity) is got
    assert one.route(None, Affinity()).name == "shot"


def test_a_name_in_between_changes_nothing(fleet):
    two, affinity = fleet("studio", "default"), Affinity()
    two.route(None, affinity)
    two.route("studio", affinity)
    assert two.route(None, affinity).name == "default"


async def test_when_it_is_gone_the_connection_is_told_once_and_then_routed_anew(fleet):
    both, affinity = fleet(announced=("shot",), embedded=("default",)), Affinity()
    both.route(None, affinity)
    both.remove("shot")
    told = refusal(both, affinity=affinity)
    assert (told.code, told.outcome, told.data["gone"]) == ("unknown_instance", "not_executed", "shot")
    assert both.route(None, affinity).name == "default"


async def test_what_was_read_before_it_was_told_is_refused_too(fleet):
    both, affinity = fleet(announced=("shot",), embedded=("default",)), Affinity()
    bound = both.route(None, affinity)
    both.remove("shot")
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            both.route(None, affinity, bound)
        assert caught.value.data["gone"] == "shot"
    assert both.route(None, affinity).name == "default"


async def test_a_namesake_of_the_one_that_is_gone_is_another(fleet, instance):
    one, affinity = fleet(announced=("shot",)), Affinity()
    one.route(None, affinity)
    one.remove("shot")
    one.add(instance("shot", "announced"))
    assert refusal(one, affinity=affinity).data["gone"] == "shot"


def test_a_look_binds_nothing(fleet, instance):
    one, affinity = fleet(embedded=("default",)), Affinity()
    assert one.peek(None, affinity).name == "default"
    one.add(instance("shot", "announced"))
    assert one.route(None, affinity).name == "shot"
    assert one.peek(None, affinity).name == "shot"


def test_the_name_of_several_is_those_but_no_single_one(fleet):
    farm = fleet("farm-1", "farm-2")
    farm.add_group(Group("farm", farm.instances.values()))
    assert farm.route("farm", Affinity()) is farm.groups["farm"]
    assert farm.route(None, Affinity()) is farm.groups["farm"]
    with pytest.raises(Refused) as caught:
        farm.find("farm")
    assert (caught.value.code, caught.value.data["nearest"]) == ("ambiguous_instance", ["farm-1", "farm-2"])
    assert farm.find("farm-2").name == "farm-2"
