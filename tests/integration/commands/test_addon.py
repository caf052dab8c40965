"""addon.describe against a real Blender."""

import pytest

from blender_addon.commands import CATALOGUE

pytestmark = pytest.mark.blender


def test_blender_describes_the_catalogue_that_the_bridge_packages(blender):
    assert blender.get("addon.describe")["methods"] == CATALOGUE.describe()
