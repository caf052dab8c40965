"""The Blenders that this bridge knows, by name, and which of them a request goes to.

instance   one Blender: its pool and its health
group      NAME for NAME-1 … NAME-N: whichever is free first
routing    who is meant where a request names nobody; what a client is told that cannot be served so
announced  Blenders that have announced themselves get a name here
fleet      all of them; they come and go while it runs
"""

from .announced import Announced
from .fleet import Fleet
from .group import Group
from .instance import Instance, Source
from .routing import DEFAULT, Affinity, Target

__all__ = ["DEFAULT", "Affinity", "Announced", "Fleet", "Group", "Instance", "Source", "Target"]
