"""Runs in the Blender that is tested, beside the add-on: what a person does by hand there, which must not need it.

    blender … --python hand.py -- DIRECTORY

Python files that are put into the directory are run by a timer of its own, one after the other; what they set `result`
to, or the traceback, is in a JSON file of the same name then.
"""

import json
import sys
import traceback
from pathlib import Path

import bpy

_PLACE = Path(sys.argv[-1])


def look():
    for task in sorted(_PLACE.glob("*.py")):
        code = task.read_text()
        task.unlink()
        said = {}
        try:
            names = {"bpy": bpy}
            exec(compile(code, task.name, "exec"), names)
            said["result"] = names.get("result")
        except BaseException:  # noqa: BLE001  # told to the test
            said["error"] = traceback.format_exc()
        new = task.with_suffix(".new")
        new.write_text(json.dumps(said))
        new.rename(task.with_suffix(".json"))
    return 0.01


bpy.app.timers.register(look, persistent=True)
