"""The copy of the open file that is saved, where the person wants it, before Python that was sent runs."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import List, Optional

from .preferences import settings
from .wire import Fault

KEPT = 5

_PREFIX = "bpy-bridge-autosave"
_UNFIT = re.compile(r"[^\w.-]+")


def before_code() -> Optional[str]:
    """Save the copy and return its path, None where the preferences ask for none. Main thread.

    Raises Fault `forbidden` where it cannot be saved: then the code is not to run.
    """
    if not settings().autosave:
        return None
    import bpy  # noqa: PLC0415  the bridge imports the commands without Blender

    folder = copies_folder()
    stem = stem_of(bpy.data.filepath)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copy = folder / name_of(stem, time.time())
        bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True, check_existing=False)
        forget_old(folder, stem)
    except (OSError, RuntimeError) as error:
        raise _refusal(folder, str(error)) from None
    if not copy.is_file():
        raise _refusal(folder, "Blender saved nothing")
    return str(copy)


def copies_folder() -> Path:
    """Where the copies are: among the user's own files, so that neither a restart nor other users get at them."""
    import bpy  # noqa: PLC0415  as above

    return Path(bpy.utils.user_resource("DATAFILES"), "bpy-bridge", "autosave")


def stem_of(file: str) -> str:
    """What the copies of that .blend file have in their names."""
    return _UNFIT.sub("_", Path(file).stem)[:80] or "untitled"


def name_of(stem: str, now: float) -> str:
    """A copy's name; of two, the later one's sorts behind."""
    moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
    return f"{_PREFIX}-{stem}-{moment}-{int(now % 1 * 1000):03}.blend"


def copies_of(folder: Path, stem: str) -> List[Path]:
    """The copies that there are of one file, the oldest first."""
    pattern = re.compile(rf"{_PREFIX}-{re.escape(stem)}-\d{{8}}-\d{{6}}-\d{{3}}\.blend")
    return sorted(path for path in folder.iterdir() if pattern.fullmatch(path.name))


def forget_old(folder: Path, stem: str) -> None:
    """Keep the last copies of that file alone. Raises OSError."""
    for path in copies_of(folder, stem)[:-KEPT]:
        path.unlink(missing_ok=True)


def _refusal(folder: Path, problem: str) -> Fault:
    message = f"the code did not run: the copy that is saved before could not be written to {folder} ({problem})"
    mend = "make room there, or switch the copies off in the add-on's preferences"
    return Fault("forbidden", f"{message}: {mend}", data={"folder": os.fspath(folder)})
