"""Where a server listens, as people write it: `unix:/path` or `tcp:HOST:PORT`."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

_EXAMPLES = "write unix:/run/user/1000/bridge.sock, tcp:127.0.0.1:9870 or tcp:[::1]:9870"
_HOST_AND_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+(?:%[^\]\s]+)?)\]|([^\[\]:/\s]+)):([0-9]{1,5})\Z").match


class Address(NamedTuple):
    """A Unix socket's `path`, or a TCP `host` (IPv6 without brackets) and `port`, where 0 asks for any free one."""

    kind: Literal["unix", "tcp"]
    path: str = ""
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        """As `parse_address` reads it."""
        if self.kind == "unix":
            return f"unix:{self.path}"
        return f"tcp:[{self.host}]:{self.port}" if ":" in self.host else f"tcp:{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether this machine alone can reach it. A name other than localhost may mean anything, so it is not."""
        if self.kind == "unix" or self.host.lower() == "localhost":
            return True
        # Imported where it is needed: it costs a tool's start more than the rest of this package's parsing.
        import ipaddress  # noqa: PLC0415

        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str) -> Address:
    """Read an address. Raises ValueError, whose message shows how one is written."""
    kind, _, rest = text.partition(":")
    if kind == "unix":
        if not rest or "\0" in rest:
            raise ValueError(f"{text!r} names no socket file: {_EXAMPLES}")
        return Address("unix", path=rest)
    if kind != "tcp":
        raise ValueError(f"{text!r} is not an address: {_EXAMPLES}")
    found = _HOST_AND_PORT(rest)
    if found is None or int(found[3]) > 65_535:
        raise ValueError(f"{text!r} needs a host and a port from 0 to 65535 (IPv6 in brackets): {_EXAMPLES}")
    return Address("tcp", host=found[1] or found[2], port=int(found[3]))
