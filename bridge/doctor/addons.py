"""Which Blenders there are on this machine, and in which of them our add-on is installed."""

from __future__ import annotations

from collections.abc import Iterator

from bridge import __version__, compatibility
from bridge.addon import Copy, copies_in, executables, user_directories, version_of

from .finding import Finding, ok, warning
from .place import Place

_SECONDS = 10.0
_INSTALL = compatibility.how_to_match()


def addons(_place: Place) -> Iterator[Finding]:
    """Each Blender that is found, and each add-on of ours."""
    for program in executables():
        _, version = version_of(program, seconds=_SECONDS)
        if version is None:
            yield warning(f"{program} does not say its version", f"run `{program} --version` to see why")
        else:
            yield ok(f"Blender {version[0]}.{version[1]} is at {program}")
    installed = [copy for resources in user_directories() for copy in copies_in(resources)]
    for copy in dict.fromkeys(installed):
        yield _addon(copy)
    if not installed:
        yield ok("the add-on is installed in no Blender, and no worker needs it")


def _addon(copy: Copy) -> Finding:
    if copy.version is None:
        return warning(f"the add-on in {copy.path} does not say its version", f"remove {copy.path}, then {_INSTALL}")
    said = f"the add-on in {copy.path} is version {copy.version}"
    if not compatibility.judge(copy.version).matches:
        return warning(f"{said}, and this is {__version__}", _INSTALL)
    return ok(said)
