"""One version everywhere, and a manifest that Blender takes."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import blender_addon
import bridge
from blender_addon.version import VERSION
from bridge.addon.programs import FIRST_WITH_EXTENSIONS, OLDEST

SOURCE = Path(blender_addon.__file__).parent


@pytest.fixture(scope="module")
def manifest():
    return tomllib.loads((SOURCE / "blender_manifest.toml").read_text(encoding="utf-8"))


def bl_info():
    module = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    [found] = [
        node for node in module.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "bl_info"
    ]
    return ast.literal_eval(found.value)


def test_bridge_add_on_manifest_and_bl_info_have_one_version(manifest):
    told = {bridge.__version__, VERSION, manifest["version"], ".".join(map(str, bl_info()["version"]))}
    assert told == {bridge.__version__}


def test_the_blenders_that_it_is_for_are_the_ones_that_it_is_installed_in(manifest):
    assert manifest["blender_version_min"] == ".".join(map(str, (*FIRST_WITH_EXTENSIONS, 0)))
    assert bl_info()["blender"] == (*OLDEST, 0)


def test_each_permission_has_a_reason_without_a_full_stop(manifest):
    assert set(manifest["permissions"]) == {"files", "network"}
    assert all(0 < len(reason) <= 64 and not reason.endswith(".") for reason in manifest["permissions"].values())


def test_blenders_own_tool_takes_the_manifest():
    spec = importlib.util.find_spec("bpy")
    tools = (
        [] if spec is None else list(Path(spec.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
    )
    if not tools:
        pytest.skip("needs the bpy wheel: its blender_ext.py validates manifests")
    done = subprocess.run(
        [sys.executable, str(tools[0]), "validate", str(SOURCE)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_own_modules_are_imported_relatively_since_an_extension_has_another_name():
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not [name for name in names if name and name.startswith("blender_addon")], path
