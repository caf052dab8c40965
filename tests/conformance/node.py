"""Where `make conformance` has put Node and the outside judges."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

TOOLS = Path(__file__).parents[2] / ".venv-conformance"
_NODE = TOOLS / "node" / "bin" / "node"
_JUDGES = TOOLS / "node_modules" / ".bin"
_PATIENCE = 240.0


def installed() -> bool:
    """Whether `make conformance` has run here."""
    return _NODE.exists() and _JUDGES.is_dir()


def run(judge: str, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run one to its end, with a home of its own."""
    environment = {**os.environ, "HOME": str(home), "NO_COLOR": "1"}
    return subprocess.run(
        [_NODE, _JUDGES / judge, *arguments],
        env=environment, cwd=home, capture_output=True, text=True, timeout=_PATIENCE, check=False,
    )  # fmt: skip
