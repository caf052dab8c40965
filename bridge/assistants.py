"""How AI assistants are told of us: each client's configuration file, merged with care.

What is in a file stays; a copy of it is kept beside it; a file that cannot be read as plain JSON is not touched.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from bridge import paths
from bridge.errors import ConfigurationError

SERVER_NAME = "blender"


class Assistant(NamedTuple):
    """A client: its title, its file, the table in it that lists servers, and what is to be done `afterwards`."""

    title: str
    file: Path
    table: str
    typed: bool
    afterwards: str


def assistants() -> dict[str, Assistant]:
    """Those that are known, by the word for the command line, with their places on this machine."""
    home, configuration = Path.home(), _configuration()
    code = configuration / "Code" / "User" / "mcp.json"
    desktop = configuration / "Claude" / "claude_desktop_config.json"
    restart = "quit it and start it again"
    return {
        "claude-desktop": Assistant("Claude Desktop", desktop, "mcpServers", False, restart),
        "claude-code": Assistant("Claude Code", home / ".claude.json", "mcpServers", True, "start a new session"),
        "cursor": Assistant("Cursor", home / ".cursor" / "mcp.json", "mcpServers", False, restart),
        "vscode": Assistant("VS Code", code, "servers", True, "run `MCP: List Servers` in it"),
    }


def _configuration() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def entry(assistant: Assistant, *, tools: str | None = None, instance: str | None = None) -> dict[str, Any]:
    """What starts the relay, by its whole path: assistants are often started without anybody's PATH."""
    flags = [word for flag, value in (("--tools", tools), ("--instance", instance)) if value for word in (flag, value)]
    name = paths.bridge_name()
    flags += ["--name", name] if name != paths.DEFAULT_NAME else []
    home = paths.home()
    return {
        **({"type": "stdio"} if assistant.typed else {}),
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


def configuration(assistant: Assistant, server: dict[str, Any]) -> dict[str, Any]:
    """The file's content where it holds nothing else."""
    return {assistant.table: {SERVER_NAME: server}}


class Written(NamedTuple):
    """`backup` is the copy of what was there, None where nothing was; `changed` is false where all was so already."""

    file: Path
    backup: Path | None
    changed: bool


def write(assistant: Assistant, server: dict[str, Any]) -> Written:
    """Put our server into the client's file. Raises ConfigurationError, and leaves the file alone, where it cannot."""
    file = assistant.file.resolve()
    before = _read(file)
    table = before.get(assistant.table, {})
    if not isinstance(table, dict):
        raise ConfigurationError(f"{file}: {assistant.table!r} is no object there: mend it, or add this by hand")
    after = {**before, assistant.table: {**table, SERVER_NAME: server}}
    if after == before:
        return Written(file, None, changed=False)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        backup = _keep_a_copy(file)
        new = file.with_name(f".{file.name}.new")
        new.write_text(json.dumps(after, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if backup is not None:
            shutil.copymode(backup, new)
        new.replace(file)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from error
    return Written(file, backup, changed=True)


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        value = json.loads(text) if text.strip() else {}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{file} is no plain JSON ({error}): it is left alone, add this by hand") from None
    if not isinstance(value, dict):
        raise ConfigurationError(f"{file} holds no JSON object: it is left alone, add this by hand")
    return value


def _keep_a_copy(file: Path) -> Path | None:
    if not file.exists():
        return None
    backup = file.with_name(f"{file.name}.{time.strftime('%Y%m%d-%H%M%S')}.bak")
    shutil.copy2(file, backup)
    return backup
