"""The Blenders that would be started: found, whole, and of a version that is known."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import psutil._psutil_linux
import pytest

from bridge.doctor.blender import blenders
from bridge.doctor.libraries import how_to_install

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what is missing is found as on Linux")


@pytest.fixture
def program(tmp_path):
    """program(text): an executable shell script."""

    def program(text, name="blender"):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    return program


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """wheel(): a directory `bpy` that this Python and its children import from; the real one is hidden."""

    def wheel():
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
        directory = tmp_path / "site" / "bpy"
        directory.mkdir(parents=True)
        return directory

    return wheel


@pytest.fixture
def no_wheel(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


@pytest.fixture
def found(place):
    """found(blender): what is found of a worker with this Blender."""

    def found(blender="bpy", **options):
        [finding] = blenders(place(workers={"w": {"blender": blender}}), **options)
        return finding

    return found


@pytest.mark.parametrize(
    ("version", "level", "said"),
    [
        ("3.4.1", "ok", "is Blender 3.4, and works"),
        ("5.2.0 LTS", "ok", "is Blender 5.2, and works"),
        ("3.3.9", "broken", "is Blender 3.3, which is too old"),
        ("6.0.0", "warning", "newer than any"),
    ],
)
def test_an_executable_that_starts_says_its_version(found, program, version, level, said):
    finding = found(program(f"echo 'Read prefs'; echo 'Blender {version}'"))
    assert (finding.level, said in finding.what) == (level, True)


def test_an_executable_that_is_no_blender_is_found(found, program):
    assert found(program("echo hello")).level == "warning"


def test_an_executable_that_does_not_start_is_found_with_its_last_words(found, program):
    finding = found(program("echo first; echo 'no GPU here' >&2; exit 3"))
    assert (finding.level, finding.what.split(": ")[-1]) == ("broken", "no GPU here")


def test_an_executable_that_is_damaged_is_found(found, program):
    path = Path(program(""))
    path.write_bytes(b"\x7fELF" + bytes(60))
    assert found(str(path)).what == f"{path} does not start: Exec format error"


def test_an_executable_that_hangs_is_ended_with_its_children(found, program, tmp_path, monkeypatch):
    monkeypatch.setattr("bridge.addon.programs.version_of.__kwdefaults__", {"seconds": 1.5})
    finding = found(program(f"sleep 1000 & echo $! > {tmp_path}/child; wait"))
    assert (finding.level, finding.what.endswith("does not start in time")) == ("broken", True)
    with suppress(psutil.NoSuchProcess):
        child = psutil.Process(int((tmp_path / "child").read_text()))
        assert child.status() == psutil.STATUS_ZOMBIE or child.wait(30) is None


def test_the_library_that_an_executable_misses_is_named(found, program):
    missing = "libxkbcommon.so.0: cannot open shared object file: No such file or directory"
    finding = found(program(f"echo 'blender: error while loading shared libraries: {missing}' >&2; exit 127"))
    assert finding.what.endswith("does not start: the system has no libxkbcommon.so.0")
    assert finding.fix == "apt-get install libxkbcommon0 (so they are called on Debian)"


def test_a_wheel_that_can_be_imported_says_its_version(found, wheel):
    directory = wheel()
    (directory / "__init__.py").write_text("class app: version_string = '5.0.1'")
    assert found() == ("ok", f"the bpy wheel in {directory} is Blender 5.0, and works", "")


def test_a_wheel_that_misses_a_library_is_found_with_its_package(found, wheel):
    # A real extension module, made to need a library that no system has.
    original = Path(psutil._psutil_linux.__file__).read_bytes()
    assert original.count(b"libpthread.so.0\0") == 1
    patched = original.replace(b"libpthread.so.0\0", b"libXnone.so.3\0\0\0")
    (wheel() / f"__init__{EXTENSION_SUFFIXES[-1]}").write_bytes(patched)
    finding = found()
    assert finding.level == "broken"
    assert finding.what.endswith("cannot be imported: the system has no libXnone.so.3")
    assert finding.fix == "install the package that has libXnone.so.3"


def test_a_wheel_that_is_damaged_is_found_with_its_last_words(found, wheel):
    (wheel() / "__init__.py").write_text("raise RuntimeError('half of it is gone')")
    finding = found()
    assert finding.what.endswith("cannot be imported: RuntimeError: half of it is gone")
    assert "pip install --force-reinstall bpy" in finding.fix


def test_a_wheel_that_hangs_is_given_up(found, wheel):
    (wheel() / "__init__.py").write_text("import threading; threading.Event().wait()")
    assert found(seconds=0.5).what.endswith("cannot be imported in time")


@pytest.mark.usefixtures("no_wheel")
def test_without_the_wheel_the_blender_on_path_is_examined(found, program, monkeypatch):
    monkeypatch.setenv("PATH", str(Path(program("echo Blender 4.2.0")).parent), prepend=os.pathsep)
    assert found().what.endswith("bin/blender is Blender 4.2, and works")


@pytest.mark.usefixtures("no_wheel")
def test_without_any_blender_it_says_what_to_install(found, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    finding = found()
    assert (finding.level, "no bpy wheel" in finding.what) == ("broken", True)
    assert "pip install 'bpy-bridge[embedded]'" in finding.fix


@pytest.mark.usefixtures("no_wheel")
def test_where_the_settings_name_running_blenders_none_need_be_there(place, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert [finding.level for finding in blenders(place(instances={"s": {"address": "unix:/s"}}))] == ["ok"]


def test_each_blender_is_examined_once(place, program):
    one, other = program("echo Blender 4.2.0"), program("echo Blender 4.5.0", "other")
    workers = {"a": {"blender": one}, "b": {"blender": one}, "c": {"blender": other}}
    assert len(list(blenders(place(workers=workers)))) == 2


def test_packages_are_named_where_they_are_known():
    assert how_to_install(["libSM.so.6", "libX11.so.6", "libodd.so.9"]) == (
        "apt-get install libsm6 libx11-6 (so they are called on Debian); install the package that has libodd.so.9"
    )


@pytest.mark.blender
def test_the_real_wheel_works(found):
    assert found().level == "ok"
