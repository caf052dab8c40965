"""bpy-bridge addon: our add-on in the Blenders of this machine; it needs no bridge."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from bridge import __version__
from bridge.addon import Program, build, find, install, list_blenders, uninstall
from bridge.errors import BridgeError

from . import output, tables

_TITLES = ("Blender", "version", "add-on", "enabled", "matches", "to do")


def run(options: argparse.Namespace) -> int:
    """Do it. Raises NoBlender where there is none."""
    if options.action == "build":
        return _build(options)
    if options.action == "list":
        return _list(options)
    return _each(options)


def _build(options: argparse.Namespace) -> int:
    archives = build(options.out)
    if options.json:
        output.print_json([{"path": str(archive.path), "for": archive.blenders} for archive in archives])
    else:
        for archive in archives:
            print(output.visible(f"{archive.path}  for {archive.blenders}"))
    return 0


def _list(options: argparse.Namespace) -> int:
    rows = list_blenders(options.blender)
    if options.json:
        output.print_json([row.as_object() for row in rows])
        return 0
    said = {True: "yes", False: "no", None: "-"}
    shown = (
        (row.blender, row.version or "-", row.addon or "-", said[row.enabled], said[row.matches], row.todo)
        for row in rows
    )
    tables.console().print(tables.table(_TITLES, shown), f"\nThis is bpy-bridge {__version__}.")
    return 0


def _each(options: argparse.Namespace) -> int:
    """One after the other; what fails in one is told and does not keep the others from it."""
    act = _ACTIONS[options.action]
    code, done = 0, []
    for program in find(options.blender):
        try:
            said = act(program)
        except BridgeError as error:
            output.report(error)
            code = error.exit_code
            continue
        done.append({"blender": program.path, "done": said})
        if not options.json:
            print(output.visible(f"{program.path}: {said}"), flush=True)
    if options.json:
        output.print_json(done)
    return code


def _install(program: Program) -> str:
    module = install(program)
    return f"the add-on {__version__} is installed as {module}; where Blender is open, restart it"


def _uninstall(program: Program) -> str:
    removed = uninstall(program)
    return "the add-on is removed; where Blender is open, restart it" if removed else "it did not have the add-on"


_ACTIONS: dict[str, Callable[[Program], str]] = {"install": _install, "uninstall": _uninstall}
