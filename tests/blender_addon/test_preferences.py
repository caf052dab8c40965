"""What follows from the preferences."""

import os

from blender_addon.policy import Policy
from blender_addon.preferences import Settings, policy_of


def test_a_fresh_installation_starts_by_itself_and_allows_all():
    assert Settings() == (True, "", True, True, "", False)
    assert policy_of(Settings()) == Policy()


def test_folders_count_unless_anything_may_be_written():
    folders = os.pathsep.join(["/a", "/b"])

    assert policy_of(Settings(write_folders=folders)).folders is None
    assert policy_of(Settings(write_anywhere=False, write_folders=folders)).folders == ("/a", "/b")


def test_where_no_folder_is_named_nothing_is_written():
    assert policy_of(Settings(write_anywhere=False)).folders == ()
