"""One Blender with a window and one bridge for all tests; each starts in the factory scene."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bridge.client import Client
from tests.integration.serving import Served, environment, serving, until

from . import desktop


class Desk(NamedTuple):
    """A person's Blender, and the bridge that has found it under the name `blender`."""

    window: desktop.Window
    served: Served

    def client(self) -> Client:
        """One more client; its calls go to the window."""
        return self.served.client(instance="blender")


class Tool:
    """A client, with what tests say often."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get(self, method: str, **params: Any) -> Any:
        """The result's JSON value."""
        return self.client.call(method, params).value

    def python(self, code: str, **options: Any) -> Any:
        """What the code sets `result` to."""
        return self.client.call("code.execute", {"code": code}, **options).value["result"]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip that people of Blender 3.4 install, made as they would."""
    out = tmp_path_factory.mktemp("archive")
    subprocess.run([sys.executable, "-m", "bridge", "addon", "build", "--out", str(out)], check=True)
    [built] = out.glob("*-legacy.zip")
    return built


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    lacking = desktop.missing()
    if lacking is not None:
        pytest.skip(lacking)
    with desktop.display() as name:
        yield name


@pytest.fixture(scope="session")
def desk(screen: str, archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with sitting(screen, archive, tmp_path_factory.mktemp("gui")) as desk:
        yield desk


@pytest.fixture
def tool(desk: Desk) -> Iterator[Tool]:
    """A client of the window, which shows the factory scene; afterwards the pump is alive."""
    with desk.client() as client:
        until(lambda: "blender" in known(client))
        tool = Tool(client)
        tool.get("file.new")
        yield tool
        until(lambda: "blender" in known(client))
        assert tool.python("result = 1") == 1


@contextmanager
def sitting(screen: str, archive: Path, place: Path, *, mouse: bool = False) -> Iterator[Desk]:
    """A desk of its own; all that it needs is in the directory `place`."""
    variables = environment(place / "home")
    desktop.install(archive, variables)
    # An instance of that name is all that keeps the bridge from starting a worker.
    with (
        serving(place / "home", "--instance", f"nobody=unix:{place}/nobody.sock") as served,
        desktop.window(screen, variables, place, mouse=mouse) as window,
    ):
        window.descriptor()
        yield Desk(window, served)


def known(client: Client) -> list[str]:
    """The names of the Blenders that the bridge knows."""
    return [entry["name"] for entry in client.call("bridge.instances").value]
