"""The settings: valid, or a finding for each mistake; the other checks go on with the defaults."""

from __future__ import annotations

from bridge import paths
from bridge.config import Settings
from bridge.doctor import Place
from bridge.doctor.configuration import settings


def test_valid_settings_are_fine(home):
    [finding] = settings(Place.here())
    assert (finding.level, finding.what) == ("ok", f"the settings are valid; there is no file {home}/config.toml")


def test_the_file_that_was_named_is_read(tmp_path):
    (tmp_path / "mine.toml").write_text("drain_timeout = 3")
    place = Place.here(config=tmp_path / "mine.toml")
    assert place.settings.drain_timeout == 3
    assert f"there is the file {tmp_path}/mine.toml" in next(settings(place)).what


def test_each_mistake_is_a_finding_with_its_example(private):
    paths.config_file().write_text("drain_timeout = 0\npool.worm = 3")
    place = Place.here()
    assert [(finding.level, finding.fix) for finding in settings(place)] == [
        ("broken", "change it as that says"),
        ("broken", "write, for example, drain_timeout = 30"),
    ]
    assert "did you mean pool.warm?" in next(settings(place)).what
    assert place.settings == Settings()


def test_a_file_that_is_no_toml_is_a_finding(private):
    paths.config_file().write_text("[")
    assert "is not TOML" in next(settings(Place.here())).what


def test_a_home_too_deep_for_a_socket_keeps_no_check_from_running(monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_HOME", "/tmp/" + "d" * 120)
    place = Place.here()
    assert "107 is the most" in next(settings(place)).what
    assert place.settings.listen == ["tcp:127.0.0.1:9870"]


def test_a_name_that_is_none_is_found_once(monkeypatch, home):
    monkeypatch.setenv("BPY_BRIDGE_NAME", "a b")
    [finding] = settings(Place.here())
    assert finding.what.startswith("'a b' is no name for a bridge")
