"""What can be said of the Blenders that the bridge starts, and what is refused."""

from __future__ import annotations

import importlib.util
import math
import os
import sys

import pytest

from bridge.config import WorkerSettings

pytestmark = pytest.mark.usefixtures("home")


def test_a_worker_without_settings_is_one_fresh_embedded_blender():
    worker = WorkerSettings()
    assert (worker.blender, worker.start, worker.count, worker.on_demand, worker.hard_cancel) == (
        "bpy", "fresh", 1, False, False,
    )  # fmt: skip
    assert (worker.file, worker.env, worker.idle_exit, worker.max_memory, worker.max_requests) == (
        None, {}, None, None, None,
    )  # fmt: skip


def test_every_setting_of_a_worker_can_be_set_in_the_environment(load, tmp_path):
    (tmp_path / "a.blend").touch()
    values = {
        "blender": sys.executable, "file": str(tmp_path / "a.blend"), "count": "2", "start": "fresh",
        "on_demand": "true", "max_memory": "4GB", "hard_cancel": "true", "hung_after": "inf",
    }  # fmt: skip
    for name in set(WorkerSettings.model_fields) - {"env", "pool", "safety"}:
        value = values.get(name, "3")
        worker = load(**{f"WORKERS__W__{name.upper()}": value}).workers["w"]
        assert getattr(worker, name) != WorkerSettings.model_fields[name].default or value == "fresh", name


@pytest.mark.parametrize(
    ("text", "size"), [("4GB", 4 * 10**9), ("4 GiB", 4 << 30), ("1000", 1000), ("512MB", 512 * 10**6)]
)
def test_a_size_may_have_a_unit(load, text, size):
    assert load(WORKERS__W__MAX_MEMORY=text).workers["w"].max_memory == size


def test_a_time_may_be_infinite(load):
    assert load(WORKERS__W__IMPORT_TIMEOUT="inf").workers["w"].import_timeout == math.inf


def test_the_workers_variables_keep_their_case_and_their_underscores(load):
    worker = load(toml="workers.W.env.FILE = 'f'", WORKERS__W__ENV__Cycles__Home="/c").workers["W"]
    assert worker.env == {"Cycles__Home": "/c", "FILE": "f"}


def test_one_process_has_the_workers_name_and_several_are_numbered(load):
    workers = load(toml="workers = { a = {}, b.count = 3 }").workers
    assert workers["a"].names("a") == ["a"]
    assert workers["b"].names("b") == ["b-1", "b-2", "b-3"]


def test_a_numbered_process_has_the_settings_of_its_worker(load):
    settings = load(toml="pool.warm = 2\nworkers.b = { count = 3, pool.max_connections = 7 }\nworkers.c = {}")
    for name in ("b", "b-1", "b-3"):
        assert settings.worker_for(name) is settings.workers["b"]
        assert (settings.pool_for(name).max_connections, settings.pool_for(name).warm) == (7, 2)
    assert settings.worker_for("b-4") is None
    assert settings.worker_for("c") is settings.workers["c"]
    assert settings.pool_for("c").max_connections == 4


@pytest.mark.parametrize(
    "toml",
    [
        "workers = { w.count = 2, w-1.count = 1 }",
        "workers = { w-1.count = 1, w.count = 2 }",
        "workers.w.count = 2\ninstances.w-2.address = 'unix:/x'",
        "workers.w.count = 2\ninstances.w.address = 'unix:/x'",
    ],
)
def test_a_numbered_name_that_is_given_to_another_too_is_refused(refusal, toml):
    assert "workers, from the file" in refusal(toml=toml)
    assert "must not give one name to two Blenders, as it does 'w" in refusal(toml=toml)


def test_a_numbered_name_that_nobody_else_has_is_fine(load):
    assert len(load(toml="workers = { w.count = 2, w-3.count = 1 }").workers) == 2


def test_a_name_that_its_number_makes_too_long_is_refused(refusal, load):
    assert load(toml=f"workers.{'w' * 64} = {{}}").workers
    assert "at most 64 letters, their numbers included" in refusal(toml=f"workers.{'w' * 63}.count = 2")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"COUNT": "0"}, "must be greater than or equal to 1"),
        ({"COUNT": "257"}, "must be less than or equal to 256"),
        ({"START": "spoon"}, "must be 'fresh' or 'fork', not 'spoon'; for example BPY_BRIDGE_WORKERS__W__START=fresh"),
        ({"MAX_MEMORY": "big"}, "must be a number of bytes, with a unit or without, not 'big'; for example "),
        ({"MAX_MEMORY": ""}, "it is empty; for example BPY_BRIDGE_WORKERS__W__MAX_MEMORY=4GB"),
        ({"MAX_MEMORY": "0"}, "must be greater than 0"),
        ({"MAX_REQUESTS": "0"}, "must be greater than or equal to 1"),
        ({"MAX_RESTARTS": "-1"}, "must be greater than or equal to 0"),
        ({"IDLE_EXIT": "0"}, "must be greater than 0, not '0'; for example BPY_BRIDGE_WORKERS__W__IDLE_EXIT=600"),
        ({"HARD_CANCEL": "maybe"}, "must be a valid boolean, not 'maybe'; for example BPY_BRIDGE_WORKERS__W__HARD_CA"),
        ({"HUNG_AFTER": "2"}, "must be longer than ping_interval, which is 2; for example "),
        ({"PING_INTERVAL": "20"}, "workers.w.hung_after, which is not set: must be longer than ping_interval, which "),
        ({"ENV": "x"}, "it is a table of settings, not one value; for example BPY_BRIDGE_WORKERS__W__ENV__OCIO=/opt/"),
        ({"ENV__": "x"}, "it is empty"),
    ],
)
def test_a_wrong_value_is_refused_with_an_example(refusal, variables, said):
    line = refusal(**{f"WORKERS__W__{name}": value for name, value in variables.items()})
    assert line.startswith("workers.w.")
    assert said in line


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("max_memory = true", 'must be a number; for example [workers.w] max_memory = "4GB"'),
        ("hard_cancel = 3", "must be a valid boolean, not 3; for example [workers.w] hard_cancel = true"),
        ("env = 3", 'for example [workers.w.env] OCIO = "/opt/config.ocio"'),
        ("env = {'A=B' = 'x'}", "'A=B' is no name of an environment variable; for example [workers.w.env] OCIO = "),
        ('env = {A = "a\\u0000b"}', "must not hold a zero byte"),
    ],
)
def test_a_wrong_value_in_the_file_is_refused_with_an_example(refusal, toml, said):
    assert said in refusal(toml=f"[workers.w]\n{toml}")


def test_what_a_workers_variables_hold_is_not_printed(refusal):
    line = refusal(toml="workers.w.env.A = ['s3cret']")
    assert line.endswith('workers.w.env] A = "/opt/config.ocio"')
    assert "s3cret" not in line


def test_an_executable_cannot_be_forked(refusal):
    line = refusal(WORKERS__W__BLENDER=sys.executable, WORKERS__W__START="fork")
    assert f"must be fresh: only the bpy wheel can be forked, not the executable {sys.executable}" in line


def test_without_the_wheel_nothing_can_be_forked(refusal, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert "only the bpy wheel can be forked, and this Python has none" in refusal(WORKERS__W__START="fork")


def test_where_the_platform_cannot_fork_nothing_can_be_forked(refusal, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.delattr(os, "fork", raising=False)
    assert "this platform cannot fork" in refusal(WORKERS__W__START="fork")


def test_the_wheel_can_be_forked(load, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert load(WORKERS__W__START="fork").workers["w"].start == "fork"
