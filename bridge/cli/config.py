"""bpy-bridge config: what is set, where it was set and what it means; or what is wrong with it."""

from __future__ import annotations

import argparse

from bridge.config import Sources, check, list_settings, read_sources

from . import flags, output, tables

_TITLES = ("setting", "value", "source", "meaning")
_UNITS = "Times are seconds, sizes bytes. A flag wins over the environment, that over the file, that over the default."


def run(options: argparse.Namespace) -> int:
    """Show or check the settings. Raises ConfigurationError with a line for each thing that is wrong."""
    sources = read_sources(flags.settings_of(options), file=options.config)
    listed = list_settings(check(sources), sources)
    if options.action == "check":
        print(output.visible(f"the configuration is valid: {_origins(sources)}"))
    elif options.json:
        output.print_json(
            {
                "file": str(sources.file.path),
                "settings": [
                    {
                        "setting": setting.name,
                        "value": setting.value,
                        "source": setting.kind or "default",
                        "where": setting.where,
                        "meaning": setting.meaning,
                    }
                    for setting in listed
                ],
            }
        )
    else:
        rows = ([setting.name, setting.text, setting.where or "default", setting.meaning] for setting in listed)
        tables.console().print(tables.table(_TITLES, rows), "", _UNITS, sep="\n")
    return 0


def _origins(sources: Sources) -> str:
    count = len(sources.environment.names)
    file = f"the file {sources.file.path}" if sources.file.path.is_file() else f"no file {sources.file.path}"
    return f"{file}, {count or 'no'} environment variable{'' if count == 1 else 's'}"
