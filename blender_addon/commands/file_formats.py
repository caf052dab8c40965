"""The formats of other programs: which of Blender's operators reads and writes each, in which Blender."""

from __future__ import annotations

from typing import Any, List, Literal, NamedTuple, Optional, Tuple, TypedDict

from ..schema import did_you_mean, nearest
from .catalogue import command
from .lookup import refuse
from .operator_call import is_operator
from .versions import without

FormatName = Literal["gltf", "fbx", "obj", "stl", "ply", "usd", "alembic", "svg"]
Direction = Literal["reads", "writes"]


class Way(NamedTuple):
    """An operator that reads or writes a format.

    `addon` brings it; None: it is Blender's own. `selection`: its property and value for "only what is selected".
    """

    operator: str
    addon: Optional[str] = None
    selection: Tuple[str, Any] = ("", None)
    numpy: bool = False


class Format(NamedTuple):
    """A format, the suffixes of its files (the first is the default), and the ways to read and write it, best first.

    `build_option`: what Blender is built with or without. `portable`: the suffix of a file that holds all by itself.
    """

    name: str
    suffixes: Tuple[str, ...]
    reads: Tuple[Way, ...]
    writes: Tuple[Way, ...]
    build_option: str = ""
    portable: str = ""


_SELECTED = ("use_selection", True)
_NATIVE = ("export_selected_objects", True)
_STROKES = ("selected_object_type", "SELECTED")

FORMATS = (
    Format(
        "gltf",
        (".glb", ".gltf"),
        (Way("import_scene.gltf", "io_scene_gltf2", numpy=True),),
        (Way("export_scene.gltf", "io_scene_gltf2", _SELECTED, numpy=True),),
    ),
    Format(
        "fbx",
        (".fbx",),
        (Way("wm.fbx_import"), Way("import_scene.fbx", "io_scene_fbx")),
        (Way("wm.fbx_export", selection=_NATIVE), Way("export_scene.fbx", "io_scene_fbx", _SELECTED)),
    ),
    Format(
        "obj",
        (".obj",),
        (Way("wm.obj_import"), Way("import_scene.obj", "io_scene_obj")),
        (Way("wm.obj_export", selection=_NATIVE), Way("export_scene.obj", "io_scene_obj", _SELECTED)),
    ),
    Format(
        "stl",
        (".stl",),
        (Way("wm.stl_import"), Way("import_mesh.stl", "io_mesh_stl")),
        (Way("wm.stl_export", selection=_NATIVE), Way("export_mesh.stl", "io_mesh_stl", _SELECTED)),
    ),
    Format(
        "ply",
        (".ply",),
        (Way("wm.ply_import"), Way("import_mesh.ply", "io_mesh_ply")),
        (Way("wm.ply_export", selection=_NATIVE), Way("export_mesh.ply", "io_mesh_ply", _SELECTED)),
    ),
    Format(
        "usd",
        (".usdc", ".usd", ".usda", ".usdz"),
        (Way("wm.usd_import"),),
        (Way("wm.usd_export", selection=("selected_objects_only", True)),),
        build_option="usd",
        portable=".usdz",
    ),
    Format(
        "alembic",
        (".abc",),
        (Way("wm.alembic_import"),),
        (Way("wm.alembic_export", selection=("selected", True)),),
        build_option="alembic",
    ),
    Format(
        "svg",
        (".svg",),
        (Way("import_curve.svg", "io_curve_svg"),),
        (
            Way("wm.grease_pencil_export_svg", selection=_STROKES),
            Way("wm.gpencil_export_svg", selection=_STROKES),
        ),
    ),
)

_BY_NAME = {known.name: known for known in FORMATS}
_BY_SUFFIX = {suffix: known for known in FORMATS for suffix in known.suffixes}


class FormatState(TypedDict):
    """`reads`, `writes`: the operator, null where this Blender has none, and then `lacks` says why."""

    format: str
    suffixes: List[str]
    reads: Optional[str]
    writes: Optional[str]
    lacks: Optional[str]


class Formats(TypedDict):
    blender: str
    formats: List[FormatState]


@command("file.formats", read_only=True)
def formats() -> Formats:
    """List the formats that this Blender imports and exports, and the operators that do it.

    api.operator describes an operator's properties: they are the `options` of file.import and file.export.
    """
    import bpy

    return {"blender": bpy.app.version_string, "formats": [_state(known) for known in FORMATS]}


def format_of(name: Optional[str], file_name: Optional[str], param: str) -> Format:
    """The format of that name, or else of that file's suffix. Raises Fault `invalid_params`."""
    if name is not None:
        return _BY_NAME[name]
    suffix = "." + (file_name or "").rpartition(".")[2].lower()
    known = _BY_SUFFIX.get(suffix)
    if known is None:
        problem = f"its format is not known by its suffix{did_you_mean(suffix, _BY_SUFFIX)}: end it in one of"
        raise refuse(
            param, f"{problem} {', '.join(_BY_SUFFIX)}, or say which format it is", nearest(suffix, _BY_SUFFIX)
        )
    return known


def way(known: Format, direction: Direction, param: str) -> Way:
    """The operator for it, its add-on enabled for this process where need be. Raises Fault `invalid_params`."""
    found = _best(known, direction)
    if found is not None and _enabled(found):
        return found
    have = [other.name for other in FORMATS if _best(other, direction) is not None]
    what = f"{'reading' if direction == 'reads' else 'writing'} {known.name}"
    raise without(param, what, f"{_why_not(known, direction)}; it has {', '.join(have)}", have)


def _state(known: Format) -> FormatState:
    reads, writes = _best(known, "reads"), _best(known, "writes")
    lacks = [_why_not(known, direction) for direction in _DIRECTIONS if _best(known, direction) is None]
    return {
        "format": known.name,
        "suffixes": list(known.suffixes),
        "reads": reads.operator if reads else None,
        "writes": writes.operator if writes else None,
        "lacks": lacks[0] if lacks else None,
    }


_DIRECTIONS: Tuple[Direction, ...] = ("reads", "writes")


def _best(known: Format, direction: Direction) -> Optional[Way]:
    ways: Tuple[Way, ...] = getattr(known, direction)
    usable = (one for one in ways if is_operator(one.operator) or _installed(one.addon))
    return next((one for one in usable if not one.numpy or _has_numpy()), None)


def _why_not(known: Format, direction: Direction) -> str:
    ways: Tuple[Way, ...] = getattr(known, direction)
    if any(one.numpy for one in ways) and not _has_numpy():
        return f"its add-on {ways[0].addon} needs numpy, which this Blender's Python has not"
    addons = [one.addon for one in ways if one.addon]
    if addons:
        return f"its add-on {addons[-1]} is not installed"
    if known.build_option:
        return f"it was built without {known.name}"
    return "it has no operator for it"


def _has_numpy() -> bool:
    import importlib.util

    return importlib.util.find_spec("numpy") is not None


def _installed(addon: Optional[str]) -> bool:
    import addon_utils  # type: ignore[import-not-found]  # Blender's own

    return addon is not None and any(module.__name__ == addon for module in addon_utils.modules(refresh=False))


def _enabled(found: Way) -> bool:
    """Its operator is there: an add-on that is disabled is enabled until Blender ends, its preference left alone."""
    if is_operator(found.operator):
        return True
    import addon_utils

    return addon_utils.enable(found.addon, default_set=False) is not None and is_operator(found.operator)
