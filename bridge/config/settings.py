"""What can be set. Times are seconds, sizes bytes."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, Self, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, create_model, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from blender_addon.wire import DEFAULT_MAX_PAYLOAD
from blender_addon.wire.address import parse_address
from bridge.paths import default_address, ensure_token
from bridge.pool.settings import PoolSettings

from .values import (
    Blender,
    BlenderAddress,
    Count,
    CountOrNone,
    ExistingFile,
    FrameSize,
    HttpAddress,
    InstanceName,
    Listeners,
    ProbeInterval,
    Seconds,
    Secret,
    Share,
)

_EXAMPLE_SOCKET = "unix:/run/user/1000/blender.sock"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _pool_field(field: dataclasses.Field[Any], kind: type) -> tuple[Any, Any]:
    if kind is int:
        return (Count if field.name.startswith("max_") else CountOrNone), field.default
    return (Share if field.name == "lifetime_jitter" else Seconds), field.default


_KINDS = get_type_hints(PoolSettings)
_POOL_FIELDS: dict[str, Any] = {
    field.name: _pool_field(field, _KINDS[field.name]) for field in dataclasses.fields(PoolSettings)
}
# Made from PoolSettings, so that a limit of the pool is named and given its default in one place.
PoolTable = create_model("PoolTable", __base__=_Table, **_POOL_FIELDS)


class InstanceSettings(_Table):
    """A Blender that runs already and listens at `address`; on TCP it needs `token` or `token_file`.

    `pool` overrides the common pool settings, field by field.
    """

    address: BlenderAddress = Field(examples=[_EXAMPLE_SOCKET])
    token_file: ExistingFile | None = Field(default=None, examples=["/home/me/blender-token"])
    token: Secret | None = Field(default=None, validate_default=True, examples=["…"])
    pool: PoolTable = Field(default_factory=PoolTable)

    @field_validator("token_file")
    @classmethod
    def _readable(cls, path: Any) -> Any:
        if path is not None and not _read(path):
            raise ValueError(f"must hold the token, and {path} is empty")
        return path

    @field_validator("token")
    @classmethod
    def _needed_on_tcp(cls, token: Any, info: ValidationInfo) -> Any:
        address, file = info.data.get("address"), info.data.get("token_file")
        if token is not None and file is not None:
            raise ValueError("must not be set beside token_file: which one is it")
        if (
            token is None
            and address
            and "token_file" in info.data
            and file is None
            and parse_address(address).kind == "tcp"
        ):
            raise ValueError("must be set, or token_file: Blender listens on TCP")
        return token

    def secret(self) -> str | None:
        """The token's text, read now where it is in a file; None on a Unix socket without one."""
        if self.token is not None:
            return self.token.get_secret_value()
        return _read(self.token_file) if self.token_file is not None else None


class WorkerSettings(_Table):
    """A Blender that the bridge starts: the bpy wheel or an executable, with `file` open; `pool` as for an instance."""

    blender: Blender = Field(default="bpy", examples=["/opt/blender/blender"])
    file: ExistingFile | None = Field(default=None, examples=["/home/me/scene.blend"])
    pool: PoolTable = Field(default_factory=PoolTable)


class Limits(_Table):
    """What one client, and all together, may ask for."""

    max_payload: FrameSize = DEFAULT_MAX_PAYLOAD
    max_in_flight: Count = 64
    max_buffered: Count = 1 << 30
    max_clients: Count = 1024
    default_deadline: Seconds = 300.0
    cancel_grace: Seconds = 1.0
    frame_timeout: Seconds = 30.0
    handshake_timeout: Seconds = 5.0

    @field_validator("max_buffered")
    @classmethod
    def _holds_a_payload(cls, value: int, info: ValidationInfo) -> int:
        # One payload of a request and one of its answer: less, and a large request would wait for itself.
        least = 2 * info.data.get("max_payload", 0)
        if value < least:
            raise ValueError(f"must be at least twice limits.max_payload, which makes {least}")
        return value


class HealthSettings(_Table):
    """How each Blender is probed: every `interval`, at most `timeout` long.

    After `failures` in a row it is unhealthy. A main thread that is silent for `unresponsive_after`, with nothing of
    ours running, is a failure.
    """

    interval: ProbeInterval = 300.0
    timeout: Seconds = 5.0
    failures: Count = 3
    unresponsive_after: Seconds = 60.0


class LogSettings(_Table):
    """Logs go to standard error, one line an event."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


class Settings(BaseSettings):
    """All settings, checked. `Settings(...)` itself reads neither environment nor file: see `load_settings`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    listen: Listeners = Field(default_factory=lambda: [default_address()], examples=["unix:/run/user/1000/bpy.sock"])
    instances: dict[InstanceName, InstanceSettings] = Field(default_factory=dict)
    workers: dict[InstanceName, WorkerSettings] = Field(default_factory=dict)
    pool: PoolTable = Field(default_factory=PoolTable)
    limits: Limits = Field(default_factory=Limits)
    token: Secret | None = Field(default=None, examples=["…"])
    log: LogSettings = Field(default_factory=LogSettings)
    http: HttpAddress = Field(default="tcp:127.0.0.1:9871", examples=["tcp:127.0.0.1:9872"])
    health: HealthSettings = Field(default_factory=HealthSettings)
    drain_timeout: Seconds = 30.0

    @field_validator("workers")
    @classmethod
    def _one_name_one_blender(cls, workers: Any, info: ValidationInfo) -> Any:
        twice = sorted(set(workers) & set(info.data.get("instances", ())))
        if twice:
            raise ValueError(f"must have other names than the instances; both have {twice[0]!r}")
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
        own = self.instances.get(instance) or self.workers.get(instance)
        return PoolSettings(**{**self.pool.model_dump(), **(own.pool.model_dump(exclude_unset=True) if own else {})})

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


def _read(path: Any) -> str:
    try:
        return str(path.read_text(encoding="utf-8")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"must be readable: {error}") from None
