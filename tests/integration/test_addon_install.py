"""The add-on in real Blenders, in a user's directory of the test's own: built, installed, replaced, listed, removed."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bridge import __version__

pytestmark = pytest.mark.blender

# Does with the bpy wheel what `blender -b --python FILE -- …` does; the wheel always has factory settings.
_LIKE_BLENDER = """#!{python}
import runpy, sys
import bpy
if "--version" in sys.argv:
    print("Blender", bpy.app.version_string)
else:
    file = sys.argv[sys.argv.index("--python") + 1]
    runpy.run_path(file, run_name="__main__")
"""


def _wheel() -> str | None:
    python = os.environ.get("BPY_BRIDGE_TEST_BLENDER", sys.executable)
    if python == sys.executable and importlib.util.find_spec("bpy") is None:
        return None
    return python if "python" in Path(python).name else None


@pytest.fixture(params=["blender", "wheel"])
def blender(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The system's own Blender, and the bpy wheel in its clothes."""
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "resources"))
    monkeypatch.setenv("BPY_BRIDGE_HOME", str(tmp_path / "home"))
    if request.param == "blender":
        found = shutil.which("blender")
        if found is None:
            pytest.skip("needs a `blender` on PATH")
        return found
    python = _wheel()
    if python is None:
        pytest.skip("needs the bpy wheel: install bpy-bridge[embedded]")
    path = tmp_path / "like-blender"
    path.write_text(_LIKE_BLENDER.format(python=python))
    path.chmod(0o755)
    return str(path)


def addon(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bridge", "addon", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)


def row(blender: str) -> dict[str, object]:
    [found] = json.loads(addon("list", "--blender", blender, "--json").stdout)
    return found


def test_it_is_installed_enabled_replaced_and_removed(blender: str) -> None:
    assert row(blender)["addon"] is None

    done = addon("install", "--blender", blender)
    assert done.returncode == 0, done.stdout + done.stderr
    found = row(blender)
    assert (found["addon"], found["enabled"], found["matches"], found["todo"]) == (__version__, True, True, "")

    directory = Path(str(found["path"]))
    (directory / "of_an_older_version.py").touch()
    manifest = directory / "blender_manifest.toml"
    manifest.write_text(manifest.read_text().replace(f'version = "{__version__}"', 'version = "0.0.1"', 1))
    assert (row(blender)["addon"], row(blender)["matches"]) == ("0.0.1", False)
    done = addon("install", "--blender", blender)
    assert done.returncode == 0, done.stdout + done.stderr
    assert row(blender)["addon"] == __version__
    assert not (directory / "of_an_older_version.py").exists()

    done = addon("uninstall", "--blender", blender)
    assert done.returncode == 0, done.stdout + done.stderr
    assert row(blender)["addon"] is None
    assert not directory.exists()
    assert "it did not have the add-on" in addon("uninstall", "--blender", blender).stdout


def test_a_copy_of_the_old_kind_gives_way_to_the_extension(blender: str, tmp_path: Path) -> None:
    if not Path(blender).name.startswith("like"):
        pytest.skip("needs a Blender that has extensions")
    old = tmp_path / "resources/scripts/addons/bpy_bridge"
    old.mkdir(parents=True)
    (old / "__init__.py").write_text("bl_info = {'name': 'bpy-bridge', 'version': (0, 0, 1), 'blender': (3, 4, 0)}")
    assert row(blender)["addon"] == "0.0.1"
    done = addon("install", "--blender", blender)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not old.exists()
    assert row(blender)["addon"] == __version__
