"""Tokens in files of their own. The one of the TCP doors is never sent, never printed, never logged."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from bridge.errors import ConfigurationError

from .places import token_file
from .private import ensure_private, write_new


def ensure_token(path: Path | None = None) -> str:
    """The token in the token file, or in another one, made at first use.

    Bridges that start at the same moment get the same one.
    """
    path = path or token_file()
    found = read_token(path)
    if found is not None:
        return found
    ensure_private(path.parent)
    try:
        # A link appears whole or not at all, and the second to come finds the first one's.
        new = write_new(path, os.urandom(32).hex() + "\n")
        try:
            with contextlib.suppress(FileExistsError):
                os.link(new, path)
        finally:
            new.unlink()
    except OSError as error:
        raise ConfigurationError(f"the token file {path} cannot be made: {error.strerror}") from error
    made = read_token(path)
    if made is None:
        raise ConfigurationError(f"the token file {path} went away while it was made: start again")
    return made


def read_token(path: Path | None = None) -> str | None:
    """The token in the token file, or in another one; None where there is none.

    Raises ConfigurationError for an unsafe or empty file.
    """
    path = path or token_file()
    try:
        status = path.stat()
        if sys.platform != "win32" and status.st_mode & 0o077:
            if status.st_uid != os.getuid():
                raise ConfigurationError(f"the token file {path} belongs to another user and is open: replace it")
            path.chmod(0o600)
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the token file {path} cannot be read: {error}") from error
    if not text:
        raise ConfigurationError(f"the token file {path} is empty: remove it, and `bpy-bridge serve` makes a new one")
    return text
