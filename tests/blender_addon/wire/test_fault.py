"""The error object: what every code means for the effects."""

from __future__ import annotations

import pytest

from blender_addon.wire import Fault
from blender_addon.wire.fault import OUTCOMES


def test_each_golden_error_is_written_from_its_code(errors):
    assert Fault(errors["code"], errors["message"], data=errors["data"]).as_object() == errors


def test_each_golden_error_is_read(errors):
    fault = Fault.from_object(errors)
    assert fault.as_object() == errors
    assert str(fault) == f"{errors['code']}: {errors['message']}"


def test_every_code_has_a_golden_error(vectors):
    assert {vector["code"] for vector in vectors["errors"]} == set(OUTCOMES)


@pytest.mark.parametrize("outcome", ["not_executed", "failed", "unknown"])
def test_an_outcome_that_is_known_wins_over_the_codes(outcome):
    assert Fault("cancelled", "m", outcome=outcome).as_object()["outcome"] == outcome


@pytest.mark.parametrize(("outcome", "retryable"), [("not_executed", True), ("unknown", False)])
def test_a_timeout_may_be_tried_again_only_if_nothing_ran(outcome, retryable):
    assert Fault("timeout", "m", outcome=outcome).retryable is retryable


def test_a_code_of_a_later_version_has_an_unknown_outcome():
    assert Fault("of_tomorrow", "m").outcome == "unknown"


def test_data_of_the_wrong_type_is_no_data():
    assert Fault.from_object({"code": "busy", "message": "m", "outcome": "not_executed", "data": []}).data == {}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"code": 1, "message": "m", "outcome": "failed"},
        {"code": "busy", "message": None, "outcome": "failed"},
        {"code": "busy", "message": "m"},
        {"code": "busy", "message": "m", "outcome": "perhaps"},
        {"code": "busy", "message": "m", "outcome": []},
    ],
)
def test_what_is_no_error_object_is_a_value_error(value):
    with pytest.raises(ValueError, match="error"):
        Fault.from_object(value)
