"""Where the bridge keeps things, and how a client finds the bridge that is running.

places      the directories and files: the operating system's, or all under BPY_BRIDGE_HOME; by BPY_BRIDGE_NAME
private     directories and files that are their owner's alone
tokens      the token of the TCP doors, made at first use
lock        who the running bridge is
record      what the running bridge says about itself
silence     why nobody answers there
workers     the workers that it started
discovery   address and token of the running bridge, for a client

The command line starts with this package, so it imports the standard library and platformdirs only.
"""

from .discovery import find_bridge
from .lock import UNSEEN, Lock, holder
from .places import (
    DEFAULT_HTTP_ADDRESS,
    DEFAULT_NAME,
    DEFAULT_TCP_ADDRESS,
    bridge_name,
    check_socket_path,
    config_file,
    default_address,
    default_http,
    default_jobs_url,
    default_mcp,
    home,
    jobs_directory,
    lock_file,
    log_directory,
    log_file,
    mcp_token_file,
    record_file,
    runtime_directory,
    token_file,
    worker_socket,
)
from .private import ensure_private
from .record import (
    Record,
    process_exists,
    process_start,
    read_record,
    remove_record,
    remove_stale_record,
    running,
    write_record,
)
from .silence import is_stopped, no_answer, other_bridges, silent_bridge
from .tokens import ensure_token, read_token
from .workers import LeftWorker, forget_worker, left_workers, note_worker

__all__ = [
    "DEFAULT_NAME",
    "DEFAULT_HTTP_ADDRESS",
    "DEFAULT_TCP_ADDRESS",
    "UNSEEN",
    "LeftWorker",
    "Lock",
    "Record",
    "bridge_name",
    "check_socket_path",
    "config_file",
    "default_address",
    "default_http",
    "default_jobs_url",
    "default_mcp",
    "ensure_private",
    "ensure_token",
    "find_bridge",
    "forget_worker",
    "holder",
    "home",
    "is_stopped",
    "jobs_directory",
    "left_workers",
    "lock_file",
    "log_directory",
    "log_file",
    "mcp_token_file",
    "no_answer",
    "note_worker",
    "other_bridges",
    "process_exists",
    "process_start",
    "read_record",
    "read_token",
    "record_file",
    "remove_record",
    "remove_stale_record",
    "running",
    "runtime_directory",
    "silent_bridge",
    "token_file",
    "worker_socket",
    "write_record",
]
