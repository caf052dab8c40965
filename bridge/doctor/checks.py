"""All checks, in the order in which they are reported. One more is one function here."""

from __future__ import annotations

from . import addons, addresses, blender, configuration, directories, leftovers, neighbours, running, runtime
from .examination import Check

CHECKS = (
    Check("python", runtime.python),
    Check("configuration", configuration.settings),
    Check("blender", blender.blenders, seconds=90.0),
    Check("add-on", addons.addons, seconds=30.0),
    Check("directories", directories.directories),
    Check("socket paths", directories.socket_paths),
    Check("token", directories.token),
    Check("doors", addresses.doors),
    Check("bridge", running.bridge, seconds=20.0),
    Check("leftovers", leftovers.leftovers),
    Check("neighbours", neighbours.neighbours, seconds=5.0),
    Check("disk", runtime.disk),
    Check("open files", runtime.open_files),
)
