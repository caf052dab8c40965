"""bpy-bridge doctor: what is wrong with this installation, and what mends it."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from bridge.doctor import CHECKS, Level, Place, Report, examine

from . import flags, output, tables

EXIT_BROKEN = 1

_STYLES: dict[Level, str] = {"ok": "green", "warning": "yellow", "broken": "bold red"}


def run(options: argparse.Namespace) -> int:
    """Examine everything; 1 if anything is broken."""
    reports = examine(Place.here(flags.settings_of(options), config=options.config), CHECKS)
    counts = Counter(finding.level for report in reports for finding in report.findings)
    if options.json:
        output.print_json(_as_object(reports, counts))
    else:
        _print(reports, counts)
    return EXIT_BROKEN if counts["broken"] else 0


def _as_object(reports: list[Report], counts: Counter[Level]) -> dict[str, object]:
    return {
        **{level: counts[level] for level in _STYLES},
        "findings": [
            {"check": report.check, **finding._asdict(), "fix": finding.fix or None}
            for report in reports
            for finding in report.findings
        ],
    }


def _print(reports: list[Report], counts: Counter[Level]) -> None:
    from rich.table import Table  # noqa: PLC0415  # for start-up time
    from rich.text import Text  # noqa: PLC0415  # for start-up time

    shown = Table(box=None, pad_edge=False, show_header=False)
    for report in reports:
        for finding in report.findings:
            what = Text(output.visible(finding.what).replace("\n", " "))
            if finding.fix:
                what.append(f"\nfix: {output.visible(finding.fix)}", style="dim")
            shown.add_row(Text(finding.level, style=_STYLES[finding.level]), report.check, what)
    tables.console().print(shown)
    numbers = [f"{counts[level]} {level}" for level in reversed(_STYLES) if counts[level]]
    print(f"\n{', '.join(numbers)}", file=sys.stdout)
