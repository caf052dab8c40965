"""What the documentation says of the commands is what their signatures say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AGAIN = "the commands have changed: run `.venv/bin/python docs/generate.py`"


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_up_to_date(generate):
    assert generate.COMMANDS.read_text(encoding="utf-8") == generate.reference(), AGAIN


def test_the_readme_s_table_is_up_to_date(generate):
    found = generate.MARKED.search(generate.README.read_text(encoding="utf-8"))
    assert found is not None, "README.md has no <!-- commands --> … <!-- /commands -->"
    assert found.group() == generate.table(), AGAIN
