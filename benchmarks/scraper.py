"""python -m benchmarks.scraper SOCKET: read /metrics every second, as a Prometheus in a hurry would."""

from __future__ import annotations

import socket
import sys
import threading

_REQUEST = (
    b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: application/openmetrics-text\r\nConnection: close\r\n\r\n"
)


def scrape(path: str) -> int:
    """The bytes of one page."""
    with socket.socket(socket.AF_UNIX) as connected:
        connected.connect(path)
        connected.sendall(_REQUEST)
        return sum(iter(lambda: len(connected.recv(65_536)), 0))


if __name__ == "__main__":
    print(scrape(sys.argv[1]), flush=True)
    while not threading.Event().wait(1.0):
        scrape(sys.argv[1])
