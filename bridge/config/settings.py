"""What can be set. Times are seconds, sizes bytes."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from blender_addon.wire import DEFAULT_MAX_PAYLOAD
from blender_addon.wire.address import parse_address
from bridge.paths import default_address, default_http, default_mcp, ensure_token
from bridge.pool.settings import PoolSettings

from .instances import InstanceSettings
from .jobs import JobsSettings
from .safety import SafetySettings
from .tables import PoolTable, Table
from .values import MAX_NAME, Count, FrameSize, HttpAddress, InstanceName, Listeners, ProbeInterval, Seconds, Secret
from .workers import WorkerSettings, clash


class Limits(Table):
    """What one client, and all together, may ask for."""

    max_payload: FrameSize = DEFAULT_MAX_PAYLOAD
    """The largest payload of a request or an answer."""
    max_in_flight: Count = 64
    """How many requests one client may have in flight."""
    max_buffered: Count = 1 << 30
    """How much the payloads of all requests and answers may take together."""
    max_clients: Count = 1024
    """How many clients may be connected."""
    default_deadline: Seconds = 300.0
    """How long a request may take that names no deadline itself."""
    cancel_grace: Seconds = 1.0
    """How long Blender may take to end cancelled work before its connection is given up."""
    frame_timeout: Seconds = 30.0
    """How long one frame may take from its first byte to its last."""
    handshake_timeout: Seconds = 5.0
    """How long a client may take to say hello."""

    @field_validator("max_buffered")
    @classmethod
    def _holds_a_payload(cls, value: int, info: ValidationInfo) -> int:
        # One payload of a request and one of its answer: less, and a large request would wait for itself.
        least = 2 * info.data.get("max_payload", 0)
        if value < least:
            raise ValueError(f"must be at least twice limits.max_payload, which makes {least}")
        return value


class HealthSettings(Table):
    """How each Blender is probed: every `interval`, at most `timeout` long.

    After `failures` in a row it is unhealthy. A main thread that is silent for `unresponsive_after`, with nothing of
    ours running, is a failure.
    """

    interval: ProbeInterval = 300.0
    """How often each Blender is probed."""
    timeout: Seconds = 5.0
    """How long a probe may take."""
    failures: Count = 3
    """So many failures in a row make it unhealthy."""
    unresponsive_after: Seconds = 60.0
    """A main thread that is silent for so long, with nothing of ours running, is a failure."""


class LogSettings(Table):
    """Logs go to standard error, one line an event."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are written."""
    format: Literal["console", "json"] = "console"
    """Lines for people, or one JSON object each."""


class Settings(BaseSettings):
    """All settings, checked. `Settings(...)` itself reads neither environment nor file: see `load_settings`."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )

    listen: Listeners = Field(default_factory=lambda: [default_address()], examples=["unix:/run/user/1000/bpy.sock"])
    """The doors for tools: `unix:/path` or `tcp:HOST:PORT`, several with commas between them."""
    instances: dict[InstanceName, InstanceSettings] = Field(default_factory=dict)
    """The Blenders that run already, by name."""
    workers: dict[InstanceName, WorkerSettings] = Field(default_factory=dict)
    """The Blenders that the bridge starts, by name."""
    pool: PoolTable = Field(default_factory=PoolTable)
    """The limits of the connections to each Blender."""
    limits: Limits = Field(default_factory=Limits)
    """What clients may ask for."""
    safety: SafetySettings = Field(default_factory=SafetySettings)
    """What tools may do in Blenders."""
    token: Secret | None = Field(default=None, examples=["…"])
    """The token of the doors on TCP, in BPY_BRIDGE_TOKEN alone; else it is made, and is in the token file."""
    log: LogSettings = Field(default_factory=LogSettings)
    """What is logged, and how."""
    http: HttpAddress = Field(default_factory=default_http, examples=["tcp:127.0.0.1:9872"])
    """The door for metrics and probes, or `off`."""
    mcp: HttpAddress = Field(default_factory=default_mcp, examples=["off"])
    """The door for MCP relays (`bpy-bridge mcp`), or `off`."""
    health: HealthSettings = Field(default_factory=HealthSettings)
    """How each Blender is probed."""
    jobs: JobsSettings = Field(default_factory=JobsSettings)
    """Durable jobs."""
    drain_timeout: Seconds = 30.0
    """How long requests in flight may go on when the bridge ends."""

    @field_validator("workers")
    @classmethod
    def _one_name_one_blender(cls, workers: Any, info: ValidationInfo) -> Any:
        twice = clash(workers, info.data.get("instances", ()))
        if twice is not None:
            raise ValueError(f"must not give one name to two Blenders, as it does {twice!r}")
        longest = max((name for table, worker in workers.items() for name in worker.names(table)), key=len, default="")
        if len(longest) > MAX_NAME:
            raise ValueError(f"must have names of at most {MAX_NAME} letters, their numbers included, unlike {longest}")
        return workers

    @model_validator(mode="after")
    def _pools_fit(self) -> Self:
        for name in ("", *self.instances, *self.workers):
            try:
                self.pool_for(name)
            except ValueError as error:
                raise ValueError(f"the pool settings{name and ' of '}{name}: {error}") from None
        return self

    def pool_for(self, instance: str) -> PoolSettings:
        """The pool's limits for an instance or worker: its own where it sets them, else the common ones."""
        own = self.instances.get(instance) or self.worker_for(instance)
        return PoolSettings(**{**self.pool.model_dump(), **(own.pool.model_dump(exclude_unset=True) if own else {})})

    def safety_for(self, instance: str) -> SafetySettings:
        """What may be done in an instance or worker: its own where it sets it, else the common."""
        own = self.instances.get(instance) or self.worker_for(instance)
        return self.safety.with_own(None if own is None else own.safety)

    def worker_for(self, instance: str) -> WorkerSettings | None:
        """The settings of a worker, by its table's name or by the name of one of its processes, such as NAME-1."""
        for name, worker in self.workers.items():
            if instance == name or instance in worker.names(name):
                return worker
        return None

    def door_token(self) -> str | None:
        """The token of the TCP doors, from BPY_BRIDGE_TOKEN or the token file, which is made now if need be.

        None where every door is a Unix socket. Raises ConfigurationError where the file cannot be made or read.
        """
        if not any(parse_address(address).kind == "tcp" for address in self.listen):
            return None
        return self.token.get_secret_value() if self.token is not None else ensure_token()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Keep pydantic-settings from reading the environment by itself."""
        return (init_settings,)
