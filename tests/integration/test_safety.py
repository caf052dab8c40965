"""safety.code and safety.write_folders, down to the Blenders that the bridge starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.client import Client
from bridge.errors import Refused

pytestmark = pytest.mark.blender


@pytest.mark.parametrize("start_as", ["fresh", "fork"])
def test_a_worker_writes_where_it_may_and_nowhere_else(start, tmp_path: Path, start_as: str) -> None:
    allowed, other = tmp_path / "allowed", tmp_path / "other"
    for folder in (allowed, other):
        folder.mkdir()
    config = tmp_path / "config.toml"
    config.write_text(
        f"[safety]\ncode = false\nwrite_folders = ['{allowed}']\n"
        f"[workers.a]\nstart = '{start_as}'\n"
        f"[workers.b]\nstart = '{start_as}'\non_demand = true\n[workers.b.safety]\ncode = true\nwrite_folders = []\n"
    )
    served = start("--config", str(config))
    with served.client(instance="a") as client:
        client.call("file.save", {"path": str(allowed / "a.blend")})
        assert refusal(client, "file.save", {"path": str(other / "a.blend")}) == "forbidden"
        assert refusal(client, "code.execute", {"code": "result = 1"}) == "forbidden"
    with served.client(instance="b") as client:
        assert refusal(client, "file.save", {"path": str(allowed / "b.blend")}) == "forbidden"
        assert client.call("code.execute", {"code": "result = 1"}).value["result"] == 1
    assert [path.name for path in sorted(tmp_path.rglob("*.blend"))] == ["a.blend"]


def refusal(client: Client, method: str, params: dict) -> str:
    with pytest.raises(Refused) as caught:
        client.call(method, params)
    assert caught.value.outcome == "not_executed"
    return caught.value.code
