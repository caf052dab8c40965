"""OpenEXR's threads: `import bpy` starts them, a fork loses them, and the child would wait for them for ever.

Blender has no switch for it, so OpenEXR's own is used, from the library that bpy has loaded. Without threads OpenEXR
decodes and encodes on the thread that asks.
"""

from __future__ import annotations

import ctypes
from typing import Any

_MINOR_VERSIONS = range(10)


def stop_image_threads() -> None:
    """End OpenEXR's threads, here and in what is forked. Raises RuntimeError where that is not possible."""
    library = ctypes.CDLL(_loaded("libOpenEXR"))
    switch = _set_global_thread_count(library)
    switch(0)


def _loaded(name: str) -> str:
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            path = line.rstrip("\n").split(maxsplit=5)[5:]
            if path and f"/{name}.so" in path[0]:
                return path[0]
    raise RuntimeError(f"this Blender cannot fork workers: it has no {name} whose threads could be stopped")


def _set_global_thread_count(library: ctypes.CDLL) -> Any:
    # Imf_3_3::setGlobalThreadCount(int): the library's version is part of the name.
    for minor in _MINOR_VERSIONS:
        function = getattr(library, f"_ZN7Imf_3_{minor}20setGlobalThreadCountEi", None)
        if function is not None:
            return function
    raise RuntimeError("this Blender cannot fork workers: its OpenEXR has no setGlobalThreadCount")
