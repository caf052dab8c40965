"""The add-on's page in Blender's preferences."""

from __future__ import annotations

import os
from typing import Any

import bpy

from .policy import ENVIRONMENT_CODE, ENVIRONMENT_FOLDERS, policy_from_environment
from .preferences import Settings, apply_policy

_DEFAULTS = Settings()


def _apply(_page: object, _context: object) -> None:
    apply_policy()


class Preferences(bpy.types.AddonPreferences):  # type: ignore[misc]  # bpy has no types
    """Blender reads the properties from the annotations, which are values here and no types."""

    bl_idname = __package__

    __annotations__ = {
        "autostart": bpy.props.BoolProperty(
            name="Start with Blender",
            description="Take connections as soon as Blender runs",
            default=_DEFAULTS.autostart,
        ),
        "announce_name": bpy.props.StringProperty(
            name="Name",
            description="What this Blender is called by the bridge (--instance NAME). Without one it goes by its "
            "file's name. Takes effect at the next start of the server",
            default=_DEFAULTS.announce_name,
            maxlen=63,
        ),
        "allow_code": bpy.props.BoolProperty(
            name="Allow Python code",
            description="Let clients run Python of their own (code.execute), which can do all that you can. Without it "
            "they have the add-on's commands alone",
            default=_DEFAULTS.allow_code,
            update=_apply,
        ),
        "write_anywhere": bpy.props.BoolProperty(
            name="Write files anywhere",
            description="Let commands save, render and export to any place that you may write to",
            default=_DEFAULTS.write_anywhere,
            update=_apply,
        ),
        "write_folders": bpy.props.StringProperty(
            name="Folders",
            description=f"The folders that commands may write to, with {os.pathsep!r} between them; what is below them "
            "counts too",
            default=_DEFAULTS.write_folders,
            update=_apply,
        ),
        "autosave": bpy.props.BoolProperty(
            name="Save a copy before code runs",
            description="Before each code.execute, save a copy of the open file; the last five of each file are kept",
            default=_DEFAULTS.autosave,
        ),
    }

    def draw(self, _context: object) -> None:
        """Draw the page."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column(heading="Server")
        column.prop(self, "autostart")
        layout.prop(self, "announce_name")
        self._draw_safety(layout)

    def _draw_safety(self, layout: Any) -> None:
        forced = policy_from_environment()
        column = layout.column(heading="Safety")
        row = column.row()
        row.active = forced.code
        row.prop(self, "allow_code")
        if not forced.code:
            column.label(text=f"Switched off by {ENVIRONMENT_CODE}", icon="LOCKED")
        column.prop(self, "autosave")
        column.prop(self, "write_anywhere")
        if not self.write_anywhere:
            column.prop(self, "write_folders")
            if not self.write_folders.strip():
                column.label(text="No folder is named: commands write no files", icon="INFO")
        if forced.folders is not None:
            where = os.pathsep.join(forced.folders) or "no folder at all"
            column.label(text=f"Within {where}, says {ENVIRONMENT_FOLDERS}", icon="LOCKED")
