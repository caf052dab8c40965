"""Which system libraries a Blender misses, and what brings them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from bridge.programs import run

_LDD_SECONDS = 15.0
_NOT_FOUND = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)
_CANNOT_OPEN = re.compile(r"(\S+\.so[.\d]*): cannot open shared object file")

# What the bpy wheel does not bring itself, by the Debian package that has it.
_PACKAGES = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libXext.so.6": "libxext6",
    "libXt.so.6": "libxt6",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libgomp.so.1": "libgomp1",
    "libstdc++.so.6": "libstdc++6",
}


def missing_libraries(binary: Path | None, said: str) -> list[str]:
    """Those that `binary` needs and the system does not have; of what the loader `said` only the first is known."""
    found = _CANNOT_OPEN.findall(said)
    if binary is not None and (ldd := shutil.which("ldd")):
        found += _NOT_FOUND.findall(run([ldd, str(binary)], _LDD_SECONDS).output)
    return sorted(set(found))


def how_to_install(libraries: list[str]) -> str:
    """One line."""
    known = sorted(_PACKAGES[name] for name in libraries if name in _PACKAGES)
    unknown = [name for name in libraries if name not in _PACKAGES]
    return "; ".join(
        [
            *([f"apt-get install {' '.join(known)} (so they are called on Debian)"] if known else []),
            *([f"install the package that has {', '.join(unknown)}"] if unknown else []),
        ]
    )
