"""What Blender can be asked to do: one decorated function a command, one file a family.

Importing this package needs no Blender: bpy is imported inside the functions, so the bridge reads the same catalogue.
To add a command, write one function in its family's file; to add a family, write a file and name it here.

    scene      summary, objects, get, create, update, activate, delete, ray_cast
    collection list, get, create, update, delete, move_objects, unlink_objects
    object     get, create, update, delete, duplicate, join, separate, convert, transform, parent, apply_transform,
               set_origin, snap_to_floor, align, distribute, bounds, select, visibility, shade, properties,
               set_properties
    modifier   types, list, add, update, remove, apply
    constraint list, add, update, remove
    mesh       read, write, attributes, write_attribute, remove_attribute, bevel, extrude, inset, subdivide, shade,
               check, clean, uv_unwrap
    curve      create, read, update
    text       create, update
    material   set, create, list, get, assign, duplicate, remove
    node       tree, get, add, set, remove, link, unlink, image
    geometry_nodes   list, create_group, add, get, set
    render     still, save, animation, engines, settings, set
    file       new, open, save, info, purge, contents, append, link, formats, import, export, missing, relocate, pack,
               unpack
    api        search, type, operator, node
    code       execute
    addon      describe
    light      create, update, list, studio
    camera     create, update, look_at, frame_objects, activate, list
    world      get, set
    animation  get, set, insert_keyframes, keyframes, delete_keyframes
    viewport   screenshot, view, preview
    history    list, undo, redo, checkpoint, restore
"""

from __future__ import annotations

from . import (
    addon,
    animation,
    api,
    api_node,
    camera,
    camera_aim,
    code,
    collection,
    collection_edit,
    constraint,
    curve,
    file,
    file_append,
    file_export,
    file_formats,
    file_import,
    file_missing,
    file_pack,
    geometry_nodes,
    history,
    light,
    light_studio,
    material,
    materials,
    mesh,
    mesh_attributes,
    mesh_clean,
    mesh_edit,
    mesh_uv,
    modifier,
    modifier_edit,
    node,
    node_edit,
    node_image,
    object_arrange,
    object_bounds,
    object_copy,
    object_floor,
    object_origin,
    object_place,
    object_properties,
    object_show,
    object_update,
    render,
    render_animation,
    render_setup,
    scene,
    scene_edit,
    text,
    viewport,
    viewport_preview,
    world,
)
from . import object as object_family
from .catalogue import CATALOGUE

FAMILIES = (
    scene,
    scene_edit,
    collection,
    collection_edit,
    object_family,
    object_update,
    object_place,
    object_origin,
    object_arrange,
    object_floor,
    object_bounds,
    object_copy,
    object_show,
    object_properties,
    modifier,
    modifier_edit,
    constraint,
    material,
    materials,
    node,
    node_edit,
    node_image,
    geometry_nodes,
    mesh,
    mesh_attributes,
    mesh_edit,
    mesh_clean,
    mesh_uv,
    curve,
    text,
    light,
    light_studio,
    camera,
    camera_aim,
    world,
    animation,
    viewport,
    viewport_preview,
    render,
    render_animation,
    render_setup,
    code,
    api,
    api_node,
    file,
    file_append,
    file_formats,
    file_import,
    file_export,
    file_missing,
    file_pack,
    history,
    addon,
)

__all__ = ["CATALOGUE", "FAMILIES"]
