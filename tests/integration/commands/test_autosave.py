"""The copy before code.execute, in a real Blender."""

from pathlib import Path

import pytest

from blender_addon.wire import Fault

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


@pytest.fixture
def saving(blender):
    """Every code.execute saves a copy first."""
    blender.python("import sys\n" + ASKED + "asked.start()\nsys.bpy_bridge_asked = asked")
    yield
    blender.python("import sys\nsys.bpy_bridge_asked.stop()\ndel sys.bpy_bridge_asked")


@pytest.mark.usefixtures("saving")
def test_the_copy_is_told_with_the_result_and_with_an_error(blender):
    assert Path(blender.get("code.execute", code="result = 1")["autosave"]).is_file()
    with pytest.raises(Fault) as caught:
        blender.get("code.execute", code="1 / 0")
    assert Path(caught.value.data["autosave"]).is_file()


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
