"""The directories and files. Nothing here makes one, and none of them need exist.

Without BPY_BRIDGE_HOME the operating system's places are used, with a directory of ours in each: configuration
(config.toml, token), runtime (bridge.sock, bridge.json), logs. With it, everything lies in that one directory.

There may be several bridges, by name: BPY_BRIDGE_NAME, `default` unless it is set. Each has a lock, a record, a socket
and a log of its own; another than the default has its name in theirs, as in bridge-NAME.sock.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from pathlib import Path

from bridge.errors import ConfigurationError

DEFAULT_HTTP_ADDRESS = "tcp:127.0.0.1:9871"
DEFAULT_TCP_ADDRESS = "tcp:127.0.0.1:9870"
DEFAULT_NAME = "default"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

# sizeof(sockaddr_un.sun_path), less the closing zero byte.
MAX_SOCKET_PATH = 103 if sys.platform == "darwin" else 107


def home() -> Path | None:
    """The directory that BPY_BRIDGE_HOME names, absolute; None where it is not set."""
    value = os.environ.get("BPY_BRIDGE_HOME", "")
    return Path(value).expanduser().absolute() if value else None


def bridge_name() -> str:
    """The name of the bridge that is meant: BPY_BRIDGE_NAME's. Raises ConfigurationError for what is no name."""
    name = os.environ.get("BPY_BRIDGE_NAME", "") or DEFAULT_NAME
    if _NAME.fullmatch(name) is None:
        raise ConfigurationError(
            f"{name!r} is no name for a bridge, in --name or BPY_BRIDGE_NAME: up to 64 letters, digits, '.', '_' and "
            "'-', for example studio"
        )
    return name


def config_file() -> Path:
    """The configuration file."""
    return _place("user_config_path") / "config.toml"


def token_file() -> Path:
    """The file with the token of this bridge's TCP doors."""
    return _place("user_config_path") / "token"


def mcp_token_file() -> Path:
    """The file with the token of MCP over HTTP, a token of its own: it is sent with every request."""
    return _place("user_config_path") / "mcp.token"


def runtime_directory() -> Path:
    """Where the lock, the socket and the record are."""
    return _place("user_runtime_path")


def lock_file() -> Path:
    """What the running bridge holds locked; it is there, unlocked, after a bridge that was killed."""
    return runtime_directory() / f"{_stem()}.lock"


def record_file() -> Path:
    """The record of the running bridge; there is none while no bridge runs."""
    return runtime_directory() / f"{_stem()}.json"


def worker_socket(worker: str) -> Path:
    """Where a Blender that the bridge starts under that name listens."""
    bridge = bridge_name()
    return runtime_directory() / (
        f"worker-{worker}.sock" if bridge == DEFAULT_NAME else f"worker-{worker}@{bridge}.sock"
    )


def log_directory() -> Path:
    """Where logs and the workers' output go; in BPY_BRIDGE_HOME its subdirectory `logs`."""
    base = home()
    return base / "logs" if base else _place("user_log_path")


def log_file() -> Path:
    """The log of a bridge in the background."""
    return log_directory() / f"{_stem()}.log"


def jobs_directory() -> Path:
    """Where the files of jobs go; in BPY_BRIDGE_HOME its subdirectory `jobs`."""
    name = bridge_name()
    return _place("user_state_path") / ("jobs" if name == DEFAULT_NAME else f"jobs-{name}")


def default_jobs_url() -> str:
    """The store of jobs where nothing else is said: a file beside their directory."""
    return f"sqlite://{jobs_directory().with_suffix('.sqlite').as_posix()}"


def default_address() -> str:
    """The door that a bridge opens when nothing else is said. Raises ConfigurationError for too long a path."""
    if sys.platform == "win32":
        return DEFAULT_TCP_ADDRESS
    path = runtime_directory() / f"{_stem()}.sock"
    check_socket_path(str(path), shorten="set BPY_BRIDGE_HOME to a shorter directory, for example /tmp/bpy")
    return f"unix:{path}"


def default_http() -> str:
    """The HTTP door that a bridge opens when nothing else is said: 9871, and a free port for one with another name."""
    return DEFAULT_HTTP_ADDRESS if bridge_name() == DEFAULT_NAME else "tcp:127.0.0.1:0"


def default_mcp() -> str:
    """The door for MCP relays: beside the first one, or a free port where there can be no Unix socket."""
    name = bridge_name()
    path = str(runtime_directory() / ("mcp.sock" if name == DEFAULT_NAME else f"mcp-{name}.sock"))
    possible = sys.platform != "win32" and len(os.fsencode(path)) <= MAX_SOCKET_PATH
    return f"unix:{path}" if possible else "tcp:127.0.0.1:0"


def check_socket_path(path: str, *, shorten: str = "choose a shorter one, for example /tmp/bpy.sock") -> None:
    """Raises ConfigurationError for a path that the operating system cannot bind; `shorten` says what to do."""
    length = len(os.fsencode(path))
    if length > MAX_SOCKET_PATH:
        raise ConfigurationError(
            f"the Unix socket path {path} is {length} bytes long, and {MAX_SOCKET_PATH} is the most: {shorten}"
        )


def _stem() -> str:
    name = bridge_name()
    return "bridge" if name == DEFAULT_NAME else f"bridge-{name}"


def _place(kind: str) -> Path:
    base = home()
    if base is not None:
        return base
    import platformdirs  # noqa: PLC0415  # a client that is told where home is need not pay for it

    with warnings.catch_warnings():
        # It warns where there is no runtime directory and /tmp has to serve; private.check_owner sees to that.
        warnings.simplefilter("ignore")
        found: Path = getattr(platformdirs, kind)("bpy-bridge", appauthor=False)
    return found
