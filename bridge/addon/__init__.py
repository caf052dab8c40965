"""Our add-on in the Blenders of this machine: built, installed, removed, looked up. Nothing here needs a bridge.

programs      which Blenders there are, and of which version
places        where each keeps what its user installed
copies        the copies of our add-on there, of which version, and whether they are enabled
build         the two zips: the extension of Blender 4.2 and later, the add-on of the old kind before
installation  a Blender, started for it, installs or removes it;  in_blender: what runs there
listing       each Blender with what it has, and what is to be done about it
"""

from .build import Archive, build
from .copies import Copy, copies_in
from .installation import install, uninstall
from .listing import Row, list_blenders
from .places import user_directories
from .programs import Program, executables, find, version_in, version_of

__all__ = [
    "Archive",
    "Copy",
    "Program",
    "Row",
    "build",
    "copies_in",
    "executables",
    "find",
    "install",
    "list_blenders",
    "uninstall",
    "user_directories",
    "version_in",
    "version_of",
]
