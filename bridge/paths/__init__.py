"""Where the bridge keeps things, and how a client finds the bridge that is running.

places      the directories and files: the operating system's, or all under BPY_BRIDGE_HOME
private     directories and files that are their owner's alone
tokens      the token of the TCP doors, made at first use
record      what the running bridge says about itself
discovery   address and token of the running bridge, for a client

The command line starts with this package, so it imports the standard library and platformdirs only.
"""

from .discovery import find_bridge
from .places import (
    DEFAULT_TCP_ADDRESS,
    check_socket_path,
    config_file,
    default_address,
    home,
    log_directory,
    record_file,
    runtime_directory,
    token_file,
)
from .private import ensure_private
from .record import Record, read_record, remove_record, write_record
from .tokens import ensure_token, read_token

__all__ = [
    "DEFAULT_TCP_ADDRESS",
    "Record",
    "check_socket_path",
    "config_file",
    "default_address",
    "ensure_private",
    "ensure_token",
    "find_bridge",
    "home",
    "log_directory",
    "read_record",
    "read_token",
    "record_file",
    "remove_record",
    "runtime_directory",
    "token_file",
    "write_record",
]
