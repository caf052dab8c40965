"""One Blender, served: its pump, the listener before it, and what tells this user's bridges of it.

    Server(…) ──start──▶ serving ──stop──▶ ended        stop = leave, then end

Whoever owns one drives its pump on the main thread by `perform`. What ends it from there, while a command runs, ends
it in two steps: it leaves at once (nobody comes in, nothing more runs), and the command still has its answer sent
before the rest goes.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from typing import Dict, List, NamedTuple, Optional

from .application import Blender
from .commands import CATALOGUE
from .connection import ConnectedClient
from .descriptor import Announcement, Descriptor, private_socket, process_start
from .intake import Intake
from .interrupt import Interrupter, best_interrupter
from .journal import Journal
from .listener import Listener, new_boot
from .neighbours import Neighbour
from .pump import Pump
from .version import VERSION
from .wire import Peer
from .wire.address import Address, parse_address
from .work import Work

# For goodbyes to be read; those who do not read them are hung up on.
FAREWELL_SECONDS = 1.0
_JOIN_SECONDS = 1.0


class Door(NamedTuple):
    """Where to listen, the token that clients must know, and the boot that they are told."""

    address: Address
    token: Optional[str]
    boot: str


def private_door(token: Optional[str] = None) -> Door:
    """A place that only bridges are told, for this user alone. Raises OSError.

    A Unix socket beside the descriptor; where there are none, or its path would be too long, loopback with a token.
    """
    boot = new_boot()
    private = private_socket(boot)
    if private is not None:
        return Door(parse_address(private), token, boot)
    return Door(Address("tcp", host="127.0.0.1"), token or secrets.token_hex(32), boot)


class Server:
    """Serves one Blender. Main thread, but for what says otherwise."""

    def __init__(
        self, blender: Blender, door: Door, *, name: Optional[str] = None, interrupter: Optional[Interrupter] = None
    ) -> None:
        """Open the address. `name` is what bridges are told that it is called; where it is None, they are told nothing,
        where it is "", the file's name counts.

        Raises AddressRefused.
        """
        self._blender = blender
        self._interrupter = interrupter or best_interrupter()
        self.pump = Pump(self._interrupter)
        self._listener = Listener(
            door.address,
            Intake(CATALOGUE, self.pump, door.boot),
            token=door.token,
            peer=Peer("bpy-bridge add-on", VERSION),
            describe=blender.describe,
        )
        self._announcement = self._announced(door, name)
        self._started = self._ended = False
        self._left: Optional[str] = None
        self._performing: Optional[int] = None

    def start(self) -> None:
        """Take connections, and tell the bridges. Once. Raises OSError where they cannot be told; it is ended then."""
        assert not self._started
        self._started = True
        self._interrupter.install()
        self._listener.start()
        if self._announcement is not None:
            try:
                self._announcement.publish()
            except OSError:
                self.stop("it cannot be announced")
                raise

    def perform(self, pump: Pump, work: Work) -> None:
        """Run one work of the pump, with all that belongs to it. Raises nothing."""
        self._performing = threading.get_ident()
        try:
            self._blender.perform(pump, work)
        finally:
            self._performing = None

    @property
    def address(self) -> str:
        """Where it listens. From any thread."""
        return str(self._listener.address)

    @property
    def journal(self) -> Journal:
        """The last commands. From any thread."""
        return self._blender.journal

    def neighbours(self) -> Dict[str, Neighbour]:
        """The add-ons that offer commands of their own, by module name, and what is wrong with those that do badly."""
        return self._blender.neighbours.known()

    def clients(self) -> List[ConnectedClient]:
        """Who is connected. From any thread."""
        return self._listener.clients()

    def cancel_running(self) -> bool:
        """Stop the command that runs; False where none does. From any thread."""
        running = self.pump.running
        if running is None:
            return False
        self.pump.stop(running, "cancelled")
        return True

    def leave(self, reason: str) -> Optional[Work]:
        """Let nobody in and run nothing more; return what still runs. From any thread, any number of times.

        Everybody is told the first reason.
        """
        if self._left is None:
            self._left = reason
        reason = self._left
        if self._announcement is not None:
            self._announcement.withdraw()
        self._listener.leave(reason)
        return self.pump.close(reason)

    def vanish(self) -> None:
        """Remove the files: the last act of a process that ends on the spot. From any thread."""
        if self._announcement is not None:
            self._announcement.withdraw()
        self._listener.unlink()

    def stop(self, reason: str) -> bool:
        """End: afterwards there is no thread, socket, file or handler of it. Any number of times.

        Called by a command that it runs itself it leaves only, and returns False: it is to be called again once that
        command is over.
        """
        self.leave(reason)
        if self._performing == threading.get_ident():
            return False
        if not self._ended:
            self._ended = True
            if self._announcement is not None:
                self._announcement.unwatch()
            self._listener.close(FAREWELL_SECONDS)
            self._listener.join(_JOIN_SECONDS)
            self._blender.close()
            self._interrupter.uninstall()
        return True

    @property
    def leaving(self) -> bool:
        """It has been told to end. From any thread."""
        return self._left is not None

    def _announced(self, door: Door, name: Optional[str]) -> Optional[Announcement]:
        if name is None:
            return None
        pid = os.getpid()
        descriptor = Descriptor(
            address=self.address,
            token=door.token,
            pid=pid,
            started=process_start(pid),
            announced=time.time(),
            boot=door.boot,
            blender=self._blender.version,
            file=self._blender.file,
            name=name or None,
        )
        announcement = Announcement(descriptor)
        self._blender.announce(announcement)
        return announcement
