"""The framed door: tool clients that speak the wire protocol, on Unix sockets and TCP."""

from .door import FramedDoor

__all__ = ["FramedDoor"]
