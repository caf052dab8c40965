"""Bugs that pools have had, re-introduced into this one by replacing lines of its source."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bridge.pool

_SOURCE = Path(bridge.pool.__file__).parent


@dataclass(frozen=True)
class Mutant:
    """`changes` are (text, replacement); each text occurs exactly once in the package, so that none is lost."""

    name: str
    changes: tuple[tuple[str, str], ...]

    def build(self, directory: Path) -> Any:
        """The Pool class of the changed package."""
        package = "mutant_" + self.name.replace(" ", "_")
        home = directory / package
        home.mkdir()
        for name, text in self._changed().items():
            (home / name).write_text(text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(
            package, home / "__init__.py", submodule_search_locations=[str(home)]
        )
        module = sys.modules[package] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.Pool

    def _changed(self) -> dict[str, str]:
        texts = {path.name: path.read_text(encoding="utf-8") for path in _SOURCE.glob("*.py")}
        for old, new in self.changes:
            found = [name for name, text in texts.items() for _ in range(text.count(old))]
            assert len(found) == 1, f"{self.name}: {old!r} is in {found or 'no file'}"
            texts[found[0]] = texts[found[0]].replace(old, new)
        return texts


def _mutant(name: str, *changes: tuple[str, str]) -> Mutant:
    return Mutant(name, changes)


_HAND_OVER = """            if self._queue and not self._availability.paused and self._matching.serves_head():
                race = self._matching.hand_to_head(slot, now)
                return None if race is None else Work(race)
"""

MUTANTS = [
    _mutant(
        "newcomers barge in before the woken waiter",
        ("while idle and not self._queue and", "while idle and"),
        (_HAND_OVER, ""),
        ("append(slot)\n            return None", "append(slot)\n            return Work()"),
    ),
    _mutant("the last waiter is served first", ("queue.popitem(last=False)", "queue.popitem(last=True)")),
    _mutant("a release wakes nobody", (_HAND_OVER, "")),
    _mutant("a cancelled waiter stays in the queue", ("del self.queue[task]\n", "pass\n")),
    _mutant(
        "busy counts dead waiters",
        ("del self.queue[task]\n", 'del self.queue[task]; self.ghosts = getattr(self, "ghosts", 0) + 1\n'),
        (
            "if len(self._queue) >= self.settings.max_waiting",
            'if len(self._queue) + getattr(self._waiters, "ghosts", 0) >= self.settings.max_waiting',
        ),
    ),
    _mutant("poison is ignored", ("if slot.connection.poisoned:", "if False:")),
    _mutant("a stale generation is lent again", ("if slot.generation != self.generation:", "if False:")),
    _mutant("a surplus connection is kept after a shrink", ("if self._shrunk and", "if False and")),
    _mutant("a lifetime has no end", ("        if now >= slot.expires_at:", "        if False:")),
    _mutant(
        "what comes back after the close lives on",
        ('self._supply.begin_generation(), "closed"', 'self._supply.take_idle(99), "closed"'),
    ),
    _mutant(
        "close forgets the waiters",
        ('self._waiters.fail_all(now, "closed"', 'Waiters("", self._emit).fail_all(now, "closed"'),
    ),
    _mutant(
        "a pool that is given up forgets the waiters",
        ('self._waiters.fail_all(now, "unavailable"', 'Waiters("", self._emit).fail_all(now, "unavailable"'),
    ),
    _mutant(
        "a pool that is given up takes newcomers in",
        ("if self._availability.given_up is not None:\n            raise", "if False:\n            raise"),
    ),
    _mutant(
        "who waits for somebody who is expected is refused",
        ("return self.paused or self.expecting", "return self.paused"),
    ),
    _mutant(
        "a pool connects although somebody is only expected",
        ("self.parked or self.expecting or self.given_up", "self.parked or self.given_up"),
    ),
    _mutant(
        "a paused pool lends what comes back",
        ("if self._queue and not self._availability.paused and", "if self._queue and"),
    ),
    _mutant("a parked pool lends what comes back", ("self.paused = self.parked = True\n", "self.parked = True\n")),
    _mutant(
        "a parked pool keeps what is idle",
        (
            "availability.park()\n            return self._matching.lose(",
            "availability.park()\n            return None and (",
        ),
    ),
    _mutant(
        "a parked pool opens connections",
        (
            "if self._availability.opens_nothing:\n            return 0",
            "if self._availability.closed:\n            return 0",
        ),
    ),
    _mutant(
        "a parked pool begins what it had reserved",
        ("others < self.most and not self._availability.opens_nothing", "others < self.most"),
    ),
    _mutant(
        "a parked pool tries again without an end",
        ("self.connecting or self._availability.opens_nothing:", "self.connecting:"),
    ),
    _mutant("a resumed pool opens nothing", ("self.paused = self.parked = False", "self.paused = False")),
    _mutant(
        "those who are held back are told that there is no Blender",
        ("return self.paused or self.expecting", "return self.expecting"),
    ),
    _mutant(
        "a resumed pool has no time to connect",
        ("availability.resume()\n            self._supply.await_again(now)\n", "availability.resume()\n"),
    ),
    _mutant("drained before the last one is back", ('"draining" if total else', '"draining" if False else')),
    _mutant("drained while one is being opened", ('"draining" if total else', '"draining" if leased else')),
    _mutant("a dead idle connection is lent", ("if slot.connection.usable():", "if True:")),
    _mutant("nothing is checked before it is lent", ("if now - slot.idle_since > self._check_after:", "if False:")),
    _mutant(
        "a second release is accepted",
        ("            if lease.released:\n", "            if False:\n"),
        ("del self._leased[lease]", "self._leased.pop(lease, None)"),
    ),
    _mutant("a deadlock with oneself is not noticed", ("raise refusals.deadlock(self.name, task.name)", "return")),
    _mutant(
        "a failed connect keeps its slot",
        (
            "            self._supply.connecting -= 1\n            self._supply.backoff.fail",
            "            self._supply.backoff.fail",
        ),
    ),
    _mutant(
        "a connect that is left out keeps its slot",
        ("            self._supply.connecting -= 1\n            return None", "            return None"),
    ),
    _mutant(
        "a cancelled connect keeps its slot",
        (
            'pool is going down."""\n        with self._lock:\n            self._supply.connecting -= 1',
            'pool is going down."""',
        ),
    ),
    _mutant(
        "every reserved connect begins",
        ("return needed and others < self.most", "return others < self.most"),
    ),
    _mutant(
        "all probe while the endpoint is down",
        (
            "1 if not self.connecting and now >= self.retry_at(waiting) else 0",
            "9 if now >= self.retry_at(waiting) else 0",
        ),
    ),
    _mutant("a failed connect wakes nobody", ("return self._supply.backoff.failures > 0 or", "return")),
    _mutant(
        "eviction counts the leased as idle",
        ("idle_out = supply.total > supply.warm", "idle_out = len(supply.idle) > supply.warm"),
    ),
    _mutant(
        "a late waiter gets the last waiters timer",
        ("if (head := self._waiters.head) is not None:", "if (head := None) is not None:"),
    ),
    _mutant(
        "a connection is kept and lent",
        (
            "                return None if race is None else Work(race)",
            "                assert race is None",
        ),
    ),
    _mutant(
        "acquire absorbs a cancellation", ("await trio.lowlevel.checkpoint_if_cancelled()\n        ledger", "ledger")
    ),
    _mutant("a connect has no deadline", ("with trio.fail_after(self._ledger.settings.connect_timeout):", "if True:")),
    _mutant("a check has no deadline", ("with trio.move_on_after(self._ledger.settings.check_timeout):", "if True:")),
    _mutant(
        "a close has no deadline",
        ("deadline=trio.current_time() + self._ledger.settings.close_timeout", "deadline=trio.current_time() + 1e9"),
    ),
    _mutant(
        "a close can be cancelled",
        ("trio.CancelScope(shield=True, deadline", "trio.CancelScope(shield=False, deadline"),
    ),
    _mutant(
        "an unexpected error of a check ends the pool",
        ("alive = True\n        except Exception", "alive = True\n        except OSError"),
    ),
    _mutant(
        "an unexpected error of a connect ends the pool",
        (
            "except Exception as error:  # noqa: BLE001  # supervised: whatever a c",
            "except OSError as error:  # noqa: BLE001  # supervised: whatever a c",
        ),
    ),
    _mutant("a run that has ended still starts tasks", ("                self._nursery = None\n", "")),
    _mutant(
        "a cancelled run forgets the waiters",
        (
            "                self._nursery = None\n                self.close()\n",
            "                self._nursery = None\n",
        ),
    ),
    _mutant(
        "a drain is over before the last lease",
        ("if self._ledger.closed and not self._ledger.leased:", "if self._ledger.closed:"),
    ),
    _mutant("who waits for the drain is not woken", ("        self._drains.unpark_all()\n", "")),
    _mutant(
        "the keeper sleeps on",
        ("        if ledger.due_before(self._tick_at, now):\n            self._poke.set()\n", ""),
    ),
    _mutant(
        "work does not wake the keeper",
        ("        self._poke.set()\n        if work is None", "        if work is None"),
    ),
    _mutant("attempts have no jitter", ("self._jitter = random.random()", "self._jitter = 1.0")),
]
