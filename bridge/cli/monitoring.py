"""bpy-bridge monitoring: print what Prometheus and Grafana need to watch a bridge."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files

_FILES = {"rules": "rules.yml", "dashboard": "dashboard.json", "prometheus": "prometheus.yml"}


def run(options: argparse.Namespace) -> int:
    """Print the packaged file, as it is."""
    text = files("bridge").joinpath("monitoring", _FILES[options.file]).read_text(encoding="utf-8")
    sys.stdout.write(text)
    return 0
