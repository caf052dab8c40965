"""Every setting with its value, where that was set, and what it means."""

from __future__ import annotations

import json

import pytest

from bridge import paths
from bridge.config import Settings, WorkerSettings, check, list_settings, read_sources

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def listed(home):
    """listed(flags, toml=…, NAME=value): the settings by name."""

    def listed(flags=None, *, toml="", **variables):
        paths.ensure_private(home)
        paths.config_file().write_text(toml)
        environment = {f"BPY_BRIDGE_{name}": value for name, value in variables.items()}
        sources = read_sources(flags, environment=environment)
        return {setting.name: setting for setting in list_settings(check(sources), sources)}

    return listed


def source(setting):
    return setting.value, setting.kind, setting.where


def test_each_value_says_where_it_was_set(listed, home):
    found = listed(
        {"listen": ["unix:/flag"]}, toml="drain_timeout = 3\npool.warm = 2\nlisten = 'unix:/f'", POOL__WARM="3"
    )
    assert source(found["listen"]) == (["unix:/flag"], "flag", "--listen")
    assert source(found["pool.warm"]) == (3, "environment variable", "BPY_BRIDGE_POOL__WARM")
    assert source(found["drain_timeout"]) == (3, "file", str(home / "config.toml"))
    assert source(found["pool.max_waiting"]) == (256, None, None)


def test_every_setting_is_there_and_has_a_meaning(listed):
    found = listed()
    tops = {name.split(".")[0] for name in found}
    assert tops == set(Settings.model_fields)
    assert {name.removeprefix("workers.default.") for name in found if name.startswith("workers.")} == (
        set(WorkerSettings.model_fields) - {"pool", "safety"}
    )
    assert [name for name, setting in found.items() if not setting.meaning] == []


def test_a_blender_of_its_own_is_listed_where_no_other_is_named(listed):
    assert "workers.default.blender" in listed()
    assert "workers.default.blender" not in listed(toml="workers.w = {}")
    assert "workers.default.blender" not in listed(INSTANCES__S__ADDRESS="unix:/s")


def test_of_a_blenders_pool_only_what_it_sets_itself_is_listed(listed):
    found = listed(toml="workers.w.pool.warm = 2")
    assert found["workers.w.pool.warm"].value == 2
    assert "workers.w.pool.max_waiting" not in found


def test_secrets_are_blackened(listed):
    found = listed(
        TOKEN="s3cret", INSTANCES__S__ADDRESS="tcp:127.0.0.1:9", INSTANCES__S__TOKEN="s3cret",
        WORKERS__W__ENV__PASSWORD="s3cret",
    )  # fmt: skip
    assert {setting.text for setting in found.values() if "token" in setting.name} == {"********", "-"}
    assert found["workers.w.env.PASSWORD"].text == "********"
    assert "s3cret" not in repr(found)


def test_that_a_secret_is_not_set_is_no_secret(listed):
    assert (listed()["token"].value, listed()["token"].text) == (None, "-")
    assert listed()["workers.default.env"].text == "-"


def test_values_are_json_and_text(listed):
    found = listed(POOL__ACQUIRE_TIMEOUT="inf", WORKERS__W__MAX_MEMORY="2GB", LISTEN="unix:/a,unix:/b")
    assert json.loads(json.dumps([setting.value for setting in found.values()], allow_nan=False))
    assert found["pool.acquire_timeout"].text == "inf"
    assert found["workers.w.max_memory"].text == "2000000000"
    assert found["workers.w.hard_cancel"].text == "false"
    assert found["drain_timeout"].text == "30"
    assert found["listen"].text == "unix:/a, unix:/b"
