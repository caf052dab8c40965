"""The flags of `bpy-bridge jobs`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

_ACTIONS = {
    "submit": "submit work that takes long, and print its id",
    "list": "show the jobs, newest first",
    "show": "show all about one job",
    "cancel": "cancel a job; where it runs, its Blender is ended",
    "retry": "begin a failed or cancelled job anew",
    "watch": "show how far a job is until it has ended; exit code 4 where it has not completed",
    "stats": "count the jobs in each state",
    "pause": "begin no more jobs until resume; what runs goes on",
    "resume": "begin jobs again",
    "kinds": "list the kinds of job, or describe one",
}
_STATES = ["pending", "processing", "completed", "failed", "cancelled"]

Add = Callable[[argparse.ArgumentParser], None]


def add_flags(
    jobs: argparse.ArgumentParser,
    command: Callable[..., argparse.ArgumentParser],
    bridge: Add,
    seconds: Callable[[str], float],
) -> None:
    """Each action with its own; the last three are how `arguments` does it everywhere."""
    actions = jobs.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, purpose in _ACTIONS.items():
        action = command(actions, name, purpose)
        if name == "submit":
            _submit(action, seconds)
        else:
            if name == "list":
                _list(action)
            elif name in ("show", "cancel", "retry", "watch"):
                action.add_argument("job", metavar="ID", help="as submit printed it; `bpy-bridge jobs list` has them")
            elif name == "kinds":
                action.add_argument("kind", nargs="?", metavar="KIND", help="the one to describe")
            form = "one object a line at each change" if name == "watch" else "the answer"
            action.add_argument("--json", action="store_true", help=f"print {form} as JSON")
        bridge(action)


def _submit(submit: argparse.ArgumentParser, seconds: Callable[[str], float]) -> None:
    submit.add_argument("kind", metavar="KIND", help="such as render.animation; `bpy-bridge jobs kinds` lists them")
    submit.add_argument(
        "arguments", nargs="*", metavar="NAME=VALUE", help="a parameter: JSON where it parses, else a string"
    )
    submit.add_argument(
        "--json",
        metavar="PARAMS",
        help="parameters as a JSON object, @FILE or - to read it from a file or standard input; NAME=VALUE wins",
    )
    submit.add_argument("--key", metavar="KEY", help="an idempotency key: submitted again, it is the same job")
    submit.add_argument("--priority", type=int, metavar="N", help="lower is earlier (default: 0)")
    submit.add_argument("--delay", type=seconds, metavar="S", help="not before so many seconds from now")
    submit.add_argument("--max-errors", type=int, metavar="N", help="it has failed after so many errors (default: 3)")
    submit.add_argument(
        "--retention",
        type=seconds,
        metavar="S",
        help="remove it and its files so long after its end (default: 30 days)",
    )
    submit.add_argument("--instance", metavar="NAME", help="whose open scene it is, where no blend is given")


def _list(listing: argparse.ArgumentParser) -> None:
    listing.add_argument("--state", choices=_STATES, help="only those in this state")
    listing.add_argument("--kind", metavar="KIND", help="only those of this kind")
    listing.add_argument("-n", "--limit", type=int, default=20, metavar="N", help="how many at most (default: 20)")
    listing.add_argument("--before", metavar="ID", help="only those older than this one")
