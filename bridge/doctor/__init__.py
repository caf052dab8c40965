"""What is wrong with this installation, and what mends it.

finding       what a check found: its level, what it is, and the fix
place         what the checks look at: the settings, and where
examination   runs the checks at the same time, each in bounded time; one that fails is a finding too
checks        all of them, in the order in which they are reported; one more is one function in that list
runtime       the Python, and what the machine lets the bridge have
blender       the Blenders that the bridge would start;  libraries: what they miss;  addons: who has our add-on
directories   who may do what in them;  leftovers: what the dead left there
addresses     the doors;  processes: who holds them;  neighbours: who listens where Blender bridges listen
running       the bridge that runs
"""

from .checks import CHECKS
from .examination import Report, examine
from .finding import Finding, Level
from .place import Place

__all__ = ["CHECKS", "Finding", "Level", "Place", "Report", "examine"]
