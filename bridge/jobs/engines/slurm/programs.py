"""sbatch, squeue and scancel: everything that is known of how they are used.

Their plain output is read, not their JSON, which differs between versions, ignores --name in some, and is not there in
all. No accounting is needed: sacct is not used.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import trio

from bridge.config.slurm import SlurmSettings
from bridge.errors import BridgeError, Refused

_PROGRAMS = ("sbatch", "squeue", "scancel")
_PATIENCE = 30.0
# Ours are nobody's business on the nodes, and there are secrets among them. Slurm's own change what it lists and asks.
_NOT_PASSED_ON = ("BPY_BRIDGE_", "NOTIFY_SOCKET", "SQUEUE_", "SCANCEL_")
_FORMAT = "%F|%K|%T|%r"


class SlurmUnavailable(BridgeError):
    """Slurm does not answer: nothing is known of the array, and nothing was changed."""


class SlurmRefused(BridgeError):
    """Slurm does not take the array; the message is its own."""


class Task(NamedTuple):
    """One task as Slurm sees it. `array` is the number of its array; `state` as PENDING, RUNNING; `reason` for it."""

    array: int
    number: int
    state: str
    reason: str


class Submission(NamedTuple):
    """What is submitted: tasks of a `script` that all have one `name`.

    `log` is a file's path with %a for the task's number, `threads` how many cores a task has.
    """

    name: str
    script: Path
    tasks: Sequence[int]
    log: Path
    threads: int | None


def require() -> None:
    """Raises Refused where Slurm's programs are not installed."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        raise Refused(
            f'run_on: "slurm" needs Slurm\'s programs where the bridge runs, and there is no {missing[0]} on its PATH'
        )


async def submit(new: Submission, settings: SlurmSettings, env: Mapping[str, str]) -> int:
    """The new array's number. Raises SlurmRefused; SlurmUnavailable, after which it may have been taken all the same.

    Its tasks have the bridge's environment, without what is the bridge's alone, and `env` over it.

    It waits until every other array of its name has ended: so two of them never work at once.
    """
    chosen = {
        "partition": settings.partition,
        "account": settings.account,
        "time": settings.time_limit,
        "cpus-per-task": new.threads,
    }
    said = await _said(
        "sbatch",
        *settings.options,
        *(f"--{flag}={value}" for flag, value in chosen.items() if value is not None),
        "--parsable",
        "--requeue",
        "--dependency=singleton",
        "--open-mode=append",
        f"--job-name={new.name}",
        f"--array={_ranges(new.tasks)}",
        f"--chdir={new.script.parent}",
        f"--output={new.log}",
        str(new.script),
        env=env,
    )
    try:
        return int(said.split()[-1].partition(";")[0])
    except (ValueError, IndexError):
        raise SlurmRefused(f"sbatch did not say the number of an array: {said!r:.200}") from None


async def active(name: str) -> list[Task]:
    """The tasks of that name that wait or run. Raises SlurmUnavailable."""
    return await _tasks(f"--name={name}")


async def ended(name: str) -> list[Task]:
    """All of them, with those that ended in the last minutes. Raises SlurmUnavailable."""
    return await _tasks(f"--name={name}", "--states=all")


async def cancel(name: str) -> None:
    """End all tasks of that name; none is fine. Raises SlurmUnavailable."""
    try:
        await _said("scancel", "--me", f"--name={name}")
    except SlurmRefused as error:
        raise SlurmUnavailable(str(error)) from error


async def _tasks(*which: str) -> list[Task]:
    try:
        said = await _said("squeue", "--me", *which, "--noheader", "--array", f"--format={_FORMAT}")
    except SlurmRefused as error:
        raise SlurmUnavailable(str(error)) from error
    fields = (line.strip().split("|", 3) for line in said.splitlines())
    return [
        Task(int(array), int(number), state, reason)
        for array, number, state, reason in (line for line in fields if len(line) == 4)
        if array.isdigit() and number.isdigit()
    ]


async def _said(*argv: str, env: Mapping[str, str] | None = None) -> str:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
    try:
        with trio.fail_after(_PATIENCE):
            done = await trio.run_process(
                argv, stdin=b"", capture_stdout=True, capture_stderr=True, check=False, env={**variables, **(env or {})}
            )
    except OSError as error:
        raise SlurmUnavailable(f"{argv[0]} cannot be run: {error.strerror or error}") from error
    except trio.TooSlowError:
        raise SlurmUnavailable(f"{argv[0]} did not end within {_PATIENCE:g} s") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").split("\n")
        said = "; ".join(line.strip() for line in lines if line.strip())
        raise SlurmRefused(f"{said or argv[0]} (exit status {done.returncode})")
    return done.stdout.decode(errors="replace")


def _ranges(numbers: Iterable[int]) -> str:
    """1, 2, 3, 7 → 1-3,7."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] + 1 == number:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ",".join("-".join(map(str, run)) for run in runs)
