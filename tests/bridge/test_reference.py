"""The catalogue for people."""

from __future__ import annotations

from bridge.reference import commands, families, first_line, parameters

SCHEMA = {
    "type": "object",
    "required": ["what"],
    "properties": {
        "what": {"type": "string", "enum": ["a", "b"], "description": "which\n  one"},
        "colour": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "number"}}], "default": "#fff"},
        "fixed": {"const": 3},
        "maybe": {"type": ["integer", "null"]},
        "any": {},
    },
}


def method(name, doc="Does it.", params=None, **hints):
    return {"name": name, "doc": doc, "params": params or {}, "result": {}, "hints": hints}


def test_each_parameter_is_told_in_words():
    assert [tuple(parameter) for parameter in parameters(SCHEMA)] == [
        ("what", "string", "required", "which one: a, b"),
        ("colour", "string | array of number", '"#fff"', ""),
        ("fixed", "3", "", ""),
        ("maybe", "integer | null", "", ""),
        ("any", "any", "", ""),
    ]


def test_the_first_line_says_what_it_does():
    assert first_line("\nDoes it.\n\nAt length.") == "Does it."


def test_the_table_has_a_row_for_each_family():
    table = families([method("b.two"), method("a.one"), method("b.one")], link="c.md")
    assert table.splitlines() == [
        "| family | commands |",
        "|---|---|",
        "| [a](c.md#a) | `one` |",
        "| [b](c.md#b) | `one` · `two` |",
    ]


def test_every_command_is_there_with_its_documentation_and_parameters():
    text = commands([method("a.one", "Does it.\n\nAt length.", SCHEMA, destructive=True, idempotent=True)])
    assert "### a.one\n\nDoes it.\n\nAt length.\n\n*It may lose what there is. Done twice, it is as done once.*" in text
    assert '| colour | string \\| array of number | "#fff" |  |' in text


def test_one_that_changes_nothing_says_only_that():
    text = commands([method("a.one", read_only=True, idempotent=True)])
    assert "*It changes nothing.*" in text
    assert "twice" not in text
    assert "| parameter |" not in text
