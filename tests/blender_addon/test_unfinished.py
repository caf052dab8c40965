"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from blender_addon.commands.unfinished import forget_unfinished, written_whole


def test_a_file_appears_when_it_is_whole(tmp_path):
    place = tmp_path / "a.png"
    with written_whole(place) as unfinished:
        unfinished.write_bytes(b"whole")
        assert not place.exists()

    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert place.read_bytes() == b"whole"


def test_what_fails_leaves_what_was_there(tmp_path):
    place = tmp_path / "a.png"
    place.write_bytes(b"before")

    def fail():
        with written_whole(place) as unfinished:
            unfinished.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert place.read_bytes() == b"before"


KILLED = """
import os, pathlib, signal, sys
from blender_addon.commands.unfinished import written_whole
with written_whole(pathlib.Path(sys.argv[1])) as unfinished:
    unfinished.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="elsewhere it stays")
def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "a.png")], check=False)
    (left,) = tmp_path.iterdir()
    elsewhere = tmp_path / left.name.replace(f"{left.name.split('.')[-2].rpartition('-')[0]}-", "another-host-")
    elsewhere.touch()
    (tmp_path / "download.part").touch()

    with written_whole(tmp_path / "b.png") as mine:
        mine.touch()
        forget_unfinished(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {mine.name, elsewhere.name, "download.part"}


def test_a_folder_that_is_not_there_has_nothing_to_forget(tmp_path):
    forget_unfinished(tmp_path / "none")
