"""Blender processes that the bridge starts: kept alive, watched, replaced, ended.

supervisor  all workers, by name
worker      one of them: its slot, one process after another, restarts
attempt     one start that all who ask for it share
life        one process: its phases with their time-outs, and its end
watch       what speaks against one that is ready: it hangs, is too large, too old or idle, cannot be stopped
restarts    how often and after which pause
output      what it prints, and the phases that it says
state       what is known of it
process     what a kind of process has to offer
fresh       … new ones
zygote      … copies of a warm one
forked      one such copy
executable  the Blender that is started
"""

from .executable import find_blender
from .fresh import FreshSpawner
from .process import Spawner, Start, WorkerProcess
from .state import WorkerState
from .supervisor import Supervisor
from .worker import Worker
from .zygote import ZygoteSpawner

__all__ = [
    "FreshSpawner",
    "Spawner",
    "Start",
    "Supervisor",
    "Worker",
    "WorkerProcess",
    "WorkerState",
    "ZygoteSpawner",
    "find_blender",
]
