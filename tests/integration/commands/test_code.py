"""code.execute against a real Blender."""

import pytest

from blender_addon.wire import Fault

pytestmark = pytest.mark.blender


def fails(blender, code):
    with pytest.raises(Fault) as caught:
        blender.call("code.execute", code=code)
    assert (caught.value.code, caught.value.outcome) == ("execution_failed", "failed")
    return caught.value


def test_the_variable_result_comes_back(blender):
    assert blender.python("result = {'objects': len(bpy.data.objects)}") == {"objects": 3}


def test_no_result_is_null(blender):
    assert blender.python("x = 1") is None


def test_what_is_printed_comes_back(blender):
    executed = blender.get("code.execute", code="import sys; print('out'); print('err', file=sys.stderr)")

    assert (executed["stdout"], executed["stderr"]) == ("out\n", "err\n")


def test_endless_printing_is_cut_and_counted(blender):
    executed = blender.get("code.execute", code="print('x' * 100_000, end='')")

    assert executed["stdout"] == "x" * 32_768 + "\n… 67232 more characters"


def test_blenders_own_values_become_lists_and_reprs(blender):
    assert blender.python("""
cube = bpy.data.objects["Cube"]
result = [cube.location, cube.matrix_world.to_3x3(), cube.rotation_euler, cube, {2, 1}, float("nan"), cube.bound_box[0]]
""") == [
        [0, 0, 0],
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [0, 0, 0],
        "bpy.data.objects['Cube']",
        [1, 2],
        None,
        [-1, -1, -1],
    ]


def test_a_removed_object_still_has_a_repr(blender):
    told = blender.python("result = bpy.data.objects['Cube']; bpy.data.objects.remove(result)")

    assert told == "<bpy_struct, Object invalid>"


def test_each_call_has_a_fresh_namespace(blender):
    blender.python("leftover = 1")

    assert fails(blender, "leftover").data["type"] == "NameError"


def test_functions_see_their_globals_and_classes_work(blender):
    code = "import math\ndef f(): return math.floor(g())\ndef g(): return 2.5\nresult = [f() for _ in range(2)]"

    assert blender.python(code) == [2, 2]


def test_a_traceback_has_the_callers_lines_and_none_of_ours(blender):
    fault = fails(blender, "print('before')\ndef f():\n    return 1 / 0\nf()\n")

    assert fault.message == "ZeroDivisionError: division by zero (line 3)"
    assert fault.data["type"] == "ZeroDivisionError"
    assert fault.data["stdout"] == "before\n"
    assert 'File "<code>", line 4, in <module>\n    f()' in fault.data["traceback"]
    assert "return 1 / 0" in fault.data["traceback"]
    assert "blender_addon" not in fault.data["traceback"]


def test_a_syntax_error_names_its_line(blender):
    fault = fails(blender, "x = 1\nif x\n")

    assert fault.message == "SyntaxError: expected ':' (line 2)"
    assert "if x" in fault.data["traceback"]
    assert "blender_addon" not in fault.data["traceback"]


def test_an_exception_that_cannot_describe_itself_is_told(blender):
    fault = fails(blender, "class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E\n")

    assert fault.data["type"] == "E"


def test_blenders_own_error_is_passed_on(blender):
    fault = fails(blender, "bpy.context.scene.render.engine = 'NONE_SUCH'")

    assert "CYCLES" in fault.message


def test_a_script_that_leaves_in_order_has_ended_well(blender):
    executed = blender.get("code.execute", code="import sys; print('bye'); result = 1; sys.exit()")

    assert (executed["stdout"], executed["result"]) == ("bye\n", 1)


def test_a_script_that_leaves_with_an_error_has_failed_and_blender_goes_on(blender):
    assert fails(blender, "raise SystemExit(3)").data["type"] == "SystemExit"
    assert blender.python("result = 1") == 1


def test_what_waits_for_a_keyboard_finds_its_end(blender):
    assert fails(blender, "input()").data["type"] == "EOFError"


def test_a_result_inside_itself_ends(blender):
    assert blender.python("result = []; result.append(result)") == ["[[...]]"]


@pytest.mark.parametrize("loop", ["pass", "__import__('time').sleep(60)"])
def test_code_that_runs_into_its_deadline_is_interrupted_and_blender_goes_on(blender, loop):
    code = f"while True:\n    try:\n        {loop}\n    except Exception:\n        pass\n"

    with pytest.raises(Fault) as caught:
        blender.call("code.execute", deadline=0.2, code=code)

    assert (caught.value.code, caught.value.outcome) == ("timeout", "unknown")
    assert blender.python("import sys; print('x'); result = 1") == 1
