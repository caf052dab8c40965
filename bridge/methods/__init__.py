"""The methods that the bridge answers itself: one function each, whose signature is its schema and documentation.

catalogue  where they are registered, and what each is given
pool       each instance's pool, seen and controlled
state      what the bridge is and knows
trace      the wire, live
"""

from __future__ import annotations

from . import pool, state, trace  # noqa: F401  # they register their methods
from .catalogue import CATALOGUE, Context, changes_something

__all__ = ["CATALOGUE", "Context", "changes_something"]
