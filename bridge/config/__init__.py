"""Settings: flags over environment over file over defaults; each error is one line that names the setting and the fix.

settings   what can be set, with its default and its check; instances, workers, safety, tables: the parts of it
values     the kinds of value: counts, seconds, addresses
sources    flags, BPY_BRIDGE_… variables and config.toml as nested tables
explain    what pydantic found wrong → a line for a person
load       brings them together
listing    every setting with its value, its source and its meaning
"""

from .instances import DEFAULT_INSTANCE, InstanceSettings
from .listing import Setting, list_settings
from .load import Sources, check, load_settings, read_sources
from .safety import SafetySettings
from .settings import Limits, LogSettings, Settings
from .workers import WorkerSettings

__all__ = [
    "DEFAULT_INSTANCE",
    "InstanceSettings",
    "Limits",
    "LogSettings",
    "SafetySettings",
    "Setting",
    "Settings",
    "Sources",
    "WorkerSettings",
    "check",
    "list_settings",
    "load_settings",
    "read_sources",
]
