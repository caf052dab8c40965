"""The kinds of value that a setting can have. Each check's message says what the value must be."""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field, SecretStr, StringConstraints

from blender_addon.wire.address import parse_address
from bridge.errors import ConfigurationError
from bridge.paths import check_socket_path

MAX_NAME = 64


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def _address(text: str) -> str:
    address = parse_address(text)
    if address.kind == "tcp":
        return text
    path = str(Path(address.path).expanduser().absolute())
    try:
        check_socket_path(path)
    except ConfigurationError as error:
        raise ValueError(str(error)) from None
    return f"unix:{path}"


def _listener(text: str) -> str:
    address = parse_address(text)
    if not address.is_loopback:
        raise ValueError(
            f"must be on this machine, as tcp:127.0.0.1:{address.port}: without TLS, others could read along at {text}"
        )
    return text


def _reachable(text: str) -> str:
    if text.startswith("tcp:") and parse_address(text).port == 0:
        raise ValueError(f"must name the port that Blender listens at, and {text} does not")
    return text


def _http(text: str) -> str:
    return "off" if text == "off" else _listener(_address(text))


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text:
        raise ValueError("must not be empty")
    return SecretStr(text)


def _variable_name(name: str) -> str:
    if not name or "=" in name or "\0" in name:
        raise ValueError(f"{name!r} is no name of an environment variable")
    return name


def _variable_value(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold a zero byte")
    return text


def _blender(value: str) -> str:
    if value != "bpy" and shutil.which(value) is None:
        raise ValueError("must be `bpy` (the wheel) or an executable Blender; there is none here")
    return value


def _file(path: Path) -> Path:
    absolute = path.expanduser().absolute()
    if absolute.is_dir():
        raise ValueError(f"must be a file, and {absolute} is a directory")
    if not absolute.is_file():
        raise ValueError(f"must be an existing file; there is no {absolute}")
    return absolute


def _split_folders(value: Any) -> Any:
    """As PATH is written; an empty text is no folder at all."""
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


def _folder(path: Path) -> Path:
    expanded = path.expanduser()
    if not expanded.is_absolute():
        raise ValueError(f"must be absolute folders, and {path} is not")
    if os.pathsep in str(expanded):
        raise ValueError(f"must not have a {os.pathsep!r} in a name, as {path} has: it is what separates them")
    return expanded


Count = Annotated[int, BeforeValidator(_no_boolean), Field(ge=1)]
Processes = Annotated[int, BeforeValidator(_no_boolean), Field(ge=1, le=256)]
CountOrNone = Annotated[int, BeforeValidator(_no_boolean), Field(ge=0)]
Seconds = Annotated[float, BeforeValidator(_no_boolean), Field(gt=0)]
ProbeInterval = Annotated[float, BeforeValidator(_no_boolean), Field(ge=0.1, lt=math.inf)]
Share = Annotated[float, BeforeValidator(_no_boolean), Field(ge=0, lt=1)]
Bytes = Annotated[ByteSize, BeforeValidator(_no_boolean), Field(gt=0)]
FrameSize = Annotated[int, BeforeValidator(_no_boolean), Field(ge=1, lt=2**32)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
BlenderAddress = Annotated[str, AfterValidator(_address), AfterValidator(_reachable)]
Listener = Annotated[str, AfterValidator(_address), AfterValidator(_listener)]
HttpAddress = Annotated[str, AfterValidator(_http)]
Listeners = Annotated[list[Listener], BeforeValidator(_split), Field(min_length=1)]
InstanceName = Annotated[str, StringConstraints(pattern=rf"^[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_NAME - 1}}}$")]
VariableName = Annotated[str, AfterValidator(_variable_name)]
VariableValue = Annotated[str, AfterValidator(_variable_value)]
Blender = Annotated[str, AfterValidator(_blender)]
ExistingFile = Annotated[Path, AfterValidator(_file)]
Folders = Annotated[list[Annotated[Path, AfterValidator(_folder)]], BeforeValidator(_split_folders)]
