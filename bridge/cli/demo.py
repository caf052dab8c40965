"""bpy-bridge demo: what the bridge does, in half a minute."""

from __future__ import annotations

import argparse

from bridge.demo import run_demo
from bridge.errors import ConfigurationError


def run(options: argparse.Namespace) -> int:
    """Run the demonstration; its picture goes to --out, which is made if it is missing."""
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--out {options.out} cannot be used: {error.strerror}") from error
    run_demo(options.out)
    return 0
