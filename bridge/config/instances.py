"""What can be said of a Blender that somebody else starts. Times are seconds."""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from blender_addon.wire.address import parse_address

from .safety import OwnSafety
from .tables import PoolTable, Table
from .values import BlenderAddress, ExistingFile, Secret

DEFAULT_INSTANCE = "default"
"""The Blender that the bridge starts where neither an instance nor a worker is named."""


class InstanceSettings(Table):
    """A Blender that runs already and listens at `address`; on TCP it needs `token` or `token_file`.

    `pool` overrides the common pool settings, field by field.
    """

    address: BlenderAddress = Field(examples=["unix:/run/user/1000/blender.sock"])
    """Where it listens."""
    token_file: ExistingFile | None = Field(default=None, examples=["/home/me/blender-token"])
    """The file that holds its token."""
    token: Secret | None = Field(default=None, validate_default=True, examples=["…"])
    """Its token, which a Blender that listens on TCP asks for."""
    pool: PoolTable = Field(default_factory=PoolTable)
    """The limits of its connections, where they differ from the common ones."""
    safety: OwnSafety = Field(default_factory=OwnSafety)
    """What tools may do in it, where that differs from the common."""

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


def _read(path: Any) -> str:
    try:
        return str(path.read_text(encoding="utf-8")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"must be readable: {error}") from None
