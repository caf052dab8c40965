"""The wire, live: whoever watches is shown each frame of each connection, on both hops, without secrets.

tap      one connection's frames, shown to the watchers; while nobody watches a frame costs a truth test
record   a frame as people may see it: envelope without secrets, sizes, a payload's beginning only if asked
watcher  what one watcher wants to see, and the bounded queue to it
"""

from __future__ import annotations

from .tap import Hop, Tap, Trace
from .watcher import Wanted, Watcher

__all__ = ["Hop", "Tap", "Trace", "Wanted", "Watcher"]
