"""The HTTP door, for probes, Prometheus and people with a browser.

door    accepts connections and ends them; hypercorn speaks HTTP on each
pages   what there is to read: an ASGI application
"""

from __future__ import annotations

from .door import HttpDoor, url
from .pages import MetricsPage, Pages

__all__ = ["HttpDoor", "MetricsPage", "Pages", "url"]
