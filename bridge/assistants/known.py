"""Each assistant: where its file is on this machine, and what our entry in it says."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

from bridge import paths
from bridge.errors import ConfigurationError


class Assistant(NamedTuple):
    """A client: its title, its file, the table in it that lists servers, and what is to be done `afterwards`.

    `typed` ones want each server's transport named.
    """

    title: str
    file: Path
    table: str
    typed: bool
    afterwards: str


def assistants() -> dict[str, Assistant]:
    """Those that are known, by the word for the command line, with their places on this machine."""
    home, configuration = Path.home(), _configuration()
    code_home = Path(os.environ.get("CLAUDE_CONFIG_DIR") or home)
    desktop = configuration / "Claude" / "claude_desktop_config.json"
    code = configuration / "Code" / "User" / "mcp.json"
    return {
        "claude-desktop": Assistant("Claude Desktop", desktop, "mcpServers", False, "quit it and start it again"),
        "claude-code": Assistant("Claude Code", code_home / ".claude.json", "mcpServers", True, "start a new session"),
        "cursor": Assistant(
            "Cursor", home / ".cursor" / "mcp.json", "mcpServers", True, "see that it is switched on in its settings"
        ),
        "vscode": Assistant("VS Code", code, "servers", True, "run `MCP: List Servers` in it"),
    }


def _configuration() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def entry_name(instance: str | None = None) -> str:
    """What the entry is called: another one for each bridge and each Blender, so that they stand side by side."""
    name = paths.bridge_name()
    return "-".join(["blender", *([name] if name != paths.DEFAULT_NAME else []), *([instance] if instance else [])])


def entry(*, typed: bool, tools: str | None = None, instance: str | None = None) -> dict[str, Any]:
    """What starts the relay, by its whole path: assistants are often started without anybody's PATH."""
    flags = [word for flag, value in (("--tools", tools), ("--instance", instance)) if value for word in (flag, value)]
    name = paths.bridge_name()
    flags += ["--name", name] if name != paths.DEFAULT_NAME else []
    home = paths.home()
    return {
        **({"type": "stdio"} if typed else {}),
        "command": _relay(),
        "args": flags,
        **({"env": {"BPY_BRIDGE_HOME": str(home)}} if home is not None else {}),
    }


def _relay() -> str:
    beside = Path(sys.executable).with_name("bpy-bridge-mcp.exe" if sys.platform == "win32" else "bpy-bridge-mcp")
    found = str(beside) if beside.is_file() else shutil.which("bpy-bridge-mcp")
    if found is None:
        raise ConfigurationError("bpy-bridge-mcp is not installed beside this Python: pip install bpy-bridge there")
    return found
