"""bpy-bridge mcp config | token. `bpy-bridge mcp` itself is bridge/relay.py, and does not come this way."""

from __future__ import annotations

import argparse
import json

from bridge import assistants, paths, relay

from . import output


def run(options: argparse.Namespace) -> int:
    """Do one of them; alone it relays, where flags kept `bpy-bridge mcp` from being known for what it is."""
    if options.action is None:
        return relay.main([])
    return _config(options) if options.action == "config" else _token()


def _config(options: argparse.Namespace) -> int:
    if options.write and options.client is None:
        options.parser.error("--write needs the assistant's name")
    known = assistants.assistants()
    assistant = known.get(options.client)
    name = assistants.entry_name(options.instance)
    server = assistants.entry(
        typed=assistant is None or assistant.typed, tools=options.tools, instance=options.instance
    )
    if assistant is None:
        print(json.dumps(assistants.configuration("mcpServers", name, server), ensure_ascii=False, indent=2))
        output.complain(f"so most assistants want it; for {', '.join(known)} there is more: name one")
    elif not options.write:
        print(json.dumps(assistants.configuration(assistant.table, name, server), ensure_ascii=False, indent=2))
        output.complain(f"this belongs into {assistant.file}; --write puts it there")
    else:
        _tell(assistant, assistants.write(assistant, name, server))
    return 0


def _tell(assistant: assistants.Assistant, written: assistants.Written) -> None:
    if not written.changed:
        print(f"{written.file} says so already, as {written.name}")
        return
    kept = "" if written.backup is None else f"; what it was is in {written.backup}"
    print(f"{assistant.title}: {written.file} has it as {written.name}{kept}; now {assistant.afterwards}")


def _token() -> int:
    print(paths.ensure_token(paths.mcp_token_file()))
    return 0
