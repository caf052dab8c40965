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
    """`changes` are (file, text, replacement); each text occurs exactly once, so none is lost when the code moves."""

    name: str
    changes: tuple[tuple[str, str, str], ...]

    def build(self, directory: Path) -> Any:
        """The Pool class of the changed package."""
        package = "mutant_" + self.name.replace(" ", "_")
        home = directory / package
        home.mkdir()
        for path in _SOURCE.glob("*.py"):
            (home / path.name).write_text(self._changed(path), encoding="utf-8")
        spec = importlib.util.spec_from_file_location(
            package, home / "__init__.py", submodule_search_locations=[str(home)]
        )
        module = sys.modules[package] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.Pool

    def _changed(self, path: Path) -> str:
        text = path.read_text(encoding="utf-8")
        for file, old, new in self.changes:
            if file == path.name:
                assert text.count(old) == 1, f"{self.name}: {old!r} is {text.count(old)} times in {file}"
                text = text.replace(old, new)
        return text


def _ledger(name: str, *changes: tuple[str, str]) -> Mutant:
    return Mutant(name, tuple(("ledger.py", old, new) for old, new in changes))


def _pool(name: str, *changes: tuple[str, str]) -> Mutant:
    return Mutant(name, tuple(("pool.py", old, new) for old, new in changes))


_HAND_OVER = """            if self._waiters and not self.paused and self._serves_head():
                race = self._hand_to_head(slot, now)
                return None if race is None else Work(race)
"""

MUTANTS = [
    _ledger(
        "newcomers barge in before the woken waiter",
        ("while self._idle and not self._waiters and not self.paused", "while self._idle and not self.paused"),
        (_HAND_OVER, ""),
        ("append(slot)\n            return None", "append(slot)\n            return Work()"),
    ),
    _ledger(
        "the last waiter is served first", ("self._waiters.popitem(last=False)", "self._waiters.popitem(last=True)")
    ),
    _ledger("a release wakes nobody", (_HAND_OVER, "")),
    _ledger("a cancelled waiter stays in the queue", ("del self._waiters[task]\n", "pass\n")),
    _ledger(
        "busy counts dead waiters",
        ("del self._waiters[task]\n", 'del self._waiters[task]; self._ghosts = getattr(self, "_ghosts", 0) + 1\n'),
        (
            "if len(self._waiters) >= self.settings.max_waiting",
            'if len(self._waiters) + getattr(self, "_ghosts", 0) >= self.settings.max_waiting',
        ),
    ),
    _ledger("poison is ignored", ("if slot.connection.poisoned:", "if False:")),
    _ledger("a stale generation is lent again", ("if slot.generation != self._generation:", "if False:")),
    _ledger("a surplus connection is kept after a shrink", ("if self._shrunk and", "if False and")),
    _ledger("a lifetime has no end", ("        if now >= slot.expires_at:", "        if False:")),
    _ledger("what comes back after the close lives on", ('        if self.closed:\n            return "closed"\n', "")),
    _ledger(
        "close forgets the waiters",
        (
            "self.closed = True\n            for waiter in list(self._waiters.values()):",
            "self.closed = True\n            for waiter in []:",
        ),
    ),
    _ledger(
        "a pool that is given up forgets the waiters",
        (
            "self._given_up = cause\n            for waiter in list(self._waiters.values()):",
            "self._given_up = cause\n            for waiter in []:",
        ),
    ),
    _ledger(
        "a pool that is given up takes newcomers in",
        ("if self._given_up is not None:\n            raise", "if False:\n            raise"),
    ),
    _ledger(
        "who waits for somebody who is expected is refused",
        ("if self.paused or self._expecting or not", "if self.paused or not"),
    ),
    _ledger(
        "a pool connects although somebody is only expected",
        ("self.parked or self._expecting or self._given_up", "self.parked or self._given_up"),
    ),
    _ledger(
        "a paused pool lends what comes back", ("if self._waiters and not self.paused and", "if self._waiters and")
    ),
    _ledger("a parked pool lends what comes back", ("self.paused = self.parked = True\n", "self.parked = True\n")),
    _ledger(
        "a parked pool keeps what is idle",
        ("self.parked = True\n            return self._renew(now)", "self.parked = True\n            return None"),
    ),
    _ledger(
        "a parked pool opens connections",
        ("if self._opens_nothing:\n            return 0", "if self.closed:\n            return 0"),
    ),
    _ledger(
        "a parked pool begins what it had reserved",
        ("if self._opens_nothing or not needed", "if self.closed or not needed"),
    ),
    _ledger("a parked pool tries again without an end", ("and not self._opens_nothing\n", "\n")),
    _ledger("a resumed pool opens nothing", ("self.paused = self.parked = False", "self.paused = False")),
    _ledger(
        "those who are held back are told that there is no Blender",
        ("if self.paused or self._expecting or not", "if self._expecting or not"),
    ),
    _ledger(
        "a resumed pool has no time to connect",
        (
            "self.paused = self.parked = False\n            if self.unreachable:",
            "self.paused = self.parked = False\n            if False:",
        ),
    ),
    _ledger("drained before the last one is back", ('"draining" if self._total() else', '"draining" if False else')),
    _ledger(
        "drained while one is being opened", ('"draining" if self._total() else', '"draining" if self._leased else')
    ),
    _ledger("a dead idle connection is lent", ("if slot.connection.usable():", "if True:")),
    _ledger(
        "nothing is checked before it is lent", ("if now - slot.idle_since > self.settings.check_after:", "if False:")
    ),
    _ledger(
        "a second release is accepted",
        ("            if lease.released:\n", "            if False:\n"),
        ("del self._leased[lease]", "self._leased.pop(lease, None)"),
    ),
    _ledger("a deadlock with oneself is not noticed", ("raise refusals.deadlock(self.name, task.name)", "return")),
    _ledger(
        "a failed connect keeps its slot",
        ("            self._connecting -= 1\n            self._backoff.fail", "            self._backoff.fail"),
    ),
    _ledger(
        "a connect that is left out keeps its slot",
        ("                self._connecting -= 1\n                return None", "                return None"),
    ),
    _ledger(
        "a cancelled connect keeps its slot",
        (
            'pool is going down."""\n        with self._lock:\n            self._connecting -= 1',
            'pool is going down."""',
        ),
    ),
    _ledger(
        "every reserved connect begins",
        ("if self._opens_nothing or not needed or others", "if self._opens_nothing or others"),
    ),
    _ledger(
        "all probe while the endpoint is down",
        ("1 if not self._connecting and now >= self._retry_at else 0", "9 if now >= self._retry_at else 0"),
    ),
    _ledger("a failed connect wakes nobody", ("return self._backoff.failures > 0 or", "return")),
    _ledger(
        "eviction counts the leased as idle",
        ("idle_out = self._total() > self._warm", "idle_out = len(self._idle) > self._warm"),
    ),
    _ledger(
        "a late waiter gets the last waiters timer",
        (
            "            if self._waiters:\n                times.append(",
            "            if False:\n                times.append(",
        ),
    ),
    _ledger(
        "a connection is kept and lent",
        (
            "                return None if race is None else Work(race)",
            "                assert race is None",
        ),
    ),
    _pool("acquire absorbs a cancellation", ("        await trio.lowlevel.checkpoint_if_cancelled()\n", "")),
    _pool("a connect has no deadline", ("with trio.fail_after(self._ledger.settings.connect_timeout):", "if True:")),
    _pool("a check has no deadline", ("with trio.move_on_after(self._ledger.settings.check_timeout):", "if True:")),
    _pool(
        "a close has no deadline",
        ("deadline=trio.current_time() + self._ledger.settings.close_timeout", "deadline=trio.current_time() + 1e9"),
    ),
    _pool(
        "a close can be cancelled",
        ("trio.CancelScope(shield=True, deadline", "trio.CancelScope(shield=False, deadline"),
    ),
    _pool(
        "an unexpected error of a check ends the pool",
        ("alive = True\n        except Exception", "alive = True\n        except OSError"),
    ),
    _pool(
        "an unexpected error of a connect ends the pool",
        (
            "except Exception as error:  # noqa: BLE001  # supervised: whatever a c",
            "except OSError as error:  # noqa: BLE001  # supervised: whatever a c",
        ),
    ),
    _pool("a run that has ended still starts tasks", ("                self._nursery = None\n", "")),
    _pool(
        "a cancelled run forgets the waiters",
        (
            "                self._nursery = None\n                self.close()\n",
            "                self._nursery = None\n",
        ),
    ),
    _pool(
        "a drain is over before the last lease",
        ("if self._ledger.closed and not self._ledger.leased:", "if self._ledger.closed:"),
    ),
    _pool("who waits for the drain is not woken", ("        self._drains.unpark_all()\n", "")),
    _pool(
        "the keeper sleeps on",
        ("        if ledger.due_before(self._tick_at, now):\n            self._poke.set()\n", ""),
    ),
    _pool(
        "work does not wake the keeper",
        ("        self._poke.set()\n        if work is None", "        if work is None"),
    ),
    Mutant("attempts have no jitter", (("backoff.py", "self._jitter = random.random()", "self._jitter = 1.0"),)),
]
