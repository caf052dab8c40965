"""Instances that nobody listens behind: what names and routes are about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridge import events
from bridge.fleet import Instance
from bridge.memory import MemoryBudget
from bridge.pool import PoolSettings


@pytest.fixture
def instance() -> Callable[..., Instance]:
    async def nobody():
        raise ConnectionRefusedError(111, "nobody listens")

    def make(name: str, source: Any = "configured", **options: Any) -> Instance:
        memory = MemoryBudget(1 << 20).share(1 << 20)
        limits = {"max_payload": 1 << 20, "cancel_grace": 1.0, "memory": memory, "pool": PoolSettings()}
        address = options.pop("address", f"unix:/{name}")
        return Instance(name, address, nobody, token=None, emit=events.ignore, source=source, **limits, **options)

    return make
