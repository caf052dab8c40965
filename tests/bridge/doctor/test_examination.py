"""Checks run at the same time, in bounded time, and whatever they do is a finding."""

from __future__ import annotations

import threading

from bridge.doctor import CHECKS, examine
from bridge.doctor.examination import Check
from bridge.doctor.finding import broken, ok
from bridge.errors import ConfigurationError


def test_reports_come_in_the_order_of_the_checks(place):
    second = threading.Event()

    def waits(_place):
        assert second.wait(10)
        yield ok("first")

    def goes(_place):
        second.set()
        yield ok("second")
        yield broken("third", "so")

    reports = examine(place(), [Check("a", waits), Check("b", goes)])
    assert [(report.check, [finding.what for finding in report.findings]) for report in reports] == [
        ("a", ["first"]), ("b", ["second", "third"]),
    ]  # fmt: skip


def test_a_check_that_raises_is_a_finding(place):
    def fails(_place):
        yield ok("so far")
        raise ZeroDivisionError("no\nway")

    [report] = examine(place(), [Check("a", fails)])
    assert [(finding.level, finding.what) for finding in report.findings] == [
        ("warning", "this could not be examined: ZeroDivisionError: no")
    ]


def test_what_is_ours_to_explain_is_said_as_it_is(place):
    def fails(_place):
        raise ConfigurationError("the name is wrong")

    [report] = examine(place(), [Check("a", fails)])
    assert report.findings == [broken("the name is wrong", "mend that, and try again")]


def test_a_check_that_hangs_is_a_finding_and_keeps_nobody(place):
    never = threading.Event()
    [report] = examine(place(), [Check("a", lambda _place: never.wait(60) or [], seconds=0.05)])
    never.set()
    assert report.findings[0].level == "warning"
    assert "not be examined within 0.05 seconds" in report.findings[0].what


def test_all_that_is_found_has_one_line_and_a_fix_where_it_is_not_well(place, private):
    for report in examine(place(), CHECKS):
        assert report.findings, report.check
        for finding in report.findings:
            assert len(finding.what.splitlines()) == 1
            assert len(finding.fix.splitlines()) == (0 if finding.level == "ok" else 1)
            assert "could not be examined" not in finding.what
