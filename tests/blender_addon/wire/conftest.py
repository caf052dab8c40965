"""The vectors that both sides share, both codecs, and a way to say whole frames."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from blender_addon.wire import STANDARD_CODEC, Codec

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "wire.json").read_text(encoding="utf-8")
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A parameter named after a list of the vectors runs once for each of them."""
    for name, vectors in VECTORS.items():
        if name in metafunc.fixturenames:
            ids = [str(v.get("name") or v.get("code") or n).replace(" ", "-") for n, v in enumerate(vectors)]
            metafunc.parametrize(name, vectors, ids=ids)


@pytest.fixture(params=[STANDARD_CODEC, Codec(orjson.loads, orjson.dumps)], ids=["standard", "orjson"])
def codec(request: pytest.FixtureRequest) -> Codec:
    """The add-on's codec and the bridge's."""
    return request.param


@pytest.fixture
def vectors() -> dict[str, list[dict[str, Any]]]:
    return VECTORS
