"""The part of bpy-bridge that runs inside Blender: standard library and bpy alone, Blender 3.4 to 5.x.

wire         the whole protocol, sans-IO; the bridge imports it too
registry     @command: a function's signature is its schema, its validation and its documentation
commands     what Blender can be asked to do, one file per family; bpy is imported inside the functions
neighbours   commands of other add-ons
listener     accepts sockets; connection: one I/O thread each, which answers pings whatever Blender is doing
intake       a request's checks, on its I/O thread; keys: each idempotency key runs once
pump         the queue of work, and the main thread that does it; timer_pump: the same from a window's timer
interrupt    how running work is stopped
application  the Blender that is served: how a command runs in it, and what follows: undo step, journal
server       all of these as one thing that is started and stopped
headless     a worker in the bpy wheel, or under `blender -b`; zygote: forks them
gui          a Blender with a window; ui, panel, operators, preferences: what its person sees

A request's way: listener → connection → intake → pump → command → bpy, and back through the pump to its connection.

Blender loads this as an extension (4.2 and later, by blender_manifest.toml) or as an add-on (by `bl_info`), and then
calls `register`. The bridge imports the package as well, so nothing here needs Blender before that.
"""

from __future__ import annotations

import sys

bl_info = {
    "name": "bpy-bridge",
    "author": "bpy-bridge",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "3D Viewport > Sidebar > bpy-bridge",
    "description": "Lets tools work in this Blender beside you: quick, undoable, cancellable",
    "category": "System",
}

_registered: bool = globals().get("_registered", False)

if "register" in globals():
    # A reload. Blender reloads this module alone, with `Reload Scripts` before it unregisters: end what the old code
    # began, by the old code, and have all the rest imported anew.
    if _registered:
        globals()["unregister"]()
    for _name in [_name for _name in sys.modules if _name.startswith(__name__ + ".")]:
        del sys.modules[_name]


def register() -> None:
    """Blender enables the add-on: show what there is, and serve if the preferences say so."""
    from . import gui, ui  # noqa: PLC0415  # Blender alone has what they need

    global _registered  # noqa: PLW0603  # Blender has one of each add-on
    ui.register()
    _registered = True
    gui.start_if_wanted()


def unregister() -> None:
    """Blender disables the add-on: leave nothing."""
    global _registered  # noqa: PLW0603  # as above
    if not _registered:
        return
    from . import gui, ui  # noqa: PLC0415  # as above

    _registered = False
    gui.stop()
    ui.unregister()
