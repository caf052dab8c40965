"""The Python, the disk, and how many files may be open."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys

import pytest

from bridge.doctor.runtime import disk, open_files, python


@pytest.mark.parametrize(
    ("version", "level"), [((3, 10, 9), "broken"), ((3, 11, 0), "ok"), ((3, 14, 1), "ok"), ((3, 15, 0), "warning")]
)
def test_a_python_is_supported_or_not(place, version, level):
    [finding] = python(place(), version=version)
    assert finding.level == level
    assert finding.what.startswith(f"Python {'.'.join(map(str, version))} at {sys.executable}")


def test_room_on_the_disk_is_enough_little_or_too_little(place, home):
    free = shutil.disk_usage(home.parent).free
    more = 2 * free
    assert {finding.level for finding in disk(place(), little=0, too_little=0)} == {"ok"}
    assert {finding.level for finding in disk(place(), little=more, too_little=0)} == {"warning"}
    assert {finding.level for finding in disk(place(), little=more, too_little=more)} == {"broken"}


def test_the_directories_need_not_exist_for_that(place, home):
    assert [finding.what.split(" for ")[1] for finding in disk(place())] == [str(home), str(home / "logs")]


def test_as_many_files_may_be_open_as_the_settings_need(place):
    [finding] = open_files(place(limits={"max_clients": 1}))
    assert finding.level == "ok"


def test_too_few_open_files_are_found_by_a_process_that_has_no_more(home):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    told = subprocess.run(
        [sys.executable, "-m", "bridge", "doctor", "--json"], preexec_fn=few, stdout=subprocess.PIPE, check=False,
        env={**os.environ, "BPY_BRIDGE_WORKERS__W__BLENDER": sys.executable},
    )  # fmt: skip
    [finding] = [finding for finding in json.loads(told.stdout)["findings"] if finding["check"] == "open files"]
    assert finding["level"] == "warning"
    assert finding["what"].startswith("a process may have 256 open files, and limits.max_clients needs 1")
    assert "ulimit -Hn" in finding["fix"]
