"""What importing costs: the blocking client brings the standard library and the wire, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import bridge
import bridge.client

HEAVY = {"trio", "anyio", "orjson", "click", "pydantic", "pydantic_settings", "structlog", "rich", "asyncio", "psutil"}


def modules_after(statement: str) -> set[str]:
    code = f"import json, sys; {statement}; print(json.dumps(list(sys.modules)))"
    return set(json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout))


@pytest.mark.parametrize(
    "statement", ["import bridge", "from bridge import Client, Part, Busy", "import bridge.client"]
)
def test_nothing_heavy_is_imported(statement):
    assert not modules_after(statement) & HEAVY


def test_a_call_of_the_blocking_client_imports_nothing_heavy(bridge):
    statement = f"from bridge import Client; Client({bridge.address!r}).call('echo')"
    assert not modules_after(statement) & (HEAVY - {"psutil"})


@pytest.mark.parametrize("package", [bridge, bridge.client])
def test_every_public_name_is_there(package):
    for name in package.__all__:
        assert getattr(package, name) is not None
        assert name in dir(package)


@pytest.mark.parametrize("package", [bridge, bridge.client])
def test_other_names_are_attribute_errors(package):
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = package.nonsense
