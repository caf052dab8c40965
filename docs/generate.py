# ruff: noqa: INP001  # docs is no package
"""Writes what the documentation says of the commands, from their signatures: docs/commands.md, and README's table.

.venv/bin/python docs/generate.py
"""

from __future__ import annotations

import re
from pathlib import Path

from blender_addon.commands import CATALOGUE
from bridge.methods import CATALOGUE as BRIDGE
from bridge.reference import commands, families

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ROOT / "docs" / "commands.md"
README = ROOT / "README.md"
MARKED = re.compile(r"(?<=<!-- commands -->\n).*?(?=<!-- /commands -->)", re.DOTALL)


def table() -> str:
    """What stands between README's marks."""
    return families([*BRIDGE.describe(), *CATALOGUE.describe()], link="docs/commands.md")


def reference() -> str:
    """docs/commands.md."""
    return commands([*BRIDGE.describe(), *CATALOGUE.describe()])


def main() -> None:
    """Write both."""
    COMMANDS.write_text(reference(), encoding="utf-8")
    README.write_text(MARKED.sub(lambda _: table(), README.read_text(encoding="utf-8"), count=1), encoding="utf-8")


if __name__ == "__main__":
    main()
