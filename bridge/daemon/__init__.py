"""One bridge per user and name, in the background or not.

tenure   what a process that serves has: the lock of its name, its record, whoever waits for its first word
detach   a process that serves leaves the terminal of who started it
notify   systemd is told that the doors are open
launch   start one, or find the one that runs or is being started
ending   stop it
remains  what one that was killed left
doors    whether it takes connections
logs     what it logged

The process that serves takes the lock before anything else, and says itself that its doors are open: to the process
that launched it, through a pipe, and to all others in the record. A launcher that is killed changes nothing.

The standard library alone: `bpy-bridge start` and `stop` are over in milliseconds.
"""

from .detach import detach
from .ending import Stopped, stop
from .launch import Running, start
from .tenure import Tenure

__all__ = ["Running", "Stopped", "Tenure", "detach", "start", "stop"]
