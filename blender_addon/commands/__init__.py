"""What Blender can be asked to do: one decorated function a command, one file a family.

Importing this package needs no Blender: bpy is imported inside the functions, so the bridge reads the same catalogue.
To add a command, write one function in its family's file; to add a family, write a file and name it here.

    scene      summary, objects             render   still
    object     get, create, update, delete  code     execute
    material   set                          file     new, open, save
    mesh       read, write                  addon    describe
"""

from __future__ import annotations

from . import addon, code, file, material, mesh, object_update, render, scene
from . import object as object_family
from .catalogue import CATALOGUE

FAMILIES = (
    scene,
    object_family,
    object_update,
    material,
    mesh,
    render,
    code,
    file,
    addon,
)

__all__ = ["CATALOGUE", "FAMILIES"]
