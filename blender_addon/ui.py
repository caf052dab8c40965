"""All that the add-on shows in Blender: registered and unregistered together, any number of times."""

from __future__ import annotations

import bpy

from . import operators, panel, redraw
from .preferences import apply_policy
from .preferences_page import Preferences

# Panels name their parents, which must be there before them.
_CLASSES = (Preferences, *operators.CLASSES, *panel.CLASSES)


def register() -> None:
    """Show it, and let the preferences hold. A second time it changes nothing."""
    for shown in _CLASSES:
        if not shown.is_registered:
            bpy.utils.register_class(shown)
    apply_policy()


def unregister() -> None:
    """Leave nothing. What is not there is no mistake."""
    redraw.stop()
    for shown in reversed(_CLASSES):
        if shown.is_registered:
            bpy.utils.unregister_class(shown)
