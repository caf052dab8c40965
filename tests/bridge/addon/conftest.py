"""Blenders that are scripts, and a user's directory for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.addon import Program


@pytest.fixture
def resources(tmp_path, monkeypatch) -> Path:
    """Where Blender's user keeps things; it is not made yet."""
    for variable in ("CONFIG", "SCRIPTS", "EXTENSIONS"):
        monkeypatch.delenv(f"BLENDER_USER_{variable}", raising=False)
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "resources"))
    return tmp_path / "resources"


@pytest.fixture
def script(tmp_path) -> Callable[..., str]:
    """script(lines, name): a program of that name that says its version, and does these lines otherwise."""

    def script(lines: str = "", *, version: str = "4.2.1 LTS", name: str = "blender") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "Blender {version}" && exit 0\n{lines}\n')
        path.chmod(0o755)
        return str(path)

    return script


@pytest.fixture
def program(script) -> Callable[..., Program]:
    """program(lines, version): the same, found."""

    def program(lines: str = "", version: tuple[int, int] = (4, 2)) -> Program:
        return Program(script(lines), version)

    return program


@pytest.fixture
def installed() -> Callable[..., Path]:
    """installed(directory, version): a copy of the add-on there."""

    def installed(directory: Path, version: str) -> Path:
        directory.mkdir(parents=True)
        (directory / "blender_manifest.toml").write_text(f'version = "{version}"')
        return directory

    return installed
