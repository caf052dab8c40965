"""Events and snapshots → Prometheus series. The only room that imports prometheus_client.

metrics     the whole: handlers for the events, and the page
pools       what the pools hold, and how long was waited for and used of it
requests    how many requests, how they ended, how long they took; bounds the method names that get a series
health      what the probes found
jobs        how many there are, how long their phases took, what went wrong
process     the bridge itself: version, clients, background errors, lag of the event loop
histogram   a tally by duration

prometheus_client's own counters and histograms cost several microseconds an event, with locks and label lookups. Here
an event is an addition to a plain tally, and series are built from the tallies when somebody asks for them. Both happen
in trio's thread, so a page is one instant.
"""

from .metrics import Metrics

__all__ = ["Metrics"]
