"""The methods that the bridge answers itself: one function each, whose signature is its schema and documentation.

catalogue  where they are registered, and what each is given
instances  which Blender is meant where nobody is named
jobs       durable work
job_submit  … jobs.submit
job_state   … what is answered of them
pool       each instance's pool, seen and controlled
state      what the bridge is and knows
trace      the wire, live
worker     the Blenders that the bridge starts

A key says nothing to them: the bridge keeps no answers, and a repeat is done again. As every keyed request, such a one
goes on when its client has left, until its deadline: what it waits for would go on without it too, and a trace ends
when nobody has read it for half a minute.
"""

from __future__ import annotations

from . import instances, job_submit, jobs, pool, state, trace, worker  # noqa: F401  # they register their methods
from .catalogue import CATALOGUE, Context, changes_something

__all__ = ["CATALOGUE", "Context", "changes_something"]
