"""The bridge's own methods and their refusals."""

from __future__ import annotations

import pytest

from bridge.errors import Refused
from bridge.methods import BRIDGE_METHODS, refuse_params, unknown_method


def test_each_method_is_described_like_a_command():
    for entry in BRIDGE_METHODS:
        assert set(entry) == {"name", "doc", "params", "result", "hints"}
        assert set(entry["hints"]) == {"read_only", "destructive", "idempotent"}
        assert entry["doc"].endswith(".")


def test_an_unknown_method_comes_with_the_nearest():
    fault = unknown_method("bridge.statsu", ["bridge.status", "bridge.methods"])
    assert (fault.code, fault.data["nearest"][0]) == ("unknown_method", "bridge.status")
    assert "did you mean bridge.status" in fault.message


def test_where_nothing_is_near_it_says_how_to_list_them():
    fault = unknown_method("zzz", ["bridge.status"])
    assert fault.data["nearest"] == []
    assert "bpy-bridge methods" in fault.message


@pytest.mark.parametrize("params", [None, {}])
def test_no_parameters_are_fine(params):
    refuse_params("bridge.status", params)


def test_a_parameter_is_refused_by_its_name():
    with pytest.raises(Refused) as caught:
        refuse_params("bridge.status", {"verbose": True})
    assert caught.value.code == "invalid_params"
    assert caught.value.data["problems"] == [{"param": "verbose", "problem": "unknown parameter"}]


def test_what_is_no_object_is_a_bad_payload():
    with pytest.raises(Refused) as caught:
        refuse_params("bridge.status", [1])
    assert caught.value.code == "bad_payload"
