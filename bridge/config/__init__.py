"""Settings: flags over environment over file over defaults; each error is one line that names the setting and the fix.

settings   what can be set, with its default and its check
values     the kinds of value: counts, seconds, addresses
sources    flags, BPY_BRIDGE_… variables and config.toml as nested tables
explain    what pydantic found wrong → a line for a person
load       brings them together
"""

from .load import load_settings
from .settings import InstanceSettings, Limits, LogSettings, Settings, WorkerSettings

__all__ = ["InstanceSettings", "Limits", "LogSettings", "Settings", "WorkerSettings", "load_settings"]
