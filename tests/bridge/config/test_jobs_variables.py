"""The environment of jobs' Blenders, from the bridge's own environment."""

from __future__ import annotations

from bridge.config.sources import Environment, environment_name


def test_a_variable_of_a_job_s_blender_keeps_its_spelling():
    found = Environment.read({"BPY_BRIDGE_JOBS__ENV__Ocio__X": "/c"}, ())
    assert found.values == {"jobs": {"env": {"Ocio__X": "/c"}}}
    assert environment_name(("jobs", "env", "Ocio__X")) == "BPY_BRIDGE_JOBS__ENV__Ocio__X"
