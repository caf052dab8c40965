"""The options of an operator that a caller names: checked against its RNA before it runs."""

from __future__ import annotations

import os
from typing import Any, Collection, Dict, List, Mapping, Tuple

from ..policy import permit_write
from ..scalars import Mismatch
from ..schema import did_you_mean, nearest
from .lookup import refuse_all
from .operator_call import operator_named
from .rna_types import check_value

# What a file dialog has and a script has no use for, and what the commands say themselves.
_RESERVED = frozenset((
    "rna_type", "filepath", "filename", "directory", "files", "check_existing", "filemode", "display_type",
    "sort_method", "relative_path", "hide_props_region", "show_multiview", "use_multiview", "as_background_job",
    "is_background_job", "ui_tab",
))  # fmt: skip
# Folders that these operators write into, though their RNA calls them plain strings.
_FOLDERS = frozenset(("export_texture_dir", "import_textures_dir"))


def option_properties(operator: str, reserved: Collection[str] = ()) -> Dict[str, Any]:
    """The RNA properties of an operator that a caller may set, by name; `reserved` ones are the command's own."""
    properties = operator_named(operator).get_rna_type().properties
    return {
        prop.identifier: prop
        for prop in properties
        if prop.identifier not in _RESERVED
        and prop.identifier not in reserved
        and not prop.identifier.startswith("filter_")
    }


def checked_options(
    operator: str, values: Mapping[str, Any], folder: str, reserved: Collection[str] = ()
) -> Dict[str, Any]:
    """The options as the operator takes them; relative paths in them start at `folder`.

    Raises Fault: `invalid_params` with each problem under `options.name`, `forbidden` for a path outside of where this
    Blender may write.
    """
    import bpy

    known = option_properties(operator, reserved)
    owner = bpy.context.window_manager.operator_properties_last(operator)
    checked: Dict[str, Any] = {}
    problems: List[Tuple[str, str]] = []
    close: List[str] = []
    for name, value in values.items():
        place = f"options.{name}"
        prop = known.get(name)
        if prop is None:
            hint = did_you_mean(name, known) or f"; it has {', '.join(list(known)[:30])}"
            problems.append((place, f"{operator} has no such option here{hint}"))
            close.extend(nearest(name, known))
            continue
        try:
            checked[name] = check_value(owner, prop, value, close)
        except Mismatch as mismatch:
            problems.extend((place + deeper, problem) for deeper, problem in mismatch.problems)
            continue
        if value and (prop.subtype in ("FILE_PATH", "DIR_PATH") or name in _FOLDERS):
            permit_write(os.path.join(folder, bpy.path.abspath(value)))
    if problems:
        raise refuse_all(problems, close)
    return checked
