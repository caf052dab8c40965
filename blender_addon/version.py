"""The add-on's version. It is the bridge's too, and both say theirs at hello."""

from __future__ import annotations

VERSION = "0.1.0"
