"""A bounded pool that lends each connection to one holder at a time, in strict arrival order.

lease        the scoped grant, and the connection's own facts (slot)
ledger       every decision: plain synchronous code behind one lock; it says what to do and does no I/O
supply       … the connections: which there are, who has them, which are kept or opened
waiters      … who waits, in order of arrival
availability … whether anything is lent or opened
matching     … brings supply and waiters together
timetable    … what falls due
work         what a decision leaves to be done
pool         does it: parks waiters, connects, checks and closes in its own nursery
race         one acquirer in the queues of several pools
backoff      when to try to connect again
refusals     what an acquirer is told that gets no connection
settings     the limits
statistics   a consistent snapshot, readable from any thread

Why so: with a lock and a condition that are awaited, a cancellation can fall between "you get it" and "you have it",
and connections are lost. Here nothing is awaited between a decision and its effect.
"""

from .lease import Lease, Poolable
from .pool import Pool
from .race import Contest
from .settings import PoolSettings
from .statistics import PoolStatistics

__all__ = ["Contest", "Lease", "Pool", "PoolSettings", "PoolStatistics", "Poolable"]
