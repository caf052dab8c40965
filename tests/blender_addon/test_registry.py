"""One decorated function is a command's whole definition."""

import subprocess
import sys
from typing import Annotated, Optional

import pytest

from blender_addon.call import Call
from blender_addon.commands import CATALOGUE
from blender_addon.constraints import Range
from blender_addon.registry import Catalogue
from blender_addon.wire import Fault, Part

CALL = Call("1", "test.add")


@pytest.fixture
def catalogue():
    catalogue = Catalogue()

    @catalogue.command("test.add", idempotent=True)
    def add(
        call: Call, *, left: Annotated[int, "one number"], right: Annotated[int, Range(0, 9)] = 1
    ) -> dict[str, int]:
        """Add two numbers."""
        assert call is CALL
        return {"sum": left + right}

    @catalogue.command("test.look", read_only=True, io_thread=True)
    def look(*, name: Optional[str] = None, part: Optional[Part] = None) -> dict[str, object]:
        """Look at what was given."""
        return {"name": name, "part": part}

    return catalogue


def refused(command, params, parts=None):
    with pytest.raises(Fault) as caught:
        command.bind(params, parts or {})
    return caught.value


def test_a_bound_command_runs_with_the_call_and_its_defaults(catalogue):
    command = catalogue.find("test.add")

    assert command.run(CALL, command.bind({"left": 2}, {})) == {"sum": 3}


def test_a_command_without_a_call_parameter_runs_without_it(catalogue):
    command = catalogue.find("test.look")

    assert command.run(CALL, command.bind({"name": "x"}, {})) == {"name": "x", "part": None}


def test_the_decorated_function_stays_a_plain_function(catalogue):
    def plain(*, a: int) -> int:
        """Return it."""
        return a

    assert catalogue.command("test.plain")(plain) is plain


def test_a_part_reaches_the_command(catalogue):
    part = Part(b"abc")
    command = catalogue.find("test.look")

    assert command.run(CALL, command.bind({"part": {"$part": "x"}}, {"x": part}))["part"] is part


@pytest.mark.parametrize("params", [None, [], "x", 1, True])
def test_params_that_are_no_object_are_a_bad_payload(catalogue, params):
    assert refused(catalogue.find("test.add"), params).code == "bad_payload"


def test_every_problem_is_told_at_once(catalogue):
    fault = refused(catalogue.find("test.add"), {"lef": 1, "right": 10})

    assert fault.code == "invalid_params"
    assert fault.outcome == "not_executed"
    assert fault.data == {
        "problems": [
            {"param": "lef", "problem": "there is no such parameter; did you mean 'left'?"},
            {"param": "right", "problem": "expected a whole number from 0 to 9, got 10"},
            {"param": "left", "problem": "is required"},
        ],
        "nearest": ["left"],
    }


def test_the_message_of_a_refusal_reads_alone(catalogue):
    assert refused(catalogue.find("test.add"), {}).message == "test.add: left: is required"


def test_a_flood_of_problems_is_cut(catalogue):
    fault = refused(catalogue.find("test.add"), {f"x{number}": 1 for number in range(1000)})

    assert len(fault.data["problems"]) == 50
    assert fault.message.endswith("and 998 more")


def test_the_call_is_no_parameter(catalogue):
    assert refused(catalogue.find("test.add"), {"left": 1, "call": 1}).data["problems"][0]["param"] == "call"


def test_an_unknown_method_comes_with_the_nearest(catalogue):
    with pytest.raises(Fault) as caught:
        catalogue.find("test.ad")

    assert caught.value.code == "unknown_method"
    assert caught.value.data["nearest"][0] == "test.add"


def test_the_description_is_made_of_the_signature(catalogue):
    described = catalogue.describe()[0]

    assert described == {
        "name": "test.add",
        "doc": "Add two numbers.",
        "params": {
            "type": "object",
            "properties": {
                "left": {"type": "integer", "description": "one number"},
                "right": {"type": "integer", "minimum": 0, "maximum": 9, "default": 1},
            },
            "required": ["left"],
            "additionalProperties": False,
        },
        "result": {"type": "object", "additionalProperties": {"type": "integer"}},
        "hints": {"read_only": False, "destructive": False, "idempotent": True},
    }


def test_null_is_taken_where_it_means_not_given_and_is_not_in_the_schema(catalogue):
    command = catalogue.find("test.look")

    assert command.bind({"name": None}, {}) == {"name": None}
    assert command.params["properties"]["name"] == {"type": "string"}


def test_a_command_says_on_which_thread_it_runs(catalogue):
    assert catalogue.find("test.look").io_thread
    assert not catalogue.find("test.add").io_thread


def test_a_read_only_command_is_idempotent(catalogue):
    assert catalogue.find("test.look").hints["idempotent"]


def test_a_removed_command_is_unknown(catalogue):
    catalogue.remove("test.add")

    with pytest.raises(Fault):
        catalogue.find("test.add")


def test_a_name_belongs_to_the_module_that_took_it(catalogue):
    def other() -> None:
        """Do nothing."""

    other.__module__ = "another_addon"

    with pytest.raises(ValueError, match="registered"):
        catalogue.command("test.add")(other)


def test_a_reloaded_module_replaces_its_command(catalogue):
    def newer() -> None:
        """Do it better."""

    catalogue.command("test.add")(newer)

    assert catalogue.find("test.add").function is newer


@pytest.mark.parametrize("name", ["add", "bridge.add", "jobs.add", "Test.add", "test.", "test.add\n", ""])
def test_a_name_is_family_and_verb_and_not_the_bridges(catalogue, name):
    def function() -> None:
        """Do nothing."""

    with pytest.raises(ValueError, match="name"):
        catalogue.command(name)(function)


def test_a_command_needs_a_docstring(catalogue):
    def silent() -> None: ...

    with pytest.raises(TypeError, match="docstring"):
        catalogue.command("test.silent")(silent)


def test_a_parameter_needs_an_annotation(catalogue):
    def bare(value) -> None:
        """Take something."""

    with pytest.raises(TypeError, match="annotation"):
        catalogue.command("test.bare")(bare)


def test_the_catalogue_needs_no_blender():
    script = (
        "import sys, blender_addon.commands as c; assert 'bpy' not in sys.modules; print(len(c.CATALOGUE.describe()))"
    )

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert int(told.stdout) >= 15


def test_every_default_is_a_value_that_its_own_parameter_takes():
    for described in CATALOGUE.describe():
        command = CATALOGUE.find(described["name"])
        required = dict.fromkeys(described["params"]["required"])
        for name, schema in described["params"]["properties"].items():
            if "default" in schema:
                problems = refused(command, {**required, name: schema["default"], "no such": 1}).data["problems"]
                assert not [problem for problem in problems if problem["param"].startswith(name)]


def test_every_parameter_but_the_plainest_names_is_described():
    bare = {
        f"{described['name']} {name}"
        for described in CATALOGUE.describe()
        for name, schema in described["params"]["properties"].items()
        if "description" not in schema
    }

    assert bare == set()
