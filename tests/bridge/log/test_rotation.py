"""A log file of bounded size."""

from __future__ import annotations

import logging
import os

import pytest

from bridge import log
from bridge.log import Rotation


@pytest.fixture
def stream(tmp_path):
    with open(tmp_path / "bridge.log", "ab", buffering=0) as stream:
        yield stream


def test_a_full_file_becomes_the_first_of_the_former_ones_and_the_oldest_goes(stream, tmp_path):
    rotate = Rotation(tmp_path / "bridge.log", stream.fileno(), max_bytes=4, files=3)
    for text in (b"one.", b"two.", b"3", b"...", b"four."):
        stream.write(text)
        rotate()
    stream.write(b"now")
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert kept == {"bridge.log": b"now", "bridge.log.1": b"four.", "bridge.log.2": b"3..."}


def test_where_it_cannot_be_rotated_the_log_goes_on(stream, tmp_path):
    (tmp_path / "bridge.log.1" / "in the way").mkdir(parents=True)
    rotate = Rotation(tmp_path / "bridge.log", stream.fileno(), max_bytes=1, files=2)
    for _ in range(2):
        stream.write(b"x")
        rotate()
    assert (tmp_path / "bridge.log").read_bytes() == b"xx"


def test_the_files_are_their_owners_alone(stream, tmp_path):
    stream.write(b"x")
    Rotation(tmp_path / "bridge.log", stream.fileno(), max_bytes=1)()
    assert os.stat(tmp_path / "bridge.log").st_mode & 0o777 == 0o600


def test_no_line_is_lost_while_it_is_rotated(stream, tmp_path):
    rotation = Rotation(tmp_path / "bridge.log", stream.fileno(), max_bytes=1000, files=1000)
    log.configure("info", "json", stream=stream, after_write=rotation)
    for number in range(1000):
        logging.getLogger("x").info("line %d.", number)
        if number % 10 == 0:
            log.flush()
    log.flush()
    files = list(tmp_path.iterdir())
    written = b"".join(path.read_bytes() for path in files)
    assert len(files) > 10
    assert all(b"line %d." % number in written for number in range(1000))
