from __future__ import annotations

import pytest

from bridge.pool import Pool


@pytest.fixture
def pool_class():
    """The implementation under test; test_mutants.py calls the same tests with broken ones."""
    return Pool
