"""A bridge that does not come to run says why, in a line or with its log, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.home import NO_BLENDER, Home
from tests.integration.serving import until


def test_a_start_that_fails_says_why_with_the_exit_code_that_serve_has(home, tmp_path):
    config = tmp_path / "wrong.toml"
    config.write_text("drain_timeout = -1\n")
    code, out, err = home.run("start", "--config", str(config))
    assert (code, out) == (2, "")
    assert err.startswith(f"bpy-bridge: drain_timeout, from the file {config}")
    assert home.bridges() == []
    assert [path.name for path in home.path.iterdir()] == ["logs"]


def test_a_bridge_that_dies_before_it_says_a_word_is_a_failure_with_the_logs_tail(home):
    broken(home, "raise RuntimeError('trio is broken')")
    code, _, err = home.run("start", *NO_BLENDER)
    assert code == 4
    assert "the bridge ended before its doors were open" in err
    assert "RuntimeError: trio is broken" in err


def broken(home: Home, code: str) -> None:
    """Have what the bridge imports, once it has the lock, run that code."""
    package = home.path.parent / "broken" / "trio"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(code)
    home.variables["PYTHONPATH"] = os.pathsep.join([str(package.parent), os.environ.get("PYTHONPATH", "")])


def test_a_bridge_that_is_not_ready_in_time_is_ended_and_that_is_said(home):
    broken(home, "import signal; signal.pause()")
    code, _, err = home.run("start", "--timeout", "0.5", *NO_BLENDER)
    assert (code, "did not open its doors within 0.5 s, and was ended" in err) == (5, True)
    until(lambda: home.bridges() == [])
    home.variables = {}
    assert home.start()["started"] is True


def test_waiting_for_a_blender_that_does_not_come_ends_in_time_and_the_bridge_stays(home):
    code, out, err = home.run("start", "--wait", "--timeout", "6", *NO_BLENDER)
    assert (code, out) == (5, "")
    assert "no Blender is ready: default: " in err
    assert len(home.bridges()) == 1


def test_a_full_disk_is_one_clear_line(home):
    home.path.mkdir(mode=0o700)
    with full_disk(home):
        for command in ("start", "serve"):
            code, out, err = home.run(command, *NO_BLENDER)
            assert (code, out) == (2, "")
            assert f"bpy-bridge: the record {home.path}/bridge.json cannot be written: " in err
            assert len(err.splitlines()) == 1
            assert not (home.path / "bridge.json").exists()
    assert home.bridges() == []


def test_a_read_only_directory_is_one_clear_line(home):
    home.path.mkdir(mode=0o700)
    with read_only(home.path):
        for command in ("start", "serve"):
            code, out, err = home.run(command, *NO_BLENDER)
            assert (code, out) == (2, "")
            assert str(home.path) in err
            assert "Read-only file system" in err or "Permission denied" in err
            assert len(err.splitlines()) == 1
        assert home.run("stop") == (0, "no bridge 'default' runs\n", "")


@contextlib.contextmanager
def full_disk(home: Home) -> Iterator[None]:
    """A tiny file system that is full, where one can be mounted; else no file may have any content."""
    if mounted("-o", "size=64k,mode=700", home.path):
        (home.path / "logs").mkdir(mode=0o700)
        with contextlib.suppress(OSError), open(home.path / "filler", "wb", buffering=0) as filler:
            while True:
                filler.write(b"x")
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", home.path], check=True)
        return
    home.prefix = ("prlimit", "--fsize=0")
    yield
    home.prefix = ()


@contextlib.contextmanager
def read_only(directory: Path) -> Iterator[None]:
    if mounted("-o", "ro,size=64k,mode=700", directory):
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", directory], check=True)
        return
    if os.getuid() == 0:
        pytest.skip("root may write everywhere, and cannot mount here")
    directory.chmod(0o500)
    yield
    directory.chmod(0o700)


def mounted(*options: str | Path) -> bool:
    if os.getuid() != 0:
        return False
    *flags, where = options
    command = ["mount", "-t", "tmpfs", *flags, "tmpfs", where]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
