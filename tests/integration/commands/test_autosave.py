"""The copy before code.execute, in a real Blender."""

import pytest

pytestmark = pytest.mark.blender

ASKED = """
from unittest import mock
from blender_addon import autosave
from blender_addon.preferences import Settings
from blender_addon.wire import Fault
asked = mock.patch.object(autosave, "settings", lambda: Settings(autosave=True))
"""


def test_without_a_wish_nothing_is_saved(blender):
    assert blender.python("from blender_addon import autosave\nresult = autosave.before_code()") is None


def test_the_copy_holds_what_was_open_and_the_file_stays_open(blender):
    copied, left, names = blender.python(
        ASKED
        + """
bpy.data.objects["Cube"].name = "Precious"
with asked:
    copied = autosave.before_code()
left = bpy.data.filepath
with bpy.data.libraries.load(copied) as (there, _):
    result = [copied, left, list(there.objects)]
"""
    )

    assert "bpy-bridge-autosave-untitled-" in copied
    assert left == ""
    assert "Precious" in names


def test_code_does_not_run_where_the_copy_cannot_be_saved(blender, tmp_path):
    (tmp_path / "file").touch()

    code, outcome, message = blender.python(
        ASKED
        + f"""
from pathlib import Path
with asked, mock.patch.object(autosave, "copies_folder", lambda: Path({str(tmp_path / "file" / "x")!r})):
    try:
        autosave.before_code()
    except Fault as fault:
        result = [fault.code, fault.outcome, fault.message]
"""
    )

    assert (code, outcome) == ("forbidden", "not_executed")
    assert "switch the copies off" in message
