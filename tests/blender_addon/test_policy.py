"""What commands may do: the preferences and the environment, of which each can only take away."""

import os

import pytest

from blender_addon import policy as module
from blender_addon.policy import (
    ENVIRONMENT_CODE,
    ENVIRONMENT_FOLDERS,
    Policy,
    permit_code,
    permit_write,
    policy_from_environment,
    set_policy,
    strictest,
)
from blender_addon.wire import Fault


@pytest.fixture(autouse=True)
def _restored(monkeypatch):
    monkeypatch.setattr(module, "_policy", Policy())


def test_an_environment_that_says_nothing_allows_all():
    assert policy_from_environment({}) == Policy(code=True, folders=None)


@pytest.mark.parametrize("value", ["false", "False", "0", "no", "OFF", " false "])
def test_the_environment_refuses_code(value):
    assert policy_from_environment({ENVIRONMENT_CODE: value}).code is False


@pytest.mark.parametrize("value", ["true", "1", ""])
def test_the_environment_leaves_code_allowed(value):
    assert policy_from_environment({ENVIRONMENT_CODE: value}).code is True


def test_the_environment_names_folders_as_path_does():
    listed = os.pathsep.join(["/a", " /b ", ""])

    assert policy_from_environment({ENVIRONMENT_FOLDERS: listed}).folders == ("/a", "/b")


def test_an_empty_list_of_folders_is_no_folder_at_all():
    assert policy_from_environment({ENVIRONMENT_FOLDERS: ""}).folders == ()


def test_the_strictest_refuses_code_where_either_does():
    assert strictest(Policy(code=False), Policy()).code is False
    assert strictest(Policy(), Policy(code=False)).code is False
    assert strictest(Policy(), Policy()).code is True


def test_the_strictest_writes_where_both_do(tmp_path):
    outer, inner, other = tmp_path, tmp_path / "inner", tmp_path / "other"
    one, two = Policy(folders=(str(outer),)), Policy(folders=(str(inner), "/elsewhere"))

    assert strictest(one, two).folders == strictest(two, one).folders == (str(inner),)
    assert strictest(Policy(), one).folders == strictest(one, Policy()).folders == (str(outer),)
    assert strictest(Policy(folders=(str(inner),)), Policy(folders=(str(other),))).folders == ()


def test_a_folder_whose_name_begins_alike_is_another(tmp_path):
    set_policy(Policy(folders=(str(tmp_path / "out"),)))

    permit_write(str(tmp_path / "out" / "deep" / "x.png"))
    with pytest.raises(Fault, match="outside") as caught:
        permit_write(str(tmp_path / "outside" / "x.png"))
    assert (caught.value.code, caught.value.outcome) == ("forbidden", "not_executed")


def test_a_link_out_of_the_folder_is_out_of_it(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path)
    set_policy(Policy(folders=(str(tmp_path / "out"),)))

    with pytest.raises(Fault, match="outside"):
        permit_write(str(tmp_path / "out" / "link" / "x.png"))


def test_refused_code_says_what_mends_it():
    set_policy(Policy(code=False))

    with pytest.raises(Fault, match="preferences"):
        permit_code()
