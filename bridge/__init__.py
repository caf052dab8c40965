"""bpy-bridge: a fair, bounded, cancellable bridge between tools and Blender. This is the map of the house.

A request walks one line, and its answer is the return value of the same calls, back to front:

    client → frontend → service → fleet → pool (lease) → connection → [socket] → listener → pump → command → bpy

State is published (statistics snapshots, the latest Health), facts are emitted (events), nothing calls upward, and
`app` alone wires the rooms together.

    client       what tool authors import: a blocking client and an async one
    frontends    doors, thin, each ignorant of the others
    metrics      events and snapshots → series
    service      use cases: call and cancel; with status, the only thing that a frontend sees
    sharing      identical read-only requests that wait together share one execution
    catalogues   what each Blender can be asked to do, kept for as long as it is true
    interruption why a request ended before its answer came, and what becomes of its work
    methods      the bridge's own methods: one function each, whose signature is its schema
    status       what the bridge says of itself, measured when it is asked
    blenders     which Blenders there are: configured, started, announced
    daemon       one bridge per user and name: lock, record, start, stop, logs
    doctor       what may be wrong on this machine
    addon        our add-on in the Blenders of this machine: built, installed, removed, looked up
    discovery    finds the Blenders that have announced themselves
    fleet        instance name → pool; routes, groups, affinity
    health       probes each Blender on a connection of its own, publishes the latest Health
    supervisor   Blender processes that the bridge starts: slots, start phases, restart with backoff
    pool         leases, strict FIFO waiters, limits, drain, resize, pause
    connection   a session on a stream: one reader, call, poison bit
    trace        the wire, live: each connection's tap, and those who watch
    protocol     the wire's sessions bound to a fast JSON codec
    compatibility  which add-ons this bridge works with, and what to do about the others
    config       settings: file, environment, flags; each error names the setting and the fix
    paths        where sockets, tokens and records lie, and how a client finds the running bridge
    reference    the catalogue for people: schemas in words, every command as Markdown
    programs     running a program for a bounded time
    errors       the whole error tree: wire code, outcome, exit code
    events       frozen facts
    cli          argv → exit code; parses and prints, decides nothing

The wire itself (frames, envelopes, parts, handshake, both sides' sessions) is `blender_addon.wire`: the add-on and the
bridge are both servers of it. Of `blender_addon`, what it says and defines is imported here (wire, registry, command
catalogue, descriptor), and nothing that runs in Blender.

Public names are imported when they are first asked for, so that `import bridge` costs a tool nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # to import typing takes longer than all of this

if TYPE_CHECKING:
    from blender_addon.wire import Part

    from .client import AsyncClient, Client, Result
    from .errors import (
        BlenderLost,
        BlenderUnavailable,
        BridgeError,
        Busy,
        ConfigurationError,
        ExecutionFailed,
        InternalError,
        NotRunning,
        ProtocolViolation,
        Refused,
        RequestCancelled,
        RequestError,
        ShuttingDown,
        TimedOut,
    )

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "BlenderLost",
    "BlenderUnavailable",
    "BridgeError",
    "Busy",
    "Client",
    "ConfigurationError",
    "ExecutionFailed",
    "InternalError",
    "NotRunning",
    "Part",
    "ProtocolViolation",
    "Refused",
    "RequestCancelled",
    "RequestError",
    "Result",
    "ShuttingDown",
    "TimedOut",
    "__version__",
]

_HOMES = {
    "AsyncClient": "bridge.client",
    "Client": "bridge.client",
    "Part": "blender_addon.wire",
    "Result": "bridge.client",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "bridge.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
