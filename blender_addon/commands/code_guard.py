"""What sent code does not get to do to the Blender that runs it, by mistake: end it, or take the add-on away.

The operators that would are replaced while the code runs, and sys.exit. A fence, not a wall: `os._exit`, a signal, a
crash and what was kept from before pass it, and so does a SystemExit that is raised inside a handler or an operator.
"""

from __future__ import annotations

import contextlib
import sys
from types import FrameType
from typing import Any, Callable, Dict, Iterator, NoReturn, Optional, Set

# The package that Blender knows this add-on by: "blender_addon", "bl_ext.user_default.bpy_bridge".
_PACKAGE = __name__.rpartition(".commands.")[0]


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Replace them until the block ends."""
    original, sys.exit = sys.exit, leave
    try:
        with _guarded_operators():
            yield
    finally:
        sys.exit = original


def leave(status: Any = None) -> NoReturn:
    """sys.exit for sent code: the code ends. Where Blender called the code back, Python would end the process."""
    if _called_back(sys._getframe(1)):  # noqa: SLF001  # there is no other way to the caller's frame
        raise RuntimeError("sys.exit in an operator, a panel or a handler would end Blender: return instead")
    raise SystemExit(status)


def _called_back(frame: Optional[FrameType]) -> bool:
    """Whether Blender is among the callers."""
    import bpy

    lists = [getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)]
    functions = [function for known in lists if isinstance(known, list) for function in known]
    handlers = {getattr(function, "__code__", None) for function in functions}
    while frame is not None and frame.f_globals.get("__name__") != f"{_PACKAGE}.commands.code":
        code = frame.f_code
        first = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
        if code in handlers or (code.co_name in _CALLBACKS and isinstance(first, bpy.types.bpy_struct)):
            return True
        frame = frame.f_back
    return False


@contextlib.contextmanager
def _guarded_operators() -> Iterator[None]:
    # `bpy.ops` makes its modules anew at each look, so that one can stand before them.
    import bpy

    guards = {name: _Guarded(getattr(bpy.ops, name), replaced) for name, replaced in _REPLACED.items()}
    try:
        for name, guard in guards.items():
            setattr(bpy.ops, name, guard)
        yield
    finally:
        for name in guards:
            with contextlib.suppress(AttributeError):  # the code may have taken it away
                delattr(bpy.ops, name)


# The methods of operators, panels and menus that Blender calls.
_CALLBACKS = frozenset(("execute", "invoke", "modal", "check", "cancel", "draw", "draw_header", "update"))


class _Guarded:
    """One of bpy.ops' modules, with some of its operators replaced."""

    def __init__(self, module: Any, replaced: Dict[str, Callable[..., Any]]) -> None:
        self._module = module
        self._replaced = replaced

    def __getattr__(self, name: str) -> Any:
        original = getattr(self._module, name)
        return _Replaced(original, self._replaced[name]) if name in self._replaced else original

    def __dir__(self) -> Any:
        return dir(self._module)


class _Replaced:
    """An operator that does something else when it is called."""

    def __init__(self, original: Any, instead: Callable[..., Any]) -> None:
        self._original = original
        self._instead = instead

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._instead(self._original, *args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


def _stay(_original: Any, *_args: Any, **_options: Any) -> Any:
    raise RuntimeError("quit_blender is not for sent code: end the script with sys.exit(), and Blender yourself")


def _keep_preferences(original: Any, *_args: Any, **_options: Any) -> Any:
    name = original.idname_py() if hasattr(original, "idname_py") else "this operator"
    raise RuntimeError(f"{name} is not for sent code: it would disable this add-on, which runs it")


def _factory_scene(_original: Any, *_args: Any, use_empty: bool = False, **_options: Any) -> Set[str]:
    """Many scripts begin with it to get an empty scene, and that they get."""
    import bpy

    outcome: Set[str] = bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=use_empty)
    note = "read_factory_settings reset the scene alone: the preferences and add-ons are left as they are"
    print(note, file=sys.stderr)  # noqa: T201  # the script's own standard error
    return outcome


def _not_ourselves(original: Any, *args: Any, module: str = "", **options: Any) -> Any:
    if module == _PACKAGE:
        raise RuntimeError(f"{module} runs this code: disable it in the preferences")
    return original(*args, module=module, **options)


_REPLACED: Dict[str, Dict[str, Callable[..., Any]]] = {
    "wm": {
        "quit_blender": _stay,
        "read_factory_settings": _factory_scene,
        "read_factory_userpref": _keep_preferences,
    },
    "preferences": {"addon_disable": _not_ourselves, "addon_remove": _not_ourselves},
}
