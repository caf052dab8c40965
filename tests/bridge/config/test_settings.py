"""Settings: which source wins, and what each mistake says."""

from __future__ import annotations

import dataclasses
import math
import re

import pytest

from bridge import paths
from bridge.config import Settings, load_settings
from bridge.errors import ConfigurationError
from bridge.pool import PoolSettings

pytestmark = pytest.mark.usefixtures("home")

TCP = {"instances": {"studio": {"address": "tcp:127.0.0.1:9"}}}


def test_without_any_source_there_are_defaults(load, home):
    settings = load()
    assert settings.listen == [f"unix:{home}/bridge.sock"]
    assert settings.pool_for("any") == PoolSettings()
    assert (settings.limits.max_payload, settings.limits.max_buffered, settings.drain_timeout) == (2**28, 2**30, 30)
    assert settings.door_token() is None


def test_flags_win_over_environment_over_file(load):
    toml = 'listen = "unix:/file"\ndrain_timeout = 1\n[pool]\nwarm = 2\nmax_waiting = 5'
    settings = load({"listen": ["unix:/flag"]}, toml=toml, LISTEN="unix:/env", POOL__WARM="3")
    assert settings.listen == ["unix:/flag"]
    assert (settings.pool_for("x").warm, settings.pool_for("x").max_waiting) == (3, 5)
    assert settings.drain_timeout == 1


def test_settings_made_by_hand_read_no_environment(monkeypatch):
    monkeypatch.setenv("DRAIN_TIMEOUT", "7")
    assert Settings(listen=["unix:/x"]).drain_timeout == 30


def test_every_setting_of_the_pool_can_be_set(load):
    for field in dataclasses.fields(PoolSettings):
        value = "0.5" if field.name == "lifetime_jitter" else "3"
        assert getattr(load(**{f"POOL__{field.name.upper()}": value}).pool_for("x"), field.name) == float(value)


def test_an_instance_overrides_the_pool_setting_by_setting(load):
    toml = (
        "pool.max_connections = 9\ninstances.a = { address = 'unix:/a', pool.max_waiting = 3 }\nworkers.w.pool.warm = 2"
    )
    settings = load(toml=toml)
    assert settings.pool_for("a") == PoolSettings(max_connections=9, max_waiting=3)
    assert settings.pool_for("w") == PoolSettings(max_connections=9, warm=2)
    assert settings.pool_for("other") == PoolSettings(max_connections=9)


def test_several_doors_in_one_variable_are_separated_by_commas(load):
    assert load(LISTEN="unix:/a, tcp:127.0.0.1:0").listen == ["unix:/a", "tcp:127.0.0.1:0"]


def test_a_relative_socket_path_is_made_absolute(load, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert load(LISTEN="unix:b.sock").listen == [f"unix:{tmp_path}/b.sock"]


def test_a_variable_finds_its_instance_whatever_the_case_of_its_name(load):
    settings = load({"instances": {"My-Studio": TCP["instances"]["studio"]}}, INSTANCES__MY_STUDIO__TOKEN="s3cret")
    assert settings.instances["My-Studio"].secret() == "s3cret"


def test_an_instance_that_only_the_environment_names_is_lower_case(load):
    assert load(INSTANCES__STUDIO__ADDRESS="unix:/s").instances["studio"].secret() is None


def test_an_instances_token_may_be_in_a_file(load, tmp_path):
    (tmp_path / "token").write_text(" s3cret\n")
    settings = load(TCP, INSTANCES__STUDIO__TOKEN_FILE=str(tmp_path / "token"))
    assert settings.instances["studio"].secret() == "s3cret"


def test_tcp_doors_get_the_environments_token_or_the_token_file(load):
    assert load({"listen": ["tcp:127.0.0.1:0"]}, TOKEN="s3cret").door_token() == "s3cret"
    assert load({"listen": ["tcp:127.0.0.1:0"]}, TOKEN="").door_token() == paths.read_token()


def test_secrets_are_not_printed(load, refusal):
    assert "s3cret" not in repr(load(TCP, INSTANCES__STUDIO__TOKEN="s3cret", TOKEN="s3cret"))
    assert "s3cret" not in refusal(TCP, INSTANCES__STUDIO__TOKEN__OOPS="s3cret")
    assert "s3cret" not in refusal(TCP, INSTANCES__STUDIO__TOKEN="s3cret", POOL__WARM="x")


def test_the_variables_that_say_where_the_bridge_is_are_no_settings(load):
    load(HOME="/anywhere", ADDRESS="unix:/x")


def test_a_mistake_is_one_line_with_the_setting_its_source_the_fault_and_an_example(refusal):
    assert refusal(POOL__MAX_CONNECTIONS="many") == (
        "pool.max_connections, from the environment variable BPY_BRIDGE_POOL__MAX_CONNECTIONS: "
        "must be a valid integer, not 'many'; for example BPY_BRIDGE_POOL__MAX_CONNECTIONS=4"
    )
    assert refusal(toml="pool.warm = 'x'") == (
        f"pool.warm, from the file {paths.config_file()}: must be a valid integer, not 'x'; for example [pool] warm = 1"
    )
    assert refusal({"workers": {"a b": {}}}, toml="") == (
        "workers.a b, from the flag --worker: 'a b' is no name: up to 64 letters, digits, '.', '_' and '-'; "
        "for example --worker studio"
    )


def test_each_mistake_has_its_line(refusal):
    assert len(refusal(POOL__WARM="", DRAIN_TIMEOUT="0", toml="log.level = 'loud'").splitlines()) == 3


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"POOL__WARM": ""}, "it is empty"),
        ({"POOL__MAX_WAITING": "0"}, "greater than or equal to 1"),
        ({"POOL__IDLE_TIMEOUT": "nan"}, "greater than 0"),
        ({"POOL": "3"}, "a table of settings.*BPY_BRIDGE_POOL__MAX_CONNECTIONS=4"),
        ({"POOL": "3", "POOL__WARM": "2"}, "unset one"),
        ({"INSTANCES": "x"}, "BPY_BRIDGE_INSTANCES__STUDIO__ADDRESS=unix:"),
        ({"LISTEN": "foo"}, "'foo' is not an address: write unix:"),
        ({"LISTEN": "tcp:0.0.0.0:9870"}, r"must be on this machine, as tcp:127\.0\.0\.1:9870"),
        ({"LISTEN": "tcp:example.org:9870"}, "must be on this machine"),
        ({"LISTEN": "unix:/" + "x" * 120}, "121 bytes"),
        ({"LIMITS__MAX_PAYLOAD": str(2**32)}, "less than 4294967296"),
        ({"LIMITS__MAX_BUFFERED": "5"}, r"at least twice limits\.max_payload"),
        ({"LOG__LEVEL": "loud"}, "'debug', 'info', 'warning' or 'error', not 'loud'"),
        ({"WORKERS__W__BLENDER": "/no/blender"}, "executable Blender"),
        ({"WORKERS__W__FILE": "/no/file.blend"}, r"there is no /no/file\.blend"),
        ({"INSTANCES__S__TOKEN": "s3cret"}, r"instances\.s\.address, which is not set: it is required"),
        ({"INSTANCES__S__ADDRESS": "tcp:127.0.0.1:0"}, "must name the port"),
        ({"INSTANCES__S__ADDRESS": "unix:/" + "x" * 120}, "121 bytes"),
    ],
)
def test_a_wrong_value_is_refused_at_start(refusal, variables, said):
    assert re.search(said, refusal(**variables))


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[pool\n", "is not TOML"),
        ("token = 's3cret'", "BPY_BRIDGE_TOKEN"),
        ("pool.max_connections = true", "must be a number"),
        ("listen = []", "must have at least 1 item, not []"),
        ("instances.a = 'unix:/x'", 'for example [instances.a] address = "unix:'),
        ("log = 3", '[log] level = "info"'),
        ("pool.acquire_timeout = -1", "acquire_timeout = 60"),
    ],
)
def test_a_wrong_file_is_refused_at_start(refusal, toml, said):
    assert said in refusal(toml=toml)


def test_a_tcp_instance_without_a_token_is_refused(refusal):
    line = refusal(TCP)
    assert line.startswith("instances.studio.token, which is not set: must be set, or token_file")
    assert "BPY_BRIDGE_INSTANCES__STUDIO__TOKEN=" in line


def test_a_token_beside_a_token_file_is_refused(refusal, tmp_path):
    (tmp_path / "token").write_text("other")
    assert "beside token_file" in refusal(
        TCP, INSTANCES__STUDIO__TOKEN="s3cret", INSTANCES__STUDIO__TOKEN_FILE=str(tmp_path / "token")
    )


@pytest.mark.parametrize(("content", "said"), [(b"\n", "is empty"), (b"\xff", "must be readable")])
def test_a_token_file_without_a_token_is_refused(refusal, tmp_path, content, said):
    (tmp_path / "token").write_bytes(content)
    assert said in refusal(TCP, INSTANCES__STUDIO__TOKEN_FILE=str(tmp_path / "token"))


def test_one_name_for_an_instance_and_a_worker_is_refused(refusal):
    assert "one name to two Blenders, as it does 'a'" in refusal(
        {"workers": {"a": {}}, "instances": {"a": {"address": "unix:/a"}}}
    )


@pytest.mark.parametrize(
    ("toml", "variables", "said"),
    [
        ("", {"POOL__MAX_CONECTIONS": "4"}, "did you mean BPY_BRIDGE_POOL__MAX_CONNECTIONS?"),
        ("", {"INSTANCES__A__ADRESS": "unix:/a"}, "did you mean BPY_BRIDGE_INSTANCES__A__ADDRESS?"),
        ("", {"COLOUR": "red"}, "BPY_BRIDGE_COLOUR is no setting: there are BPY_BRIDGE_LISTEN, "),
        ("limit.max_clients = 4", {}, "is no setting: did you mean limits?"),
        ("limits.max_client = 4", {}, "did you mean limits.max_clients?"),
        ("log.x.y = 4", {}, "there are log.level, log.format"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest_known(refusal, toml, variables, said):
    assert said in refusal(toml=toml, **variables)


def test_a_pool_that_does_not_fit_together_is_refused(refusal, monkeypatch):
    def never(_self):
        raise ValueError("they do not fit")

    monkeypatch.setattr(PoolSettings, "__post_init__", never)
    assert refusal() == "the pool settings: they do not fit"


def test_the_file_that_was_named_must_exist(tmp_path):
    with pytest.raises(ConfigurationError, match="there is no configuration file"):
        load_settings(file=tmp_path / "nothing.toml")


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(file=tmp_path)


def test_infinity_means_for_ever(load):
    assert load(POOL__MAX_LIFETIME="inf").pool_for("x").max_lifetime == math.inf


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("LISTEN", "", "it is empty; for example BPY_BRIDGE_LISTEN=unix:"),
        ("LISTEN", "unix:/a,,unix:/b", "it is empty; for example BPY_BRIDGE_LISTEN=unix:"),
        ("LISTEN", "unix:", "'unix:' names no socket file: write unix:"),
        ("LISTEN", "tcp:127.0.0.1", "needs a host and a port from 0 to 65535 (IPv6 in brackets): write unix:"),
        ("HTTP", "", "it is empty; for example BPY_BRIDGE_HTTP=tcp:"),
        ("HTTP", "http://127.0.0.1:99", "'http://127.0.0.1:99' is not an address: write "),
        ("HTTP", "tcp:0.0.0.0:99", "must be on this machine, as tcp:127.0.0.1:99"),
        ("INSTANCES__S__ADDRESS", "", "it is empty; for example BPY_BRIDGE_INSTANCES__S__ADDRESS=unix:"),
        ("INSTANCES__S__ADDRESS", "studio:9876", "'studio:9876' is not an address: write "),
        ("WORKERS__W__BLENDER", "", "it is empty; for example BPY_BRIDGE_WORKERS__W__BLENDER=/opt/"),
        ("WORKERS__W__FILE", "", "it is empty; for example BPY_BRIDGE_WORKERS__W__FILE=/home/"),
    ],
)
def test_an_empty_or_malformed_address_or_path_is_one_line_that_says_all(refusal, variable, value, said):
    [line] = refusal(**{variable: value}).splitlines()
    setting = variable.lower().replace("__", ".")
    assert line.startswith(f"{setting}, from the environment variable BPY_BRIDGE_{variable}: ")
    assert said in line


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("listen = ['unix:/a', '']", 'listen, from the file FILE: it is empty; for example listen = "unix:'),
        ("listen = 5", 'must be a valid list, not 5; for example listen = "unix:'),
        ("http = 3", 'http, from the file FILE: must be a valid string, not 3; for example http = "tcp:'),
        (
            "instances.a = { address = 'unix:/x', token_file = '' }",
            'instances.a.token_file, from the file FILE: it is empty; for example [instances.a] token_file = "/home/',
        ),
        (
            "instances.a = { address = 'unix:/x', token_file = '/no' }",
            'must be an existing file; there is no /no; for example [instances.a] token_file = "/home/',
        ),
        ("workers.w.file = '/'", "must be a file, and / is a directory; for example [workers.w] file = "),
    ],
)
def test_so_it_is_in_the_file(refusal, toml, said):
    [line] = refusal(toml=toml).splitlines()
    assert said.replace("FILE", str(paths.config_file())) in line
