"""bpy-bridge doctor: findings for people and for programs, and its exit code."""

from __future__ import annotations

import json

import pytest

from bridge.cli import doctor
from bridge.doctor import Place
from bridge.doctor.examination import Check
from bridge.doctor.finding import broken, ok, warning

WELL = Check("well", lambda _place: [ok("it is as it should be")])
WORN = Check("worn", lambda _place: [warning("it is old", "renew it")])
WRONG = Check("wrong", lambda _place: [broken("it is \x1b[31min\ntwo", "mend it")])


@pytest.fixture
def diagnose(run, monkeypatch):
    """diagnose(checks, *argv): the command, with these checks."""

    def diagnose(checks, *argv):
        monkeypatch.setattr(doctor, "CHECKS", checks)
        return run("doctor", *argv)

    return diagnose


def test_every_finding_is_a_line_with_its_fix_below(diagnose):
    code, out, err = diagnose([WELL, WORN])
    assert (code, err) == (0, "")
    assert [line.split() for line in out.splitlines()] == [
        ["ok", "well", "it", "is", "as", "it", "should", "be"],
        ["warning", "worn", "it", "is", "old"],
        ["fix:", "renew", "it"],
        [],
        ["1", "warning,", "1", "ok"],
    ]


def test_what_is_broken_makes_the_exit_code_1(diagnose):
    assert diagnose([WRONG, WELL])[0] == 1
    assert diagnose([WORN, WELL])[0] == 0


def test_outside_of_a_terminal_there_is_neither_colour_nor_what_a_finding_smuggles_in(diagnose):
    out = diagnose([WRONG])[1]
    assert "\x1b" not in out
    assert "it is \\x1b[31min two" in out


def test_json_has_every_finding_and_the_numbers(diagnose):
    code, out, _ = diagnose([WELL, WRONG], "--json")
    assert code == 1
    assert json.loads(out) == {
        "ok": 1, "warning": 0, "broken": 1,
        "findings": [
            {"check": "well", "level": "ok", "what": "it is as it should be", "fix": None},
            {"check": "wrong", "level": "broken", "what": "it is \x1b[31min\ntwo", "fix": "mend it"},
        ],
    }  # fmt: skip


def test_the_file_that_was_named_is_examined(diagnose, tmp_path):
    def settings(place: Place):
        yield ok(f"drained in {place.settings.drain_timeout}")

    (tmp_path / "mine.toml").write_text("drain_timeout = 7")
    assert "drained in 7.0" in diagnose([Check("a", settings)], "--config", str(tmp_path / "mine.toml"))[1]


def test_wrong_settings_are_findings_and_not_the_end(run, home):
    home.mkdir(mode=0o755)
    (home / "config.toml").write_text("drain_timeout = 0")
    code, out, _ = run("doctor", "--json")
    found = {(finding["check"], finding["level"]) for finding in json.loads(out)["findings"]}
    assert code == 1
    assert ("configuration", "broken") in found
    assert ("directories", "warning") in found
    assert ("python", "ok") in found


def test_the_flags_of_serve_are_examined_as_it_would_take_them(diagnose):
    def doors(place: Place):
        yield ok(f"{place.settings.listen} {place.mistakes}")

    assert "['unix:/tmp/x.sock'] ()" in diagnose([Check("a", doors)], "--listen", "unix:/tmp/x.sock")[1]
    assert "from the flag --http: " in diagnose([Check("a", doors)], "--http", "x")[1]
