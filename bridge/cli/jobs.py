"""bpy-bridge jobs: work that takes long, submitted, shown, cancelled, watched."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from bridge import reference
from bridge.client.blocking import Client
from bridge.errors import Refused

from . import call, job_watch, output, tables

_TIMEOUT = 30.0
# A copy of the open scene is made first, once its Blender is free.
_SUBMIT_TIMEOUT = 300.0
_TITLES = ("id", "kind", "state", "phase", "progress", "age", "errors")
_FLAGS = ("key", "priority", "delay", "max_errors", "retention")
_LINES = 20


def run(options: argparse.Namespace) -> int:
    """Do it, and print the answer; of submit the id alone."""
    if options.action == "submit":
        return _submit(options)
    if options.action == "watch":
        return job_watch.watch(options.bridge, options.job, as_json=options.json)
    with Client(options.bridge) as client:
        answer = client.call(f"jobs.{_METHODS.get(options.action, options.action)}", _params(options), timeout=_TIMEOUT)
    value = answer.value
    if options.action == "kinds" and options.kind is not None:
        value = _kind(options.kind, value)
    if options.json:
        output.print_json(value)
    else:
        _SHOW[options.action](value)
    return 0


_METHODS = {"show": "get"}


def _params(options: argparse.Namespace) -> dict[str, Any]:
    if options.action == "list":
        asked = {name: getattr(options, name) for name in ("state", "kind", "limit", "before")}
        return {name: value for name, value in asked.items() if value is not None}
    return {"id": options.job} if "job" in options else {}


def _submit(options: argparse.Namespace) -> int:
    options.json = _text(options)
    flags = {name: getattr(options, name) for name in _FLAGS}
    params = {
        "kind": options.kind,
        "params": call.params_of(options),
        **{name: value for name, value in flags.items() if value is not None},
    }
    with Client(options.bridge) as client:
        job = client.call("jobs.submit", params, instance=options.instance, timeout=_SUBMIT_TIMEOUT).value
    print(job["id"])
    return 0


def _text(options: argparse.Namespace) -> str | None:
    """The JSON that is meant: itself, a file's, or what comes in."""
    text: str | None = options.json
    try:
        if text == "-":
            return sys.stdin.read()
        if text is not None and text.startswith("@"):
            return Path(text[1:]).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        options.parser.error(f"--json {text}: {error}")
    return text


def _kind(name: str, kinds: list[dict[str, Any]]) -> dict[str, Any]:
    for kind in kinds:
        if kind["name"] == name:
            return kind
    raise Refused(f"there is no kind of job {name!r}", data={"nearest": [kind["name"] for kind in kinds]})


def _show_page(page: dict[str, Any]) -> None:
    console = tables.console()
    console.print(tables.table(_TITLES, map(_row, page["jobs"])))
    if page["next_before"]:
        console.print(f"there are more: --before {page['next_before']}")


def _row(job: dict[str, Any]) -> list[str]:
    age = tables.duration(max(0.0, time.time() - job["created_at"]))
    phase = str(job["phase"] or "-") if job["state"] == "processing" else "-"
    known = [job["id"], job["kind"], job["state"], phase, job_watch.share(job), age]
    return [*map(str, known), str(job["errors"])]


def _show_job(job: dict[str, Any]) -> None:
    """Its columns that say something, its files and its error."""
    hidden = {"id", "kind", "state", "result", "error", "params", "progress"}
    print(f"{job['id']}  {job['kind']}  {job['state']}")
    for name, value in job.items():
        if name not in hidden and value not in (None, 0, False):
            print(f"  {name}: {output.visible(_said(name, value))}")
    for name in ("params", "progress"):
        for key, value in (job[name] or {}).items():
            print(f"  {name}.{key}: {output.visible(str(value))}")
    _show_result(job["result"] or {})
    if job["error"]:
        print("\n".join(error_lines(job["error"])))


def _said(name: str, value: Any) -> str:
    if name.endswith("_at"):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(value))
    return tables.duration(value) if name in ("retention", "phase_timeout") else str(value)


def _show_result(result: dict[str, Any]) -> None:
    for name, value in result.items():
        if name != "files" and value not in (None, ""):
            print(f"  {name}: {output.visible(str(value))}")
    for file in result.get("files", ())[:_LINES]:
        print(f"    {output.visible(file['name'])}  {file['bytes']} bytes")
    if (more := result.get("file_count", 0) - _LINES) > 0:
        print(f"    … and {more} more")


def error_lines(error: dict[str, Any]) -> list[str]:
    """What went wrong, and what Blender or a script printed last."""
    data = error.get("data") or {}
    said = data.get("output") or str(data.get("traceback") or "").splitlines()
    lines = [f"  error: {error.get('code')}: {error.get('message')}", *(f"    {line}" for line in said[-_LINES:])]
    return [output.visible(line) for line in lines]


def _show_stats(stats: dict[str, Any]) -> None:
    counts = ", ".join(f"{count} {state}" for state, count in stats["jobs"].items())
    print(f"{counts}; {stats['running_here']} running here{'; paused' if stats['paused'] else ''}")


def _show_kinds(kinds: Any) -> None:
    if isinstance(kinds, dict):
        _describe(kinds)
        return
    width = max(len(kind["name"]) for kind in kinds)
    for kind in kinds:
        print(f"{kind['name']:<{width}}  {output.visible(reference.first_line(kind['doc']))}")


def _describe(kind: dict[str, Any]) -> None:
    print(f"{kind['name']}\n\n{output.visible(kind['doc'])}\n")
    rows = reference.parameters(kind["params"])
    tables.console().print(tables.table(("parameter", "type", "default", "meaning"), rows))


_SHOW = {
    "list": _show_page,
    "show": _show_job,
    "cancel": _show_job,
    "retry": _show_job,
    "stats": _show_stats,
    "pause": _show_stats,
    "resume": _show_stats,
    "kinds": _show_kinds,
}
