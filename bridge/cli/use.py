"""bpy-bridge use: the Blender that is meant where none is named."""

from __future__ import annotations

import argparse

from bridge.client.blocking import Client

from . import output

_TIMEOUT = 10.0


def run(options: argparse.Namespace) -> int:
    """Choose it, or nobody, and say who is meant now. Raises Refused for a name that there isn't."""
    with Client(options.bridge) as client:
        used = client.call("bridge.use", {"name": options.instance}, timeout=_TIMEOUT).value
    if options.json:
        output.print_json(used)
    elif used["chosen"] is not None:
        print(output.visible(f"requests that name no Blender go to {used['chosen']} now"))
    elif used["name"] is not None:
        print(output.visible(f"no Blender is chosen; requests that name none go to {used['name']}"))
    else:
        print("no Blender is chosen; requests have to name one")
    return 0
