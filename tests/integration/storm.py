"""What a storm needs: tasks whose every effect is written down, the processes of one bridge, and their bad luck."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from bridge.client import Client
from bridge.errors import BlenderUnavailable, Busy, NotRunning, RequestError

from .home import Home
from .serving import PATIENCE, until

Kind = Literal["plain", "keyed", "bound"]

KINDS: tuple[Kind, ...] = ("plain", "keyed", "bound")
ANSWERED_WITHIN = 30.0
ASKED_AGAIN = 3
FROZEN_AT_MOST = 5.0
LAUNCHERS = 3
# One whole line at once, at a moment that a kill may fall before or after.
CODE = """
import os, time
time.sleep({before})
file = os.open({path!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(file, b"{task} %d\\n" % os.getpid())
os.close(file)
time.sleep({after})
result = [{task!r}, os.getpid()]
"""


@dataclass
class Task:
    """One task and what became of it: `pid` is who said that it is done, None where nobody did.

    A plain one has no key; a keyed one has, and may run once in each process; a bound one, in one process only.
    """

    name: str
    kind: Kind
    outcomes: list[str] = field(default_factory=list)
    pid: int | None = None
    ended: float = 0.0


class Load:
    """One client that gives `instance` task after task until `over`: what did not run is sent again."""

    def __init__(self, number: int, home: Path, instance: str, over: threading.Event) -> None:
        self.instance = instance
        self.tasks: list[Task] = []
        self.wrong: list[object] = []
        self._chance = random.Random(number)
        self._number = number
        self._effects = home / "effects"
        self._client = Client(f"unix:{home}/bridge.sock", instance=instance, retry_busy=False)
        self._over = over
        self._boot: str | None = None

    def run(self) -> None:
        while not self._over.is_set():
            kind = self._chance.choice(KINDS)
            task = Task(f"{self._number}-{len(self.tasks)}", "keyed" if kind == "bound" and not self._boot else kind)
            self.tasks.append(task)
            self._see_through(task)
        self._client.close()

    def _see_through(self, task: Task) -> None:
        code = CODE.format(
            task=task.name, path=str(self._effects), before=self._chance.uniform(0, 0.01),
            after=self._chance.uniform(0, 0.01),
        )  # fmt: skip
        boot = self._boot if task.kind == "bound" else None
        while task.pid is None and not self._over.is_set():
            began = time.monotonic()
            try:
                answer = self._client.call(
                    "code.execute", {"code": code}, timeout=ANSWERED_WITHIN, boot=boot,
                    key=None if task.kind == "plain" else task.name,
                )  # fmt: skip
            except NotRunning:
                task.outcomes.append("not_executed")
                self._over.wait(0.02)
            except RequestError as error:
                task.outcomes.append(error.outcome)
                if error.code not in ("busy", "blender_unavailable", "blender_lost", "shutting_down"):
                    self.wrong.append((task, error.code, str(error), time.monotonic() - began))
                if error.outcome != "not_executed" and (
                    task.kind == "plain" or task.outcomes.count("unknown") > ASKED_AGAIN
                ):
                    self._boot = None
                    return
                if not isinstance(error, (Busy, BlenderUnavailable)):
                    self._over.wait(0.02)
            else:
                self._boot = answer.boot
                name, task.pid = answer.value["result"]
                task.ended = time.monotonic()
                if name != task.name:
                    self.wrong.append((task, name))


@dataclass(frozen=True)
class Death:
    """A worker was killed, or the daemon with all of them (`pid` None), at that time."""

    instance: str
    pid: int | None
    when: float
    how: str


class Chaos:
    """Kills what it finds, at random moments; all of it in turn, in random order."""

    def __init__(self, home: Home, config: Path, seed: int) -> None:
        self.deaths: list[Death] = []
        self.counts: Counter[str] = Counter()
        self.restarted: list[float] = []
        self._home = home
        self._flags = ("--config", str(config))
        self._chance = random.Random(seed)
        self._client = Client(f"unix:{home.path}/bridge.sock")
        self._zygote_lives = True
        self._thawed = 0.0

    def rage(self, seconds: float) -> None:
        """Kill for so long. Raises AssertionError where what came back was not as it should be."""
        end = time.monotonic() + seconds
        for strike in self._strikes():
            threading.Event().wait(self._chance.uniform(0.1, 1.0))
            if time.monotonic() > end:
                break
            strike()
        self._client.close()

    def start(self) -> None:
        """Start the daemon, several times at once, and sometimes kill who starts it; in the end one is there."""
        began = time.monotonic()
        with ThreadPoolExecutor(LAUNCHERS) as threads:
            starting = [threads.submit(self._home.start, *self._flags) for _ in range(LAUNCHERS)]
            if self._chance.random() < 0.5:
                self.counts["launcher"] += 1
                with self._home.popen("start", *self._flags) as launcher:
                    threading.Event().wait(self._chance.uniform(0.0, 0.6))
                    launcher.kill()
            pids = {future.result()["pid"] for future in starting}
        self.restarted.append(time.monotonic() - began)
        [bridge] = until(lambda: len(found := self._home.bridges()) == 1 and found)
        assert pids == {bridge.pid}

    def _strikes(self) -> Iterator[Callable[[], None]]:
        while True:
            every = [
                *[lambda: self._worker("fresh"), lambda: self._worker("fork")] * 3,
                lambda: self._worker("fresh", signal.SIGSTOP),
                lambda: self._worker("fork", signal.SIGSTOP),
                self._zygote,
                self._daemon,
                self._daemon,
            ]
            self._chance.shuffle(every)
            yield from every

    def _worker(self, instance: str, number: signal.Signals = signal.SIGKILL) -> None:
        try:
            [worker] = self._client.call("bridge.workers", {"name": instance}).value
        except (NotRunning, RequestError):
            return
        if number == signal.SIGSTOP and instance == "fork":
            # Frozen, with its zygote and then the daemon killed, there is nobody left who could end it.
            if not self._zygote_lives:
                return
            self._thawed = time.monotonic() + FROZEN_AT_MOST
        if worker["pid"] is not None and self._send(worker["pid"], number):
            how = number.name if worker["phase"] == "ready" else "early"
            if instance == "fork":
                how += "" if self._zygote_lives else " of its zygote too"
                self._zygote_lives = True
            self.deaths.append(Death(instance, worker["pid"], time.monotonic(), how))
            self.counts[f"{instance} {how}"] += 1

    def _zygote(self) -> None:
        for process in belonging(self._home) if time.monotonic() > self._thawed else ():
            with suppress(psutil.Error):
                if "blender_addon.zygote" in process.cmdline() and self._home.record()["pid"] == process.ppid():
                    process.kill()
                    self.counts["zygote"] += 1
                    self._zygote_lives = False

    def _daemon(self) -> None:
        bridge = psutil.Process(self._home.record()["pid"])
        held = belonging(self._home)
        bridge.kill()
        self._zygote_lives = True
        now = time.monotonic()
        self.deaths += [Death("fresh", None, now, "daemon"), Death("fork", None, now, "daemon")]
        self.counts["daemon"] += 1
        self.start()
        _, left = psutil.wait_procs(held, PATIENCE)
        assert left == [], [(process, process.status(), process.cmdline()) for process in left]

    def _send(self, pid: int, number: signal.Signals) -> bool:
        """Whether it could be sent; what is not of this bridge any more gets nothing."""
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            if is_ours(process, self._home):
                process.send_signal(number)
                return True
        return False


class Watch:
    """Looks again and again, until `over`, who has the daemon's door open; `twice` is who had it together."""

    def __init__(self, home: Home, over: threading.Event) -> None:
        self.twice: list[set[int]] = []
        self._home = home
        self._over = over

    def run(self) -> None:
        while not self._over.wait(0.1):
            # Between its fork and its exec each child looks like its parent: that is over at the next look.
            while len(together := self._serving()) > 1:
                if together == self._serving():
                    self.twice.append(together)
                    break

    def _serving(self) -> set[int]:
        return {process.pid for process in self._home.bridges() if self._has_door(process)}

    def _has_door(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            door = str(self._home.path / "bridge.sock")
            return any(connection.laddr == door for connection in process.net_connections("unix"))
        return False


def belonging(home: Home) -> list[psutil.Process]:
    """Every process that has come of this home's bridges."""
    return [process for process in psutil.process_iter() if is_ours(process, home)]


def is_ours(process: psutil.Process, home: Home) -> bool:
    try:
        resources = process.environ().get("BLENDER_USER_RESOURCES")
        return resources == str(home.path.with_suffix(".blender")) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def effects(home: Home) -> dict[str, list[int]]:
    """Which processes have done each task."""
    done: dict[str, list[int]] = {}
    for line in (home.path / "effects").read_text().splitlines():
        name, pid = line.split()
        done.setdefault(name, []).append(int(pid))
    return done


def recoveries(deaths: list[Death], loads: list[Load]) -> dict[tuple[str, str], list[float]]:
    """Seconds from each death to the next answer of another process, by instance and kind of death.

    Where the next death of that instance came first, there is none.
    """
    found: dict[tuple[str, str], list[float]] = {}
    for death in deaths:
        later = [other.when for other in deaths if other.instance == death.instance and other.when > death.when]
        answers: list[Any] = [
            task.ended
            for load in loads
            if load.instance == death.instance
            for task in load.tasks
            if task.pid not in (None, death.pid) and task.ended > death.when
        ]
        if answers and min(answers) < min(later, default=float("inf")):
            found.setdefault((death.instance, death.how), []).append(min(answers) - death.when)
    return found
