"""Restrictions of the Blender that is tested."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.integration.commands.conftest import Blender

_SET = "from blender_addon.policy import Policy, set_policy\nset_policy(Policy({}))"


@contextlib.contextmanager
def writing_only_below(blender: Blender, folder: Path) -> Iterator[None]:
    """Commands may write in that folder alone, until the block ends."""
    blender.python(_SET.format(f"folders=({str(folder)!r},)"))
    try:
        yield
    finally:
        blender.python(_SET.format(""))
