"""Logging set up as for a process, and what was written."""

from __future__ import annotations

import logging

import pytest

from bridge import log
from tests.standard_error import log_to_standard_error


@pytest.fixture
def logging_restored():
    """Afterwards logging is what it was, and no thread of ours is left."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.flush()
            handler.close()
    root.handlers, root.level = handlers, level
    log_to_standard_error()


@pytest.fixture
def lines(logging_restored, tmp_path):
    """lines(form, level, secrets=…) sets logging up; lines() gives what was written since."""
    with (tmp_path / "log").open("w") as stream, (tmp_path / "log").open(encoding="utf-8") as reader:

        def lines(form=None, level="info", *, secrets=()):
            if form is not None:
                log.configure(level, form, secrets=secrets, stream=stream)
            log.flush()
            return reader.read().splitlines()

        yield lines
        log.flush()
