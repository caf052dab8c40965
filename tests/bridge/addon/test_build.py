"""The zips: one for each way of installing, the same bytes each time, and only what Blender has a use for."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from pathlib import Path

import pytest

import blender_addon
from bridge import __version__
from bridge.addon import build
from bridge.addon.build import extension, legacy
from bridge.errors import BridgeError

SOURCE = Path(blender_addon.__file__).parent


def names(content: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_both_are_written_and_named_by_their_version(tmp_path):
    written = build(tmp_path / "new/place")
    assert [(archive.path.name, archive.blenders) for archive in written] == [
        (f"bpy_bridge-{__version__}.zip", "Blender 4.2 and later"),
        (f"bpy_bridge-{__version__}-legacy.zip", "Blender 3.4 to 4.1"),
    ]
    assert [archive.path.read_bytes() for archive in written] == [extension(), legacy()]


def test_an_extension_has_its_files_at_the_root_and_the_old_kind_in_its_folder():
    assert {"__init__.py", "blender_manifest.toml", "commands/__init__.py"} <= set(names(extension()))
    assert names(legacy()) == [f"bpy_bridge/{name}" for name in names(extension())]


def test_it_is_the_whole_add_on_and_nothing_else():
    assert set(names(extension())) == {
        path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*") if path.suffix in (".py", ".toml")
    }


def test_other_times_and_another_order_on_disk_make_the_same_bytes(tmp_path):
    copy = tmp_path / "copy"
    for path in sorted(SOURCE.rglob("*.py"), reverse=True) + list(SOURCE.glob("*.toml")):
        target = copy / path.relative_to(SOURCE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        os.utime(target, (1e9, 1e9))
        target.chmod(0o600)
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__/a.pyc").touch()
    (copy / ".hidden").touch()
    assert extension(copy) == extension()


def test_where_nothing_can_be_written_it_says_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BridgeError, match=r"cannot be written to .*file"):
        build(tmp_path / "file/below")
