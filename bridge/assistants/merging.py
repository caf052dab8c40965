"""Our entry into an assistant's file that holds more than that.

What is in the file stays, in its order, and a copy of it is kept beside it. A file that is not plain JSON is not
touched, nor is an entry of our name that starts something else.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

from bridge.errors import ConfigurationError

from .known import Assistant

_BY_HAND = "it is left alone, add this by hand"
_OURS = ("bpy-bridge-mcp", "bpy-bridge")
_INDENT = re.compile(r"\n([ \t]+)\S")


class Written(NamedTuple):
    """`backup` is the copy of what was there, None where nothing was; `changed` is false where all was so already."""

    file: Path
    name: str
    backup: Path | None
    changed: bool


def configuration(table: str, name: str, server: dict[str, Any]) -> dict[str, Any]:
    """The file's content where it holds nothing else."""
    return {table: {name: server}}


def write(assistant: Assistant, name: str, server: dict[str, Any]) -> Written:
    """Put our server into the assistant's file. Raises ConfigurationError, and leaves the file alone, where it cannot.

    Where the name is another server's, ours is `bpy-bridge` or begins so.
    """
    try:
        file = assistant.file.resolve()
        return _write(file, assistant.table, name, server)
    except (OSError, RuntimeError) as error:
        why = (isinstance(error, OSError) and error.strerror) or str(error)
        raise ConfigurationError(f"{assistant.file} cannot be written: {why}") from error


def _write(file: Path, table: str, name: str, server: dict[str, Any]) -> Written:
    data = _data(file)
    before = _value(file, data)
    servers = before.get(table, {})
    if not isinstance(servers, dict):
        raise ConfigurationError(f"{file}: {table!r} is no object there: mend it, or add this by hand")
    if not _is_ours(servers.get(name)):
        name = name.replace("blender", "bpy-bridge", 1)
    after = {**before, table: {**servers, name: server}}
    if after == before:
        return Written(file, name, None, changed=False)
    text = _laid_out(file, after, data or b"")
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, path = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    new = Path(path)
    try:
        with open(descriptor, "wb") as unnamed:
            unnamed.write(text)
        if _data(file) != data:
            raise ConfigurationError(f"{file} was changed by somebody else just now: it is left alone, try again")
        backup = None if data is None else _keep_a_copy(file, new)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
    return Written(file, name, backup, changed=True)


def _data(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _value(file: Path, data: bytes | None) -> dict[str, Any]:
    try:
        text = (data or b"").decode("utf-8-sig")
        value = json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_number) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{file} is no plain JSON ({error}): {_BY_HAND}") from None
    if not isinstance(value, dict):
        raise ConfigurationError(f"{file} holds no JSON object: {_BY_HAND}")
    return value


def _each_once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Of what is there twice, one would be lost."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} is there twice")
        found[name] = value
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _is_ours(server: Any) -> bool:
    if server is None:
        return True
    command = str(server.get("command", "")) if isinstance(server, dict) else ""
    return PureWindowsPath(PurePosixPath(command).name).stem in _OURS


def _laid_out(file: Path, value: dict[str, Any], former: bytes) -> bytes:
    """The content, indented and with ends of lines as it was."""
    was = former.decode("utf-8-sig")
    found = _INDENT.search(was)
    form: dict[str, Any] = {"indent": found.group(1) if found is not None else 2, "allow_nan": False}
    try:
        data = json.dumps(value, ensure_ascii=False, **form).encode()
    except UnicodeEncodeError:
        # Half of a character is valid JSON, as an escape alone.
        data = json.dumps(value, **form).encode()
    except ValueError as error:
        raise ConfigurationError(f"{file} holds what JSON cannot say ({error}): {_BY_HAND}") from None
    return (data + b"\n").replace(b"\n", b"\r\n" if "\r\n" in was else b"\n")


def _keep_a_copy(file: Path, new: Path) -> Path:
    """The copy; the new file gets the old one's mode."""
    now = time.strftime("%Y%m%d-%H%M%S")
    names = (file.with_name(f"{file.name}.{now}{more}.bak") for more in ("", *(f"-{n}" for n in range(1, 1000))))
    backup = next(name for name in names if not name.exists())
    shutil.copy2(file, backup)
    shutil.copymode(file, new)
    return backup
