"""As much of bpy as serving one needs."""

from __future__ import annotations

from types import SimpleNamespace


def bpy_without_blender(*, background=True, addons=None):
    """A module like bpy, whose handlers a test can call and count."""
    handlers = SimpleNamespace(
        persistent=lambda function: function, load_post=[], save_post=[], depsgraph_update_post=[]
    )
    return SimpleNamespace(
        app=SimpleNamespace(version_string="0.0.0", background=background, tempdir="", handlers=handlers),
        data=SimpleNamespace(filepath="", is_dirty=False),
        context=SimpleNamespace(
            view_layer=SimpleNamespace(update=lambda: None),
            preferences=SimpleNamespace(addons=addons or {}),
            window=None,
            window_manager=SimpleNamespace(windows=[]),
        ),
    )


def all_handlers(bpy):
    """Whatever is registered there."""
    handlers = bpy.app.handlers
    return [*handlers.load_post, *handlers.save_post, *handlers.depsgraph_update_post]
