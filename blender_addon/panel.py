"""The sidebar of the 3D view: whether this Blender is served, who is there, what they do.

It is drawn between commands, never during one: Blender has one main thread, and the command is on it. What is seen
running is therefore a command that lets Blender go on meanwhile, such as a render in the window.
"""

from __future__ import annotations

import textwrap
from typing import Any

import bpy

from . import redraw
from .operators import Cancel, CopyAddress, CopyCommand, OpenCopies, Start, Stop
from .panel_state import Activity, Shown
from .policy import policy_from_environment
from .preferences import preferences_page

_CHARACTER = 6.5  # pixels of a letter in the sidebar, at a scale of 1


class _Sidebar:
    """Where all of them are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "bpy-bridge"


class Main(_Sidebar, bpy.types.Panel):  # type: ignore[misc]  # bpy has no types
    """Whether it runs, who is connected, and what is done now."""

    bl_idname = "BPYBRIDGE_PT_main"
    bl_label = "bpy-bridge"

    def draw(self, context: bpy.types.Context) -> None:
        shown = redraw.now()
        redraw.drawn(shown)
        if shown.address is None:
            _draw_stopped(self.layout, shown, context)
        else:
            _draw_running(self.layout, shown)
        for problem in shown.broken:
            _draw_problem(self.layout, problem, context)


class Safety(_Sidebar, bpy.types.Panel):  # type: ignore[misc]  # as above
    """What clients may do."""

    bl_idname = "BPYBRIDGE_PT_safety"
    bl_parent_id = Main.bl_idname
    bl_label = "Safety"

    def draw(self, _context: bpy.types.Context) -> None:
        page = preferences_page()
        if page is None:
            return
        column = self.layout.column()
        forced = policy_from_environment()
        row = column.row()
        row.enabled = forced.code
        if forced.code:
            row.prop(page, "allow_code")
        else:
            row.label(text="Python code is refused here", icon="LOCKED")
        row = column.row()
        row.active = page.allow_code and forced.code
        row.prop(page, "autosave", text="Save a copy before it runs")
        if page.autosave:
            row.operator(OpenCopies.bl_idname, text="", icon="FILE_FOLDER")


class Log(_Sidebar, bpy.types.Panel):  # type: ignore[misc]  # as above
    """The last commands, the newest on top."""

    bl_idname = "BPYBRIDGE_PT_log"
    bl_parent_id = Main.bl_idname
    bl_label = "Last Commands"

    def draw(self, _context: bpy.types.Context) -> None:
        shown = redraw.now()
        column = self.layout.column(align=True)
        if not shown.log:
            column.label(text="None yet")
            return
        for line in shown.log:
            row = column.split(factor=0.72)
            row.label(text=line.method, icon="CHECKMARK" if line.problem is None else "ERROR")
            took = row.row()
            took.alignment = "RIGHT"
            took.active = False
            took.label(text=line.took)
            if line.problem is not None:
                column.label(text=line.problem, icon="BLANK1")
        if shown.ran > len(shown.log):
            column.separator()
            column.label(text=f"{shown.ran:,} since it was started".replace(",", "\u2009"))


def _draw_running(layout: Any, shown: Shown) -> None:
    row = layout.row()
    row.label(text="Running", icon="LINKED")
    row.operator(Stop.bl_idname, icon="PAUSE")
    row = layout.row(align=True)
    row.label(text=shown.address)
    row.operator(CopyAddress.bl_idname, text="", icon="COPYDOWN")
    row.operator(CopyCommand.bl_idname, text="", icon="CONSOLE")
    column = layout.column(align=True)
    if shown.clients:
        for client in shown.clients:
            column.label(text=client, icon="USER")
    else:
        column.label(text="Nobody is connected", icon="USER")
    _draw_activity(layout.column(align=True), shown.activity)


def _draw_activity(column: Any, activity: Activity) -> None:
    if activity.running is not None:
        row = column.row()
        row.label(text=f"{activity.running}, {activity.seconds} s", icon="PLAY")
        row.operator(Cancel.bl_idname, text="", icon="CANCEL")
    elif not activity.queued:
        column.label(text="No command runs", icon="SNAP_FACE")
    if activity.queued:
        column.label(text=f"{activity.queued} waiting", icon="SORTTIME")


def _draw_stopped(layout: Any, shown: Shown, context: bpy.types.Context) -> None:
    row = layout.row()
    row.label(text="Stopped", icon="UNLINKED")
    row.operator(Start.bl_idname, icon="PLAY")
    if shown.problem is not None:
        _draw_problem(layout, shown.problem, context)


def _draw_problem(layout: Any, problem: str, context: bpy.types.Context) -> None:
    box = layout.box().column(align=True)
    box.alert = True
    width = context.region.width / context.preferences.system.ui_scale / _CHARACTER - 8
    for number, line in enumerate(textwrap.wrap(problem, max(int(width), 16))):
        box.label(text=line, icon="BLANK1" if number else "ERROR")


CLASSES = (Main, Safety, Log)
