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


def test_arguments_are_a_variable(blender):
    executed = blender.get("code.execute", code="result = [args['name'], args['n'] + 1]", args={"name": "a'b", "n": 1})

    assert executed["result"] == ["a'b", 2]
    assert blender.python("result = args") == {}


def test_progress_reaches_the_client(blender):
    answer = blender.call("code.execute", code="for n in range(3): progress(n + 1, 3, f'part {n + 1}')")

    assert answer.progress[-1] == {"progress": 3, "total": 3, "message": "part 3"}


def test_progress_never_fails(blender):
    assert blender.python("progress(-1, 3); progress(5, 3); progress(1, 0); progress(1, 1, None); result = 1") == 1


@pytest.mark.parametrize("leave", ["sys.exit()", "sys.exit(0)", "exit()", "quit()", "exit(0)", "raise SystemExit"])
def test_leaving_ends_the_code_alone(blender, leave):
    assert blender.python(f"import sys\nresult = 1\n{leave}\nresult = 2") == 1
    assert blender.python("result = len(bpy.data.objects)") == 3


def test_leaving_inside_an_operator_is_an_error_and_blender_goes_on(blender):
    fault = fails(
        blender,
        """
import sys
class OBJECT_OT_leave(bpy.types.Operator):
    bl_idname = "object.leave"
    bl_label = "Leave"
    def execute(self, context):
        sys.exit(0)
bpy.utils.register_class(OBJECT_OT_leave)
try:
    bpy.ops.object.leave()
finally:
    bpy.utils.unregister_class(OBJECT_OT_leave)
""",
    )

    assert "would end Blender" in fault.message
    assert blender.python("result = 1") == 1


def test_leaving_inside_a_handler_does_not_end_blender(blender):
    assert (
        blender.python("""
import sys
def leave(*_):
    sys.exit(0)
bpy.app.handlers.depsgraph_update_post.append(leave)
bpy.data.objects["Cube"].location.x += 1
bpy.context.view_layer.update()
bpy.app.handlers.depsgraph_update_post.remove(leave)
result = 1
""")
        == 1
    )


def test_a_script_may_catch_its_own_leaving(blender):
    assert (
        blender.python("""
import argparse, sys
try:
    argparse.ArgumentParser().parse_args(["--unknown"])
except SystemExit as leaving:
    result = leaving.code
""")
        == 2
    )


def test_quitting_blender_is_refused_and_blender_goes_on(blender):
    assert "quit_blender" in fails(blender, "bpy.ops.wm.quit_blender()").message
    assert "quit_blender" in fails(blender, "from bpy.ops import wm; wm.quit_blender('EXEC_DEFAULT')").message
    assert blender.python("result = 1") == 1


def test_factory_settings_reset_the_scene_alone_and_say_so(blender):
    code = "bpy.ops.wm.read_factory_settings(use_empty=True); result = len(bpy.data.objects)"

    executed = blender.get("code.execute", code=code)

    assert executed["result"] == 0
    assert "scene alone" in executed["stderr"]


def test_factory_preferences_are_refused(blender):
    assert "read_factory_userpref" in fails(blender, "bpy.ops.wm.read_factory_userpref()").message


def test_the_add_on_is_not_disabled_from_within(blender):
    assert "blender_addon" in fails(blender, "bpy.ops.preferences.addon_disable(module='blender_addon')").message


def test_other_operators_are_as_ever_and_described(blender):
    assert blender.python("""
bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
bpy.ops.wm.quit_blender.get_rna_type()
result = [len(bpy.data.objects), "quit_blender" in dir(bpy.ops.wm), bpy.ops.wm.save_mainfile.poll()]
""") == [0, True, True]


def test_the_guard_ends_with_the_code(blender):
    """A handler, a timer or a button of the user's meets Blender's own operators."""
    blender.python("""
@bpy.app.handlers.persistent
def look(*_):
    bpy.app.driver_namespace["guarded"] = "wm" in vars(bpy.ops)
bpy.app.handlers.load_post.append(look)
""")
    fails(blender, "raise ValueError")

    blender.get("file.new")

    assert blender.python("""
bpy.app.handlers.load_post.pop()
result = [bpy.app.driver_namespace.pop("guarded"), "wm" in vars(bpy.ops)]
""") == [False, True]
