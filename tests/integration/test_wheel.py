"""The wheel works as well as the checkout: built, installed in a fresh environment, and run there."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from .serving import ROOT, environment, serving


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), cwd=ROOT)
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of scripts of an environment that has the wheel, and ours for what it depends on."""
    target = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", str(target))
    scripts = target / ("Scripts" if os.name == "nt" else "bin")
    python = str(scripts / "python")
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    # As a plain path: what is installed there in editable form, this checkout, is not followed.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", str(wheel))
    return scripts


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory far from the checkout, and one for BPY_BRIDGE_HOME in it."""
    return tmp_path / "home"


def run(*command: str, cwd: Path | None = None, home: Path | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment(home) if home else None,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_both_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"bridge", "blender_addon", "bpy_bridge"}
    assert {"blender_addon/headless.py", "blender_addon/blender_manifest.toml"} <= set(names)
    assert not [name for name in names if name.endswith((".pyc", ".sock"))]


def test_it_is_the_installed_one_that_runs(installed: Path, place: Path) -> None:
    found = run(str(installed / "python"), "-c", "import bridge; print(bridge.__file__)", cwd=place.parent, home=place)
    assert Path(found.strip()).is_relative_to(installed.parent)


def test_the_version_is_told(installed: Path, place: Path) -> None:
    said = run(str(installed / "bpy-bridge"), "--version", cwd=place.parent, home=place)
    assert said.startswith("bpy-bridge ")


def test_the_catalogue_is_in_the_wheel(installed: Path, place: Path) -> None:
    methods = json.loads(run(str(installed / "bpy-bridge"), "methods", "--json", cwd=place.parent, home=place))
    assert {"bridge.status", "scene.summary", "render.still"} <= {method["name"] for method in methods}


@pytest.mark.blender
@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="needs the bpy wheel")
def test_the_installed_bridge_serves_a_real_blender(installed: Path, place: Path) -> None:
    tool = str(installed / "bpy-bridge")
    with serving(place, command=[tool]) as served:
        said = run(tool, "call", "object.get", "name=Cube", cwd=place.parent, home=place)
        assert json.loads(said)["name"] == "Cube"
        status = json.loads(run(tool, "status", "--json", cwd=place.parent, home=place))
        assert status["pid"] == served.process.pid
        assert served.end() == 0
