"""What this Blender lets commands do: whether Python that is sent runs, and where files may be written.

One process is one Blender is one policy. The preferences set it in a window, the environment (which the bridge gives
its workers) without one. It keeps honest callers within bounds; against hostile code, only refusing code helps.
"""

from __future__ import annotations

import os
from typing import Mapping, NamedTuple, Optional, Tuple

from .wire import Fault

ENVIRONMENT_CODE = "BPY_BRIDGE_SAFETY__CODE"
ENVIRONMENT_FOLDERS = "BPY_BRIDGE_SAFETY__WRITE_FOLDERS"


class Policy(NamedTuple):
    """`code`: code.execute is allowed. `folders`: files are written below these alone; None is anywhere."""

    code: bool = True
    folders: Optional[Tuple[str, ...]] = None


_NO = frozenset({"false", "0", "no", "off", "f", "n"})

_policy = Policy()


def policy() -> Policy:
    """What holds now. From any thread."""
    return _policy


def set_policy(wanted: Policy) -> None:
    """Let this hold from now on; folders are resolved here, once."""
    global _policy  # noqa: PLW0603  # one process, one policy
    _policy = _resolved(wanted)


def policy_from_environment(environment: Optional[Mapping[str, str]] = None) -> Policy:
    """What the environment demands. It can only take away: where it says nothing, all is allowed.

    BPY_BRIDGE_SAFETY__CODE=false refuses code. BPY_BRIDGE_SAFETY__WRITE_FOLDERS holds folders as PATH does; empty, it
    is no folder at all.
    """
    variables = os.environ if environment is None else environment
    code = variables.get(ENVIRONMENT_CODE, "").strip().lower() not in _NO
    listed = variables.get(ENVIRONMENT_FOLDERS)
    folders = None if listed is None else split_folders(listed)
    return Policy(code, folders)


def split_folders(listed: str) -> Tuple[str, ...]:
    """Folders that are written as PATH is."""
    return tuple(folder for part in listed.split(os.pathsep) if (folder := part.strip()))


def strictest(one: Policy, other: Policy) -> Policy:
    """What both allow, folders resolved."""
    one, other = _resolved(one), _resolved(other)
    if one.folders is None or other.folders is None:
        folders = other.folders if one.folders is None else one.folders
    else:
        pairs = [(a, b) for a in one.folders for b in other.folders]
        inner = [a if _within(a, b) else b for a, b in pairs if _within(a, b) or _within(b, a)]
        folders = tuple(dict.fromkeys(inner))
    return Policy(one.code and other.code, folders)


def _resolved(wanted: Policy) -> Policy:
    if wanted.folders is None:
        return wanted
    return wanted._replace(folders=tuple(os.path.realpath(os.path.expanduser(folder)) for folder in wanted.folders))


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))


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
    if any(_within(real, folder) for folder in folders):
        return
    where = ", ".join(folders) or "no folder at all"
    raise Fault(
        "forbidden", f"{path} is outside of where this Blender may write: {where}", data={"folders": [*folders]}
    )
