"""Where a server listens: `unix:/path` or `tcp:HOST:PORT`."""

from __future__ import annotations

import ipaddress
import socket
from typing import NamedTuple, Union


class UnixAddress(NamedTuple):
    """A Unix socket's path."""

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"


class TcpAddress(NamedTuple):
    """A host's name or number, and a port; 0 is any that is free."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp:[{self.host}]:{self.port}" if ":" in self.host else f"tcp:{self.host}:{self.port}"

    def is_loopback(self) -> bool:
        """Every number that the host resolves to is this machine's alone. Raises OSError where it resolves to none."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        return all(ipaddress.ip_address(str(info[4][0]).partition("%")[0]).is_loopback for info in found)


Address = Union[UnixAddress, TcpAddress]


def parse_address(text: str) -> Address:
    """Read an address. Raises ValueError with what is wrong and how it should look."""
    kind, _, rest = text.partition(":")
    if kind == "unix" and rest:
        return UnixAddress(rest)
    if kind == "tcp":
        host, colon, port = rest.rpartition(":")
        host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if colon and host and port.isascii() and port.isdigit() and int(port) <= 65535:
            return TcpAddress(host, int(port))
    raise ValueError(f"{text!r} is no address: write unix:/path or tcp:HOST:PORT")
