"""What the person who installed the add-on has chosen, and what follows from it for commands."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

from .policy import Policy, policy_from_environment, set_policy, split_folders, strictest


class Settings(NamedTuple):
    """The preferences. `write_folders` is written as PATH is, and counts unless `write_anywhere`."""

    autostart: bool = True
    announce_name: str = ""
    allow_code: bool = True
    write_anywhere: bool = True
    write_folders: str = ""
    autosave: bool = False


def settings() -> Settings:
    """What is chosen now; the defaults in a Blender where the add-on is not enabled. Main thread."""
    page = preferences_page()
    if page is None:
        return Settings()
    return Settings(*(getattr(page, field) for field in Settings._fields))


def preferences_page() -> Optional[Any]:
    """The add-on's preferences as Blender keeps them, None where it is not enabled. Main thread."""
    import bpy  # noqa: PLC0415  a worker has no preferences and asks nonetheless

    entry = bpy.context.preferences.addons.get(__package__)
    page = getattr(entry, "preferences", None)
    # Blender has a page without our properties while the add-on is being registered.
    return page if hasattr(page, Settings._fields[-1]) else None


def policy_of(chosen: Settings) -> Policy:
    """What the preferences allow."""
    folders = None if chosen.write_anywhere else split_folders(chosen.write_folders)
    return Policy(chosen.allow_code, folders)


def apply_policy() -> None:
    """Let commands do what the preferences and the environment both allow. Main thread."""
    set_policy(strictest(policy_of(settings()), policy_from_environment()))
