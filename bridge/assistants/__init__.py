"""How AI assistants are told of us.

known    each assistant: its file, and what our entry in it says
merging  our entry into a file that holds more than that
"""

from __future__ import annotations

from .known import Assistant, assistants, entry, entry_name
from .merging import Written, configuration, write

__all__ = ["Assistant", "Written", "assistants", "configuration", "entry", "entry_name", "write"]
