"""bpy-bridge methods: from the bridge where one runs, else from the packaged catalogue."""

from __future__ import annotations

import json

from blender_addon.commands import CATALOGUE


def test_without_a_bridge_the_packaged_catalogue_answers(run):
    code, out, err = run("methods", "--json")
    methods = json.loads(out)
    names = [method["name"] for method in methods]
    assert (code, err) == (0, "")
    assert names == sorted(names)
    assert set(names) > {command["name"] for command in CATALOGUE.describe()}
    assert "bridge.status" in names
    assert all(set(method) == {"name", "doc", "params", "result", "hints"} for method in methods)


def test_the_running_bridge_knows_better(bridge, run):
    assert run("methods") == (0, "studio.only  From the bridge.\n", "")


def test_a_bridge_that_was_named_must_answer(run, monkeypatch):
    assert run("methods", "--bridge", "unix:/nowhere/at.all")[0] == 6
    monkeypatch.setenv("BPY_BRIDGE_ADDRESS", "unix:/nowhere/at.all")
    assert run("methods")[0] == 6


def test_the_list_has_a_line_for_each(run):
    _, out, _ = run("methods")
    assert len(out.splitlines()) == len(json.loads(run("methods", "--json")[1]))


def test_one_method_is_described_with_its_parameters(run):
    _, out, _ = run("methods", "object.create")
    lines = out.splitlines()
    assert lines[0] == "object.create"
    header = next(line for line in lines if line.startswith("parameter"))
    assert header.split() == ["parameter", "type", "default", "meaning"]
    required = next(line for line in lines if line.startswith("type "))
    assert required.split()[1:3] == ["string", "required"]
    assert "uv_sphere" in out
    assert all(len(line) <= 120 for line in lines)


def test_types_and_defaults_are_written_as_a_person_reads_them(bridge, run):
    _, _, table = run("methods", "studio.only")[1].partition("From the bridge.\n\n")
    assert [" ".join(row.split()) for row in table.splitlines()] == [
        "parameter type default meaning",
        "what string required a, b",
        'colour string | array of number "#fff"',
        "fixed 3 never anything else",
        "maybe integer | null null",
        "any any",
    ]


def test_a_method_without_parameters_says_so(run):
    assert "It takes no parameters." in run("methods", "bridge.status")[1]


def test_one_method_as_json_is_a_list_of_one(run):
    (method,) = json.loads(run("methods", "object.create", "--json")[1])
    assert method["name"] == "object.create"


def test_an_unknown_method_comes_with_the_nearest(run):
    code, out, err = run("methods", "objct.create")
    assert (code, out) == (4, "")
    assert "nearest: object.create" in err


def test_as_markdown_each_is_a_section(bridge, run):
    code, out, _ = run("methods", "--markdown")
    assert code == 0
    assert "### studio.only\n\nFrom the bridge.\n" in out
