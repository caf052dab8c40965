"""bpy-bridge mcp config | token. `bpy-bridge mcp` itself is bridge/relay.py, and does not come this way."""

from __future__ import annotations

import argparse

from bridge import assistants, paths, relay

from . import output


def run(options: argparse.Namespace) -> int:
    """Do one of them; alone it relays, where flags kept `bpy-bridge mcp` from being known for what it is."""
    if options.action is None:
        return relay.main([])
    return _config(options) if options.action == "config" else _token()


def _config(options: argparse.Namespace) -> int:
    assistant = assistants.assistants()[options.client]
    server = assistants.entry(assistant, tools=options.tools, instance=options.instance)
    if not options.write:
        output.print_json(assistants.configuration(assistant, server))
        output.complain(f"this belongs into {assistant.file}; --write puts it there")
        return 0
    written = assistants.write(assistant, server)
    if not written.changed:
        print(f"{written.file} says so already")
        return 0
    kept = "" if written.backup is None else f"; what it was is in {written.backup}"
    print(f"{assistant.title}: {written.file} is written{kept}; now {assistant.afterwards}")
    return 0


def _token() -> int:
    print(paths.ensure_token(paths.mcp_token_file()))
    return 0
