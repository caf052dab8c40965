"""What runs in a Blender that installs or removes our add-on: a script of its own, for Python 3.10 and later.

    blender -b --python in_blender.py -- install ZIP | uninstall

The last line that it says, behind MARK, is a JSON object: {"module": …} or {"error": …}. It saves the preferences, with
what the user has chosen there.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Any

MARK = "bpy-bridge add-on: "
ID = "bpy_bridge"


def install(archive: str) -> dict[str, Any]:
    """Put it in the place of every other copy, and enable it."""
    import bpy  # noqa: PLC0415  # tests import this without Blender

    if not hasattr(bpy.ops, "extensions") or bpy.app.version < (4, 2, 0):
        # What Blender overwrites may keep files that the new one does not have; what the user chose stays.
        _remove_legacy(forget=False)
        bpy.ops.preferences.addon_install(filepath=archive, overwrite=True)
        bpy.ops.preferences.addon_enable(module=ID)
        return _saved(ID)
    _remove_legacy(forget=True)
    repository = _repository()
    module = f"bl_ext.{repository.module}.{ID}"
    bpy.ops.extensions.package_install_files(filepath=archive, repo=repository.module, enable_on_install=True)
    return _saved(module)


def uninstall() -> dict[str, Any]:
    """Disable and remove every copy."""
    import bpy  # noqa: PLC0415  # tests import this without Blender

    removed = _remove_legacy(forget=True)
    for repository in _local_repositories():
        if os.path.isdir(os.path.join(repository.directory, ID)):
            _disable(f"bl_ext.{repository.module}.{ID}", forget=True)
            bpy.ops.extensions.package_uninstall(repo_directory=repository.directory, pkg_id=ID)
            removed = True
    if removed:
        bpy.ops.wm.save_userpref()
    return {"module": ID if removed else None}


def _saved(module: str) -> dict[str, Any]:
    import bpy  # noqa: PLC0415  # tests import this without Blender

    if module not in bpy.context.preferences.addons or not getattr(sys.modules.get(module), "__addon_enabled__", False):
        raise RuntimeError(f"{module} was installed, and cannot be enabled")
    bpy.ops.wm.save_userpref()
    return {"module": module}


def _local_repositories() -> list[Any]:
    """Those into which one can put files of one's own, the standard one first."""
    import bpy  # noqa: PLC0415  # tests import this without Blender

    repositories = getattr(getattr(bpy.context.preferences, "extensions", None), "repos", ())
    local = [repo for repo in repositories if repo.enabled and not repo.use_remote_url and repo.source == "USER"]
    return sorted(local, key=lambda repo: repo.module != "user_default")


def _repository() -> Any:
    """Where it is already, else the standard one."""
    local = _local_repositories()
    if not local:
        raise RuntimeError("it has no repository for extensions from files: add one in Preferences, Get Extensions")
    return next((repo for repo in local if os.path.isdir(os.path.join(repo.directory, ID))), local[0])


def _remove_legacy(*, forget: bool) -> bool:
    """The copy of the old kind, and what the user has chosen for it; Blender's own operator for it needs a window."""
    import bpy  # noqa: PLC0415  # tests import this without Blender

    path = os.path.join(bpy.utils.user_resource("SCRIPTS", path="addons"), ID)
    if not os.path.isdir(path):
        return False
    _disable(ID, forget=forget)
    if os.path.islink(path):
        os.unlink(path)
    else:
        shutil.rmtree(path)
    return True


def _disable(module: str, *, forget: bool) -> None:
    import addon_utils  # type: ignore[import-not-found]  # noqa: PLC0415  # Blender's own

    addon_utils.disable(module, default_set=forget)


def main(arguments: list[str]) -> int:
    """Do it, and say what came of it."""
    try:
        said = install(arguments[1]) if arguments[0] == "install" else uninstall()
    except Exception as error:  # noqa: BLE001  # whatever Blender raises is told to who started it
        said = {"error": str(error).strip() or type(error).__name__}
    sys.stdout.flush()
    print("\n" + MARK + json.dumps(said), flush=True)  # noqa: T201  # it is what this is started for
    return 1 if "error" in said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[sys.argv.index("--") + 1 :]))
