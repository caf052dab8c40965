from __future__ import annotations

import os

import pytest


@pytest.fixture
def home(tmp_path, monkeypatch):
    """BPY_BRIDGE_HOME, not made yet, and no other variable of ours."""
    for name in list(os.environ):
        if name.startswith("BPY_BRIDGE_"):
            monkeypatch.delenv(name)
    directory = tmp_path / "home"
    monkeypatch.setenv("BPY_BRIDGE_HOME", str(directory))
    return directory
