"""bpy-bridge logs: what the bridge in the background logged, and what it logs."""

from __future__ import annotations

import argparse

from bridge import paths
from bridge.daemon.logs import follow, last_lines
from bridge.errors import ConfigurationError

from . import output


def run(options: argparse.Namespace) -> int:
    """Print the last lines; following, each new one until Ctrl-C."""
    path = paths.log_file()
    bridge = paths.running()
    if bridge is not None and bridge.log is None:
        output.complain(
            f"the bridge that runs (process {bridge.pid}) logs elsewhere: this is what an earlier one logged"
        )
    try:
        for line in follow(path, options.lines) if options.follow else last_lines(path, options.lines):
            print(output.visible(line), flush=options.follow)
    except KeyboardInterrupt:
        return 0
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no log {path}: `bpy-bridge start` makes one; a bridge that systemd runs logs to the journal, "
            "see `journalctl --user`"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"the log {path} cannot be read: {error.strerror}") from error
    return 0
