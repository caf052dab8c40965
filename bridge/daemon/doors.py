"""Whether a bridge's doors are open: one that is ending has closed them, and its record names them still."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from blender_addon.wire import parse_address

_PATIENCE = 1.0


def is_open(listen: Sequence[str]) -> bool:
    """Whether somebody takes connections at one of the addresses."""
    for door in listen:
        address = parse_address(door)
        try:
            if address.kind == "unix":
                with socket.socket(socket.AF_UNIX) as sock:
                    sock.settimeout(_PATIENCE)
                    sock.connect(address.path)
            else:
                socket.create_connection((address.host, address.port), _PATIENCE).close()
        except OSError:
            continue
        return True
    return False
