"""What this Blender lets commands do: whether Python that is sent runs, and where files may be written.

One process is one Blender is one policy. The preferences set it in a window, the environment (which the bridge gives
its workers) without one. It keeps honest callers within bounds; against hostile code, only refusing code helps.
"""

from __future__ import annotations

import os
from typing import NamedTuple, Optional, Tuple

from .wire import Fault

ENVIRONMENT_CODE = "BPY_BRIDGE_SAFETY__CODE"
ENVIRONMENT_FOLDERS = "BPY_BRIDGE_SAFETY__WRITE_FOLDERS"


class Policy(NamedTuple):
    """`code`: code.execute is allowed. `folders`: files are written below these alone; None is anywhere."""

    code: bool = True
    folders: Optional[Tuple[str, ...]] = None


_policy = Policy()


def policy() -> Policy:
    """What holds now. From any thread."""
    return _policy


def set_policy(wanted: Policy) -> None:
    """Let this hold from now on; folders are resolved here, once."""
    global _policy  # noqa: PLW0603  # one process, one policy
    folders = wanted.folders
    if folders is not None:
        folders = tuple(os.path.realpath(os.path.expanduser(folder)) for folder in folders)
    _policy = Policy(wanted.code, folders)


def permit_code() -> None:
    """Raises Fault `forbidden` where sent code does not run."""
    if not _policy.code:
        message = "code.execute is switched off in this Blender: switch it on in the add-on's preferences"
        raise Fault("forbidden", f"{message}, or by safety.code of the bridge")


def permit_write(path: str) -> None:
    """Raises Fault `forbidden` where no file may be written at that path, links resolved."""
    folders = _policy.folders
    if folders is None:
        return
    real = os.path.realpath(path)
    for folder in folders:
        if real == folder or real.startswith(os.path.join(folder, "")):
            return
    where = ", ".join(folders) or "no folder at all"
    raise Fault(
        "forbidden", f"{path} is outside of where this Blender may write: {where}", data={"folders": [*folders]}
    )
