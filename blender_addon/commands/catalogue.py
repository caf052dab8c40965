"""The add-on's one catalogue, and the decorator that fills it."""

from __future__ import annotations

from ..registry import Catalogue

CATALOGUE = Catalogue()
command = CATALOGUE.command
