"""A real PostgreSQL server of the tests' own: Debian's programs, a cluster in a temporary directory, a private port."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 60.0


def programs() -> Path | None:
    """Where initdb and pg_ctl are; None where PostgreSQL is not installed."""
    for directory in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (directory / "initdb").is_file():
            return directory
    found = shutil.which("initdb")
    return Path(found).parent if found else None


class Server:
    """A running server; `url` reaches it over TCP."""

    def __init__(self, directory: Path, binaries: Path) -> None:
        self._data = directory / "data"
        self._log = directory / "log"
        self._binaries = binaries
        # initdb refuses to run as root.
        self._user = pwd.getpwnam("postgres").pw_uid if os.getuid() == 0 else None
        if self._user is not None:
            os.chown(directory, self._user, -1)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._do("initdb", "--auth=trust", "--username=postgres", "--no-sync", "-E", "UTF8", "-D", str(self._data))
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._data}"
        self._do("pg_ctl", "-D", str(self._data), "-l", str(self._log), "-w", "-t", "30", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        self._do("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def _do(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        # pg_ctl's server keeps what it inherits: no pipe may be among it.
        with tempfile.TemporaryFile() as said:
            ended = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, user=self._user, timeout=PATIENCE, cwd="/",
                check=False,
            )  # fmt: skip
            said.seek(0)
            assert ended.returncode == 0, said.read().decode()


@contextmanager
def server() -> Iterator[Server]:
    """A server that is gone afterwards."""
    binaries = programs()
    assert binaries is not None
    directory = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    try:
        running = Server(directory, binaries)
        running.start()
        try:
            yield running
        finally:
            running.stop("immediate")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
