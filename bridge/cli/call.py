"""bpy-bridge call: one request, its result's JSON on standard output and nothing else."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from blender_addon.wire import Part
from bridge.client.blocking import Client
from bridge.errors import EXIT_USAGE

from . import output


def run(options: argparse.Namespace) -> int:
    """Call the method. Interrupted, it is cancelled in Blender too."""
    params = params_of(options)
    files = _files(options)
    show = _Progress() if sys.stderr.isatty() else None
    try:
        with Client(options.bridge) as client:
            result = client.call(
                options.method, params, instance=options.instance, timeout=options.timeout, on_event=show
            )
    finally:
        if show is not None:
            show.clear()
    output.print_json(result.value)
    return _save(result.parts, files)


def params_of(options: argparse.Namespace) -> dict[str, Any]:
    """What --json and NAME=VALUE say together. Exits with a usage line where they are wrong."""
    params: Any = {}
    if options.json is not None:
        try:
            params = _parse(options.json)
        except ValueError as error:
            options.parser.error(f"--json is not JSON: {error}")
        if not isinstance(params, dict):
            options.parser.error('--json must be an object, such as \'{"name": "Cube"}\'')
    for word in options.arguments:
        name, equals, text = word.partition("=")
        if not name or not equals:
            options.parser.error(f"{word!r} is not NAME=VALUE, such as name=Cube")
        try:
            params[name] = _parse(text)
        except ValueError:
            params[name] = text
    return dict(params)


def _parse(text: str) -> Any:
    return json.loads(text, parse_constant=_not_json)


def _not_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _files(options: argparse.Namespace) -> dict[str, Path]:
    """The parts to save, by name. What could not be written is refused before anything runs."""
    files = {}
    for word in options.save:
        part, equals, name = word.partition("=")
        if not part or not equals or not name:
            options.parser.error(f"--save {word!r} is not PART=FILE, such as image=picture.png")
        files[part] = path = Path(name).expanduser()
        if path.is_dir():
            options.parser.error(f"--save {word!r}: {path} is a directory")
        if not os.access(path.parent, os.W_OK):
            options.parser.error(f"--save {word!r}: the directory {path.parent} does not exist or cannot be written to")
    return files


def _save(parts: Mapping[str, Part], files: Mapping[str, Path]) -> int:
    code = 0
    for name, path in files.items():
        part = parts.get(name)
        if part is None:
            there_is = f"it has {', '.join(parts)}" if parts else "it has none"
            output.complain(f"--save {name}={path}: the result has no binary part {name!r}; {there_is}")
            code = EXIT_USAGE
            continue
        try:
            _write(path, part)
        except OSError as error:
            output.complain(f"--save {name}={path}: {error.strerror}; the request itself was carried out")
            code = EXIT_USAGE
    return code


def _write(path: Path, part: Part) -> None:
    """All of it or nothing: a reader never sees half a file."""
    import tempfile  # noqa: PLC0415  # for start-up time

    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(part.data)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        # An interrupt too must not leave the temporary file behind.
        os.unlink(temporary)
        raise


class _Progress:
    """Progress on one line of the terminal, log lines above it."""

    def __init__(self) -> None:
        self._shown = False

    def __call__(self, event: Mapping[str, Any]) -> None:
        self.clear()
        message = output.visible(str(event.get("message", ""))).replace("\n", " ")
        if event.get("event") == "progress":
            print(f"\r{_percent(event)} {message}"[:79], end="", file=sys.stderr, flush=True)
            self._shown = True
        else:
            print(message, file=sys.stderr)

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
            self._shown = False


def _percent(event: Mapping[str, Any]) -> str:
    done, total = event.get("progress"), event.get("total")
    if isinstance(done, (int, float)) and isinstance(total, (int, float)) and total > 0:
        return f"{100 * done / total:3.0f} %"
    return "  … "
