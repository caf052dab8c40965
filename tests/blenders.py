"""make test-blenders: the command tests against every Blender that can be had here, and the GUI tests.

    python tests/blenders.py [--python PATH]… [pytest arguments]

The wheels are installed in .venv-blenders/, once. What is not here is said, and is no failure. Exit codes: 0; 1, a test
failed, a wheel could not be installed, or nothing was tested.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
PLACE = ROOT / ".venv-blenders"
CONSTRAINTS = Path(__file__).with_name("blenders.txt")

# Each bpy has wheels for one Python only.
WHEELS = {"4.2.23": "3.11", "4.5.15": "3.11", "5.0.1": "3.11", "5.2.3": "3.13"}

COMMANDS, GUI = "tests/integration/commands", "tests/gui"
NOTHING_COLLECTED = 5


class Result(NamedTuple):
    """One line of the table. `said` is why it was not tested, "" where it was."""

    blender: str
    tests: str
    said: str = ""
    passed: int = 0
    failed: int = 0
    skipped: int = 0


def main() -> int:
    """Test what there is, print the table."""
    parser = argparse.ArgumentParser(prog="python tests/blenders.py", description=__doc__.partition("\n")[0])
    parser.add_argument("--python", action="append", default=[], metavar="PATH", help="a Python for wheels; repeatable")
    options, arguments = parser.parse_known_args()
    results = []
    for result in _results(options.python, arguments):
        results.append(result)
        print(f"{result.blender}, {result.tests}: {result.said or f'{result.failed} failed'}", flush=True)
    Console().print(_table(results))
    return int(any(result.failed for result in results) or not any(result.passed for result in results))


def _results(pythons: list[str], arguments: list[str]) -> Iterator[Result]:
    for version, needed in WHEELS.items():
        name = f"bpy {version}"
        python = _installed(version)
        try:
            python = python or _install(version, needed, pythons)
        except LookupError as why:
            yield Result(name, "commands", f"not here: {why}")
        except subprocess.CalledProcessError as error:
            yield Result(name, "commands", f"pip ended with {error.returncode}", failed=1)
        else:
            yield _test(name, "commands", COMMANDS, arguments, str(python))
    blender = shutil.which("blender")
    if blender is None:
        yield Result("blender", "commands", "not here: no blender on PATH (on Debian: apt-get install blender)")
    else:
        yield _test(_named(blender), "commands", COMMANDS, arguments, blender)
    lacking = [name for name in ("blender", "Xvfb") if shutil.which(name) is None]
    if lacking:
        yield Result("blender", "GUI", f"not here: no {' and no '.join(lacking)} (apt-get install blender xvfb)")
    else:
        yield _test(_named(str(blender)), "GUI", GUI, arguments)


def _installed(version: str) -> Path | None:
    """A Python that has that bpy: one of ours, or the .venv's."""
    for python in (PLACE / version / "bin" / "python", Path(sys.executable)):
        code = "from importlib.metadata import version; print(version('bpy'))"
        if python.exists() and _output(str(python), "-c", code) == version:
            return python
    return None


def _install(version: str, needed: str, pythons: list[str]) -> Path:
    """Raises LookupError where there is no Python for it, CalledProcessError where pip fails."""
    candidates = [*pythons, sys.executable, f"python{needed}", "python3"]
    code = "import ensurepip, sys, venv; print('{}.{}'.format(*sys.version_info))"
    found = next((python for python in candidates if _output(python, "-c", code) == needed), None)
    if found is None:
        raise LookupError(f"no Python {needed} with venv (name one: --python PATH)")
    place = PLACE / version
    subprocess.run([found, "-m", "venv", "--clear", str(place)], check=True)
    python = place / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, f"bpy=={version}", "-c", str(CONSTRAINTS)], check=True)
    return python


def _named(blender: str) -> str:
    found = re.search(r"Blender (\S+)", _output(blender, "--version"))
    return f"{blender} {found[1]}" if found else blender


def _output(*command: str) -> str:
    """What it says; "" where it cannot be run or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _test(blender: str, tests: str, place: str, arguments: list[str], named: str | None = None) -> Result:
    variables = {**os.environ, **({"BPY_BRIDGE_TEST_BLENDER": named} if named else {})}
    with tempfile.TemporaryDirectory(prefix="bpy-bridge-") as directory:
        report = Path(directory) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "not soak", f"--junitxml={report}", *arguments, place]
        code = subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode
        if code == NOTHING_COLLECTED:
            return Result(blender, tests, "no test was chosen")
        if not report.exists():
            return Result(blender, tests, f"pytest ended with {code}", failed=1)
        [suite] = ET.parse(report).getroot().iter("testsuite")
    ran, failures, errors, skipped = (int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped"))
    # A test that passed and whose end failed counts as both a test and an error.
    failed = failures + errors
    return Result(blender, tests, "", max(ran - failed - skipped, 0), failed or int(code != 0), skipped)


def _table(results: list[Result]) -> Table:
    table = Table("Blender", "tests", "passed", "failed", "skipped")
    for result in results:
        if result.said:
            table.add_row(result.blender, result.tests, result.said, str(result.failed or ""), "")
        else:
            failed = f"[bold red]{result.failed}[/]" if result.failed else "0"
            table.add_row(result.blender, result.tests, str(result.passed), failed, str(result.skipped))
    return table


if __name__ == "__main__":
    sys.exit(main())
