"""The whole error tree. Each class knows its wire code, what is known about the effects, and the exit code.

BridgeError
├── ConfigurationError          a setting or a flag is wrong; nothing was started
│   ├── NoBlender               there is no Blender to start
│   └── AlreadyRunning          another process is the bridge of that name
├── NotRunning                  no bridge answers at the address
├── DaemonError                 the bridge in the background did not start or end as it was told
├── AddonError                  a Blender did not install or remove the add-on
├── RequestError                travels on the wire as an error object
│   ├── ProtocolViolation       bad_frame bad_envelope unsupported_protocol unauthorized payload_too_large
│   ├── Refused                 bad_payload invalid_params unknown_method … nothing ran, send something else
│   ├── Busy                    the waiting queue is full
│   ├── TimedOut / RequestCancelled
│   ├── BlenderUnavailable      no connection could be had
│   ├── BlenderLost             the connection died after the first byte was sent
│   ├── ExecutionFailed         Blender raised
│   ├── ShuttingDown
│   └── InternalError           a bug
├── JobError                    a store of jobs refuses
│   ├── Lost                    another owner has the job by now
│   ├── KeyConflict             the idempotency key is another job's
│   └── StoreUnavailable        the store cannot be reached
└── PoolMisuse                  the caller broke the pool's rules: double release, deadlock with itself
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from blender_addon.wire import Fault, Outcome

EXIT_USAGE = 2
EXIT_NO_BLENDER = 3
EXIT_FAILED = 4
EXIT_BUSY = 5
EXIT_NOT_RUNNING = 6


class BridgeError(Exception):
    """Everything that bpy-bridge raises on purpose."""

    exit_code: ClassVar[int] = EXIT_FAILED


class ConfigurationError(BridgeError):
    """A setting, a flag or a file is wrong; the message names it, says what is wrong and gives an example."""

    exit_code = EXIT_USAGE


class NoBlender(ConfigurationError):
    """There is no Blender to start; the message says what to install."""

    exit_code = EXIT_NO_BLENDER


class AlreadyRunning(ConfigurationError):
    """Another process is the bridge of that name; the message says which, and how it is stopped."""


class DaemonError(BridgeError):
    """The bridge in the background did not start or end as it was told; `exit_code` is the one of the cause."""

    def __init__(self, message: str, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # the other classes' is fixed


class AddonError(BridgeError):
    """A Blender did not install or remove the add-on; the message says what it said last."""


class NotRunning(BridgeError):
    """No bridge answers at the address; start one with `bpy-bridge serve`."""

    exit_code = EXIT_NOT_RUNNING


class PoolMisuse(BridgeError):
    """The caller broke a rule of the pool; the pool itself is unharmed."""


class JobError(BridgeError):
    """A store of jobs refuses."""


class Lost(JobError):
    """The claim that a write relies on holds no more: stop the work at once, and leave its outputs alone."""


class KeyConflict(JobError):
    """The idempotency key belongs to a job of another kind or with other parameters."""


class StoreUnavailable(JobError):
    """The store cannot be reached, or cannot write; nothing is known to have happened."""


class Unstorable(JobError):
    """The store cannot keep such a value; another attempt to write it would be refused too."""


class RequestError(Fault, BridgeError):
    """A request's failure, with its outcome. Subclasses fix the code."""

    default_code: ClassVar[str] = "internal"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        outcome: Outcome | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code or self.default_code, message, outcome=outcome, data=data)


class ProtocolViolation(RequestError):
    """What was sent is not the protocol."""

    default_code = "bad_envelope"


class Refused(RequestError):
    """Nothing ran: the request itself is wrong."""

    default_code = "invalid_params"


class Busy(RequestError):
    """Too many requests are waiting already; `data` says how many, and what is running."""

    default_code = "busy"
    exit_code = EXIT_BUSY


class TimedOut(RequestError):
    """The request's deadline passed."""

    default_code = "timeout"
    exit_code = EXIT_BUSY


class RequestCancelled(RequestError):
    """The client cancelled the request."""

    default_code = "cancelled"


class BlenderUnavailable(RequestError):
    """No connection to Blender could be had; `data["last_error"]` says why."""

    default_code = "blender_unavailable"
    exit_code = EXIT_NO_BLENDER


class BlenderLost(RequestError):
    """The connection died, or its answer was garbled, after the request's first byte was sent."""

    default_code = "blender_lost"


class ExecutionFailed(RequestError):
    """It ran in Blender and raised; `data` has type, traceback and stdout."""

    default_code = "execution_failed"


class ShuttingDown(RequestError):
    """The bridge is going away and takes no new requests."""

    default_code = "shutting_down"


class InternalError(RequestError):
    """A bug; `data["reference"]` finds it in the log."""

    default_code = "internal"


_CLASSES: dict[str, type[RequestError]] = {
    "busy": Busy,
    "timeout": TimedOut,
    "cancelled": RequestCancelled,
    "blender_unavailable": BlenderUnavailable,
    "blender_lost": BlenderLost,
    "key_expired": BlenderLost,
    "execution_failed": ExecutionFailed,
    "shutting_down": ShuttingDown,
    "internal": InternalError,
    "bad_frame": ProtocolViolation,
    "bad_envelope": ProtocolViolation,
    "unsupported_protocol": ProtocolViolation,
    "unauthorized": ProtocolViolation,
    "payload_too_large": ProtocolViolation,
}


def error_from_fault(fault: Fault) -> RequestError:
    """The tree's class for a fault that came over the wire."""
    if isinstance(fault, RequestError):
        return fault
    found = _CLASSES.get(fault.code, Refused if fault.outcome == "not_executed" else RequestError)
    return found(fault.message, code=fault.code, outcome=fault.outcome, data=fault.data)
