"""The methods that the bridge answers itself: one function each, whose signature is its schema and documentation.

catalogue  where they are registered, and what each is given
state      what the bridge is and knows
"""

from __future__ import annotations

from . import state  # noqa: F401  # it registers its methods
from .catalogue import CATALOGUE, Context

__all__ = ["CATALOGUE", "Context"]
