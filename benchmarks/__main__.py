"""python -m benchmarks: run the rows, print the table, write the report."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import json
import os
import pkgutil
import platform
import sys
from pathlib import Path
from typing import Any

import trio
from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks.harness import ROWS, Row, Unmeasurable


def main() -> int:
    """Exit code 0 where every row was measured or is unmeasurable here, 2 where no row has the name asked for."""
    arguments = _parse()
    _load_topics()
    rows = [row for row in ROWS if arguments.row.lower() in row.name.lower()]
    if not rows:
        print(f"no row is named like {arguments.row!r}; --list shows them all", file=sys.stderr)
        return 2
    if arguments.list:
        print("\n".join(row.name for row in rows))
        return 0
    results = [_run(row) for row in rows]
    Console().print(_table(results))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(_report(results), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=benchmarks.__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")
    parser.add_argument("--row", default="", metavar="NAME", help="run the rows whose name contains this")
    parser.add_argument("--list", action="store_true", help="print the rows' names and run nothing")
    return parser.parse_args()


def _load_topics() -> None:
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name not in ("__main__", "scraper"):
            importlib.import_module(f"benchmarks.{module.name}")


def _run(row: Row) -> dict[str, Any]:
    result = {"name": row.name, "value": None, "unit": row.unit, "limit": row.limit, "better": row.better}
    try:
        value = row.measure()
    except Unmeasurable as why:
        return {**result, "ok": None, "note": str(why)}
    print(f"{row.name}: {value:.3g} {row.unit}", file=sys.stderr, flush=True)
    return {**result, "value": round(value, 4), "ok": row.met_by(value)}


def _table(results: list[dict[str, Any]]) -> Table:
    table = Table("what", "value", "unit", "limit", "met")
    for result in results:
        value = result.get("note") or f"{result['value']:.3g}"
        bound = "≤" if result["better"] == "lower" else "≥"
        met = {True: "yes", False: "[bold red]no[/]", None: "-"}[result["ok"]]
        table.add_row(result["name"], value, result["unit"], f"{bound} {result['limit']:g}", met)
    return table


def _report(results: list[dict[str, Any]]) -> dict[str, Any]:
    machine = {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "trio": trio.__version__,
    }
    return {"rows": results, "machine": machine, "date": dt.datetime.now(dt.UTC).isoformat("T", "seconds")}


if __name__ == "__main__":
    sys.exit(main())
