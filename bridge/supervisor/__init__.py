"""Blender worker processes."""

from .old import Worker, find_blender

__all__ = ["Worker", "find_blender"]
