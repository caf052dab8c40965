"""What the panel's buttons do."""

from __future__ import annotations

from typing import Set

import bpy

from . import gui
from .autosave import copies_folder
from .preferences import settings

Outcome = Set[str]


class Start(bpy.types.Operator):  # type: ignore[misc]  # bpy has no types
    """Let the bridge, and the tools behind it, work in this Blender"""

    bl_idname = "bpy_bridge.start"
    bl_label = "Start"

    @classmethod
    def poll(cls, _context: object) -> bool:
        return gui.current() is None

    def execute(self, _context: object) -> Outcome:
        gui.start()
        if gui.current() is None and gui.problem():
            self.report({"ERROR"}, gui.problem())
            return {"CANCELLED"}
        return {"FINISHED"}


class Stop(bpy.types.Operator):  # type: ignore[misc]  # as above
    """Disconnect everyone and take no more commands. What has been done stays"""

    bl_idname = "bpy_bridge.stop"
    bl_label = "Stop"

    @classmethod
    def poll(cls, _context: object) -> bool:
        return gui.current() is not None

    def execute(self, _context: object) -> Outcome:
        gui.stop()
        return {"FINISHED"}


class Cancel(bpy.types.Operator):  # type: ignore[misc]  # as above
    """Stop the command that runs. Those that wait run next"""

    bl_idname = "bpy_bridge.cancel"
    bl_label = "Cancel the Running Command"

    def execute(self, _context: object) -> Outcome:
        server = gui.current()
        if server is None or not server.cancel_running():
            self.report({"INFO"}, "Nothing runs any more")
            return {"CANCELLED"}
        return {"FINISHED"}


class CopyAddress(bpy.types.Operator):  # type: ignore[misc]  # as above
    """Copy where this Blender takes connections. A bridge of your own finds it by itself"""

    bl_idname = "bpy_bridge.copy_address"
    bl_label = "Copy Address"

    @classmethod
    def poll(cls, _context: object) -> bool:
        return gui.current() is not None

    def execute(self, context: bpy.types.Context) -> Outcome:
        server = gui.current()
        assert server is not None
        context.window_manager.clipboard = server.address
        self.report({"INFO"}, f"Copied {server.address}")
        return {"FINISHED"}


class CopyCommand(bpy.types.Operator):  # type: ignore[misc]  # as above
    """Copy a command line that starts your bridge and asks this Blender what is open"""

    bl_idname = "bpy_bridge.copy_command"
    bl_label = "Copy Command Line"

    def execute(self, context: bpy.types.Context) -> Outcome:
        name = settings().announce_name
        instance = f" --instance {_quoted(name)}" if name else ""
        context.window_manager.clipboard = f"bpy-bridge start && bpy-bridge call scene.summary{instance}"
        self.report({"INFO"}, f"Copied: {context.window_manager.clipboard}")
        return {"FINISHED"}


class OpenCopies(bpy.types.Operator):  # type: ignore[misc]  # as above
    """Show the folder with the copies that were saved before code ran"""

    bl_idname = "bpy_bridge.open_copies"
    bl_label = "Open the Folder of Copies"

    def execute(self, _context: object) -> Outcome:
        folder = copies_folder()
        if not folder.is_dir():
            self.report({"INFO"}, f"There are no copies yet; they will be in {folder}")
            return {"CANCELLED"}
        bpy.ops.wm.path_open(filepath=str(folder))
        return {"FINISHED"}


def _quoted(text: str) -> str:
    # Alike in every shell for what people call things.
    return text if text.replace("-", "").replace("_", "").isalnum() else f'"{text}"'


CLASSES = (Start, Stop, Cancel, CopyAddress, CopyCommand, OpenCopies)
