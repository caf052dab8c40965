"""curve.* against a real Blender."""

import pytest

from tests.integration.commands.arrays import floats, numbers

pytestmark = pytest.mark.blender

CORNERS = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.5]]


@pytest.mark.parametrize("kind", ["POLY", "BEZIER", "NURBS"])
def test_a_curve_goes_through_the_points_that_it_was_given(blender, kind):
    state = blender.get("curve.create", points=CORNERS, kind=kind, name="Path", location=[0, 0, 3])

    assert (state["object"], state["splines"], state["points"]) == ("Path", 1, 4)
    read = blender.get("curve.read", object="Path")
    assert read["splines_shown"] == [
        {"type": kind, "points": 4, "cyclic": False, "order": 4 if kind == "NURBS" else None}
    ]
    assert read["first_points"] == CORNERS
    assert blender.get("object.get", name="Path")["location"] == [0, 0, 3]


def test_points_travel_as_arrays_both_ways(blender):
    sent = [number / 4 for number in range(3000)]

    blender.call("curve.create", {"points": floats(*sent)}, points={"$part": "points"}, kind="POLY", name="Long")
    answer = blender.call("curve.read", object="Long", binary=True)

    assert numbers(answer.parts["co"]) == sent
    assert answer.parts["co"].shape == (1000, 3)
    assert len(answer.value["first_points"]) == 200


def test_the_handles_of_a_bezier_curve_are_read(blender):
    blender.get("curve.create", points=CORNERS, name="Path")

    parts = blender.call("curve.read", object="Path", binary=True).parts

    assert parts["handle_left"].shape == parts["handle_right"].shape == (4, 3)
    assert numbers(parts["handle_left"]) != numbers(parts["co"])


def test_a_curve_may_have_several_splines(blender):
    blender.get("curve.create", points=CORNERS, kind="POLY", name="Two", spline_lengths=[3, 1])

    shown = blender.get("curve.read", object="Two", limit=1)
    assert (shown["splines"], shown["next_offset"], shown["splines_shown"][0]["points"]) == (2, 1, 3)
    rest = blender.get("curve.read", object="Two", limit=1, offset=1)
    assert (rest["next_offset"], rest["first_points"]) == (None, [[0, 1, 0.5]])


def test_a_curve_becomes_a_closed_pipe(blender):
    blender.get("curve.create", points=CORNERS, name="Pipe", cyclic=True, bevel_depth=0.1)

    assert blender.get("mesh.check", object="Pipe", evaluated=True)["closed"]


def test_properties_of_the_curve_are_set_by_name(blender):
    given = {"fill_mode": "BOTH", "resolution_u": 3}

    state = blender.get("curve.create", points=CORNERS, name="Flat", cyclic=True, dimensions="2D", properties=given)

    assert (state["dimensions"], state["resolution_u"]) == ("2D", 3)
    assert blender.get("mesh.read", object="Flat", evaluated=True)["faces"] > 0


def test_a_curve_is_changed_and_what_is_not_given_stays(blender):
    blender.get("curve.create", points=CORNERS, kind="NURBS", name="Path", bevel_depth=0.1)

    blender.get("curve.update", object="Path", points=CORNERS[:2])
    state = blender.get("curve.update", object="Path", cyclic=True, properties={"extrude": 0.5})

    assert (state["points"], state["bevel_depth"], state["extrude"]) == (2, 0.1, 0.5)
    spline = blender.get("curve.read", object="Path")["splines_shown"][0]
    assert (spline["type"], spline["cyclic"]) == ("NURBS", True)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"points": []}, "expected 1 to 2000"),
        ({"points": [[0, 0]]}, "expected 3 numbers"),
        ({"points": CORNERS, "spline_lengths": [2, 3]}, "add up to 5, and there are 4 points"),
        ({"points": CORNERS, "kind": "BEZEIR"}, "BEZIER"),
        ({"points": CORNERS, "properties": {"bevel_dpeth": 3}}, "bevel_depth"),
        ({"points": CORNERS, "properties": {"bevel_mode": "SQUARE"}}, "ROUND"),
    ],
)
def test_what_makes_no_curve_is_refused_and_leaves_nothing(blender, wrong, message):
    assert message in blender.refuses("curve.create", **wrong).message
    assert blender.python("result = len(bpy.data.curves)") == 0


def test_points_that_are_not_finite_are_refused(blender):
    parts = {"points": floats(0, float("nan"), 0)}

    assert "finite" in blender.refuses("curve.create", parts, points={"$part": "points"}).message


def test_what_is_no_curve_is_refused_with_the_curves_there_are(blender):
    blender.get("curve.create", points=CORNERS, name="Path")

    fault = blender.refuses("curve.read", object="Cube")

    assert ("is no curve but a mesh" in fault.message, fault.data["nearest"]) == (True, ["Path"])
    assert "no curve" in blender.refuses("curve.update", object="Cube", cyclic=True).message
