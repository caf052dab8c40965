"""bpy-bridge service: a unit for systemd, so that the bridge runs from login on and again when it fails."""

from __future__ import annotations

import argparse
import sys

from bridge import paths

from .serve import flags_of

_UNIT = """\
# Put it in ~/.config/systemd/user/{unit}.service, for example with
#   bpy-bridge service > ~/.config/systemd/user/{unit}.service
#   systemctl --user enable --now {unit}
[Unit]
Description=bpy-bridge {name}: a bridge between tools and Blender

[Service]
Type=notify
ExecStart={command}
{environment}Restart=on-failure
RestartSec=1
# A wrong setting, or no Blender: trying again does not mend that.
RestartPreventExitStatus=2 3
# It drains first; its Blenders are told by it.
KillMode=mixed
TimeoutStopSec=60
UMask=0077

[Install]
WantedBy=default.target
"""


def run(options: argparse.Namespace) -> int:
    """Print the unit, with the flags that were given."""
    name = paths.bridge_name()
    default = name == paths.DEFAULT_NAME
    named = [] if default else ["--name", name]
    words = [sys.executable, "-P", "-m", "bridge", "serve", *named, *flags_of(options)]
    home = paths.home()
    print(
        _UNIT.format(
            unit="bpy-bridge" if default else f"bpy-bridge-{name}",
            name=name,
            command=" ".join(map(_quoted, words)),
            environment=f"Environment={_quoted(f'BPY_BRIDGE_HOME={home}')}\n" if home is not None else "",
        ),
        end="",
    )
    return 0


def _quoted(word: str) -> str:
    """As systemd reads it: it splits at blanks, and has its own meaning for %, $, quotes and backslashes."""
    text = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$").replace('"', '\\"')
    return f'"{text}"' if not text or any(character in text for character in " \t'\"\\;#") else text
