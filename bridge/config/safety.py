"""What tools may do in Blenders."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field

from blender_addon.policy import ENVIRONMENT_CODE, ENVIRONMENT_FOLDERS

from .tables import Table
from .values import Folders


class OwnSafety(Table):
    """What one Blender that somebody else starts differs in. Where it writes files is its own preferences' business."""

    code: bool | None = Field(default=None, examples=[False])
    """Whether Python that is sent (code.execute) runs there, where that differs from `safety.code`."""


class WorkerSafety(OwnSafety):
    """What one Blender that the bridge starts differs in."""

    write_folders: Folders | None = Field(default=None, examples=["/home/me/renders"])
    """The folders below which alone it writes files, where they differ from `safety.write_folders`."""


class SafetySettings(Table):
    """`code` holds for every Blender, `write_folders` for those that the bridge starts."""

    code: bool = True
    """Whether Python that is sent (code.execute) runs; where not, it is refused before anything is sent."""
    write_folders: Folders | None = Field(default=None, examples=["/home/me/renders"])
    """The folders below which alone the Blenders that the bridge starts write files; anywhere where it is not set."""

    def with_own(self, own: OwnSafety | None) -> SafetySettings:
        """These, with what one Blender's own table sets in their place."""
        return self if own is None else self.model_copy(update=own.model_dump(exclude_none=True))

    def for_jobs(self, directory: Path) -> SafetySettings:
        """These for the Blenders of jobs, which may write where the jobs' files go, wherever else they may not."""
        if self.write_folders is None:
            return self
        return self.model_copy(update={"write_folders": [*self.write_folders, directory]})

    def variables(self) -> dict[str, str]:
        """What a worker's add-on reads, see blender_addon/policy.py."""
        folders = self.write_folders
        listed = {} if folders is None else {ENVIRONMENT_FOLDERS: os.pathsep.join(map(str, folders))}
        return {ENVIRONMENT_CODE: "true" if self.code else "false", **listed}
