"""Results on standard output, errors in a few lines on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

from bridge.errors import BridgeError, RequestError

_OUTCOMES = {
    "not_executed": "nothing was run",
    "failed": "it ran and failed; what it did before may remain",
    "unknown": "whether it ran is not known",
}


def print_json(value: Any) -> None:
    """One JSON value: laid out for a person at a terminal, else on one line."""
    indent = 2 if sys.stdout.isatty() else None
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        print(text)
    except UnicodeEncodeError:
        print(json.dumps(value, indent=indent))


def complain(text: str) -> None:
    """One or a few lines on standard error."""
    print(f"bpy-bridge: {visible(text)}", file=sys.stderr)


def report(error: BridgeError) -> None:
    """An error for a person: its code and message, what is known of the effects, and what helps to mend it."""
    if not isinstance(error, RequestError):
        complain(str(error))
        return
    complain(f"{error.code}: {error.message}")
    for line in _particulars(error.data):
        if line not in error.message:
            print(f"  {visible(line)}", file=sys.stderr)
    print(f"  outcome: {error.outcome} ({_OUTCOMES[error.outcome]})", file=sys.stderr)


def visible(text: str) -> str:
    """The text without control characters: what comes from Blender must not drive the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)


def _particulars(data: dict[str, Any]) -> list[str]:
    problems = (problem for problem in _items(data.get("problems")) if isinstance(problem, dict))
    lines = [f"{problem.get('param')}: {problem.get('problem')}" for problem in problems]
    if nearest := _items(data.get("nearest")):
        lines.append(f"nearest: {', '.join(map(str, nearest))}")
    named = ("last_error", "retry_after", "reference")
    lines.extend(f"{name.replace('_', ' ')}: {data[name]}" for name in named if data.get(name) is not None)
    lines.extend(f"{name}:\n{_indented(data[name])}" for name in ("stdout", "traceback") if data.get(name))
    return lines


def _indented(text: Any) -> str:
    return "".join(f"    {line}" if line.strip() else line for line in str(text).rstrip().splitlines(keepends=True))


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
