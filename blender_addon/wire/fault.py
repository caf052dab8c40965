"""The error that travels: a code, a message for a person, and what is known about the effects."""

from __future__ import annotations

from typing import Any, Literal, Mapping, cast

Outcome = Literal["not_executed", "failed", "unknown"]

# What a code means for the effects when the raiser knows nothing more exact. `timeout`, `cancelled` and `internal`
# depend on how far the request had come; their raiser says so.
OUTCOMES: Mapping[str, Outcome] = {
    "bad_frame": "not_executed",
    "bad_envelope": "not_executed",
    "unsupported_protocol": "not_executed",
    "unauthorized": "not_executed",
    "bad_payload": "not_executed",
    "invalid_params": "not_executed",
    "unknown_method": "not_executed",
    "unknown_instance": "not_executed",
    "ambiguous_instance": "not_executed",
    "duplicate_id": "not_executed",
    "key_conflict": "not_executed",
    "forbidden": "not_executed",
    "key_expired": "unknown",
    "payload_too_large": "not_executed",
    "busy": "not_executed",
    "timeout": "unknown",
    "cancelled": "unknown",
    "blender_unavailable": "not_executed",
    "blender_lost": "unknown",
    "execution_failed": "failed",
    "shutting_down": "not_executed",
    "internal": "unknown",
}

_RETRYABLE = frozenset({"busy", "blender_unavailable", "shutting_down"})


class Fault(Exception):
    """A protocol error.

    `code` is one of OUTCOMES; `outcome` defaults to the code's; `data` is a JSON object with the particulars.
    `request_id` is the request that it answers, None where the whole connection is at fault, and `fatal` says that
    the connection ends with it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        outcome: Outcome | None = None,
        data: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        fatal: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.outcome: Outcome = outcome if outcome is not None else OUTCOMES.get(code, "unknown")
        self.data: dict[str, Any] = dict(data) if data else {}
        self.request_id = request_id
        self.fatal = fatal

    @property
    def retryable(self) -> bool:
        """True where sending the same request again later may succeed and cannot run it twice."""
        return self.code in _RETRYABLE or (self.code == "timeout" and self.outcome == "not_executed")

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def as_object(self) -> dict[str, Any]:
        """The error object that is the payload of a failed response."""
        return {
            "code": self.code,
            "message": self.message,
            "outcome": self.outcome,
            "retryable": self.retryable,
            "data": self.data,
        }

    @classmethod
    def from_object(cls, value: object) -> Fault:
        """Read an error object as it came from the other side. Raises ValueError where it is none."""
        if not isinstance(value, dict):
            raise ValueError("an error payload must be a JSON object")
        code, message, outcome, data = (value.get(name) for name in ("code", "message", "outcome", "data"))
        if not isinstance(code, str) or not isinstance(message, str):
            raise ValueError("an error object needs a code and a message")
        if outcome not in ("not_executed", "failed", "unknown"):
            raise ValueError("an error object needs an outcome: not_executed, failed or unknown")
        return cls(code, message, outcome=cast(Outcome, outcome), data=data if isinstance(data, dict) else None)
