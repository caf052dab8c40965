"""What others see of a pool: snapshots, events, leak reports."""

from __future__ import annotations

import threading

import trio
from trio.testing import wait_all_tasks_blocked

from bridge import events
from bridge.pool import Pool, PoolSettings
from tests.bridge.pool.fakes import Endpoint, running


async def test_a_snapshot_counts_each_state_and_the_age_of_the_oldest_waiter(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2, max_waiting=7) as rig:
        await rig.client()
        other = await rig.client()
        await rig.client()
        await trio.sleep(3)
        await rig.client()
        now = rig.pool.statistics()
        assert (now.idle, now.leased, now.connecting, now.checking, now.waiting) == (0, 2, 0, 0, 2)
        assert (now.max_connections, now.max_waiting, now.state, now.oldest_wait) == (2, 7, "open", 3.0)
        assert str(now) == "0 idle, 2 leased, 0 connecting, 2 waiting, of 2"
        other.release()
        assert rig.pool.statistics().oldest_wait == 0.0


async def test_a_snapshot_says_why_there_is_no_connection(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(error=OSError("nobody listens")), warm=1) as rig:
        now = rig.pool.statistics()
        assert now.connect_failures == 1
        assert "last error: nobody listens" in str(now)


def test_snapshots_from_another_thread_are_consistent_while_the_pool_is_busy():
    done = threading.Event()
    wrong: list[str] = []
    taken = 0

    def watch(pool: Pool) -> None:
        nonlocal taken
        while not done.is_set():
            now = pool.statistics_at(0.0)
            taken += 1
            if now.live + now.connecting > now.max_connections or (now.idle and now.waiting):
                wrong.append(str(now))

    async def main() -> None:
        pool = Pool("blender", Endpoint().connect, PoolSettings(max_connections=3))
        thread = threading.Thread(target=watch, args=[pool])
        async with trio.open_nursery() as nursery:
            await nursery.start(pool.run)
            thread.start()
            async with trio.open_nursery() as workers:
                for number in range(20):
                    workers.start_soon(work, pool, number)
            done.set()
            await trio.to_thread.run_sync(thread.join)
            await pool.drain()

    async def work(pool: Pool, number: int) -> None:
        rounds = 0
        while rounds < 50 or (taken < 50 and number == 0):
            rounds += 1
            with await pool.acquire() as connection:
                connection.poisoned = (rounds + number) % 7 == 0
                await trio.lowlevel.checkpoint()

    trio.run(main)
    assert wrong == []
    assert taken >= 50


async def test_each_lease_is_reported_with_its_wait_and_its_use(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder, waiter = await rig.client(), await rig.client()
        await trio.sleep(2)
        holder.release()
        await trio.sleep(3)
        waiter.release()
        leases = [event for event in rig.events if isinstance(event, events.LeaseGranted | events.LeaseReleased)]
        assert leases == [
            events.LeaseGranted("blender", 0.0),
            events.LeaseReleased("blender", 2.0),
            events.LeaseGranted("blender", 2.0),
            events.LeaseReleased("blender", 3.0),
        ]


async def test_a_cancelled_acquire_is_reported_with_its_wait(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        await rig.client()
        victim = await rig.client()
        await trio.sleep(2)
        victim.cancel()
        await wait_all_tasks_blocked()
        assert rig.events_of(events.LeaseRefused) == [events.LeaseRefused("blender", "cancelled", 2.0)]


async def test_a_lease_that_is_held_for_too_long_is_reported_once_with_its_place(pool_class, autojump_clock):
    async with running(pool_class, leak_after=900) as rig:
        with await rig.pool.acquire():  # this line
            await trio.sleep(899)
            assert rig.events_of(events.LeaseLeaked) == []
            await trio.sleep(5000)
        (leak,) = rig.events_of(events.LeaseLeaked)
        assert leak.held == 900
        assert "test_a_lease_that_is_held_for_too_long" in leak.task
        file, line = leak.taken_at.rsplit(":", 1)
        with open(file, encoding="utf-8") as source:  # noqa: ASYNC230  # a test's own source
            assert "# this line" in source.read().splitlines()[int(line) - 1]


async def test_a_lease_that_was_waited_for_is_reported_with_its_place_too(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, leak_after=10) as rig:
        holder, waiter = await rig.client(), await rig.client()
        holder.release()
        await trio.sleep(20)
        assert waiter.holds
        assert "fakes.py:" in rig.events_of(events.LeaseLeaked)[0].taken_at


async def test_a_lease_says_what_it_is(pool_class, autojump_clock):
    async with running(pool_class) as rig:
        lease = await rig.pool.acquire()
        assert repr(lease).startswith("<Lease held by ")
        assert "test_statistics.py:" in repr(lease)
        lease.release()
        assert repr(lease).startswith("<Lease released by ")


async def test_a_listener_that_raises_breaks_nothing(autojump_clock):
    def fail(event) -> None:
        raise ZeroDivisionError(event)

    endpoint = Endpoint()
    pool = Pool("blender", endpoint.connect, PoolSettings(max_connections=1), fail)
    async with trio.open_nursery() as nursery:
        await nursery.start(pool.run)
        for _ in range(2):
            async with trio.open_nursery() as workers:
                for _ in range(3):
                    workers.start_soon(_poison_one, pool)
        await pool.drain()
    assert len(endpoint.made) >= 6
    assert not endpoint.open


async def _poison_one(pool: Pool) -> None:
    with await pool.acquire() as connection:
        await trio.lowlevel.checkpoint()
        connection.poisoned = True


async def test_the_keeper_survives_any_error(pool_class, autojump_clock, monkeypatch):
    async with running(pool_class, max_connections=1, acquire_timeout=10) as rig:
        await rig.client()
        tick, failures = rig.pool._ledger.tick, [ZeroDivisionError("a bug"), KeyError("another")]

        def broken_tick(now):
            if failures:
                raise failures.pop()
            return tick(now)

        monkeypatch.setattr(rig.pool._ledger, "tick", broken_tick)
        waiter = await rig.client()
        await trio.sleep(20)
        assert waiter.ended, "nobody looks at the clock any more"
        assert [event.task for event in rig.events_of(events.BackgroundError)] == ["pool blender"] * 2


async def test_the_keeper_sleeps_when_there_is_nothing_to_do(pool_class, autojump_clock):
    """A moment in the past that a tick does not remove would make it spin."""
    endpoint = Endpoint()
    async with running(
        pool_class,
        endpoint=endpoint,
        max_connections=4,
        warm=2,
        idle_timeout=5,
        max_lifetime=50,
        leak_after=7,
        unavailable_timeout=3,
        acquire_timeout=20,
        reconnect_max_delay_in_demand=0.5,
    ) as rig:
        ticks = 0
        tick = rig.pool._ledger.tick

        def counted(now):
            nonlocal ticks
            ticks += 1
            return tick(now)

        rig.pool._ledger.tick = counted
        for act in (
            lambda: [rig.client_soon() for _ in range(6)],
            lambda: rig.pool.resize(1),
            rig.pool.pause,
            lambda: setattr(endpoint, "error", OSError("down")),
            rig.pool.reconnect,
            lambda: [client.release() for client in rig.clients if client.holds],
            lambda: [rig.client_soon() for _ in range(6)],
            lambda: rig.pool.resize(3),
            rig.pool.resume,
            lambda: setattr(endpoint, "error", None),
            lambda: [client.release() for client in rig.clients if client.holds],
        ):
            act()
            before = ticks
            await trio.sleep(100)
            assert ticks - before < 1500, "the keeper spins"
