"""code.*: Python of the caller's own."""

from __future__ import annotations

import contextlib
import io
import linecache
import sys
import traceback
from types import TracebackType
from typing import Annotated, Any, Dict, Iterator, Optional, TypedDict

from ..autosave import before_code
from ..call import Call, Interrupted
from ..constraints import Size
from ..policy import permit_code
from ..results import plain, safe_repr
from ..wire import Fault
from .catalogue import command
from .code_guard import guarded, leave

_FILENAME = "<code>"
# As much as a model can use; what is printed beyond is counted, not kept.
_LONGEST_OUTPUT = 32_768


class Copied(TypedDict, total=False):
    autosave: str


class Executed(Copied):
    """`result` is the variable `result` as JSON, null where the code has set none. `autosave`, where the person wants
    one, is a copy of the file from before the code ran."""

    result: Any
    stdout: str
    stderr: str


@command("code.execute", destructive=True)
def execute(
    call: Call,
    *,
    code: Annotated[str, "Python; `bpy` is imported. Set `result` to get a value back", Size(0, 10_000_000)],
    args: Annotated[Optional[Dict[str, Any]], "what the code finds as its variable `args`, a dict"] = None,
) -> Executed:
    """Run Python in Blender, on its main thread. Answers what it printed, and its variable `result`.

    Vectors, matrices and arrays become lists, other objects their repr. Each call has a fresh namespace. What raises
    is `execution_failed` with the traceback; what it did before stays done. In long loops call
    `progress(done, total, message)`, which also tells the client how far it is. `sys.exit()` ends the code and not
    Blender; `bpy.ops.wm.quit_blender` is refused.
    """
    permit_code()
    out, err = _Output(), _Output()
    copy = before_code()
    copied: Copied = {"autosave": copy} if copy is not None else {}
    namespace = _namespace(call, args)
    with _streams(out, err), _source_lines(code), guarded():
        try:
            exec(compile(code, _FILENAME, "exec"), namespace)  # noqa: S102  # it is what the command is for
        except Interrupted:
            raise
        except SystemExit as leaving:
            # Blender itself would quit; a script that ends itself well has ended well.
            if leaving.code not in (None, 0):
                raise _failure(leaving, out, err, copied) from None
        except BaseException as error:  # noqa: BLE001  # the caller's code raises what it likes, and gets it told
            raise _failure(error, out, err, copied) from None
        result = plain(namespace.get("result"))
    call.check()
    return {"result": result, "stdout": out.text(), "stderr": err.text(), **copied}


def _namespace(call: Call, args: Optional[Dict[str, Any]]) -> Dict[str, Any]:
    import bpy

    def progress(done: float, total: float, message: str = "") -> None:
        """Tell the client: `done` of `total`, in any unit. Ends the code where the request was cancelled."""
        call.check()
        call.progress(done, total, message)

    # exit and quit are not builtins in every Blender.
    given = {"bpy": bpy, "progress": progress, "args": args or {}, "exit": leave, "quit": leave}
    return {"__name__": "__main__", **given}


class _Output(io.TextIOBase):
    """A stream that keeps the beginning and counts the rest."""

    def __init__(self) -> None:
        self._kept = io.StringIO()
        self._room = _LONGEST_OUTPUT
        self._left_out = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        kept = self._kept.write(text[: self._room])
        self._room -= kept
        self._left_out += len(text) - kept
        return len(text)

    def text(self) -> str:
        more = f"\n… {self._left_out} more characters" if self._left_out else ""
        return self._kept.getvalue() + more


@contextlib.contextmanager
def _streams(out: _Output, err: _Output) -> Iterator[None]:
    """Print into the outputs; reading standard input finds its end, instead of a terminal that nobody sits at."""
    stdin, sys.stdin = sys.stdin, io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield
    finally:
        sys.stdin = stdin


@contextlib.contextmanager
def _source_lines(code: str) -> Iterator[None]:
    """Tracebacks quote the code's lines."""
    linecache.cache[_FILENAME] = (len(code), None, code.splitlines(keepends=True), _FILENAME)
    try:
        yield
    finally:
        linecache.cache.pop(_FILENAME, None)


def _failure(error: BaseException, out: _Output, err: _Output, copied: Copied) -> Fault:
    kind = type(error).__name__
    told = "".join(traceback.format_exception(type(error), error, _own_frames(error.__traceback__)))
    line = f" (line {number})" if (number := _line_number(error)) else ""
    message = f"{kind}: {_text(error)}{line}"
    data = {"type": kind, "traceback": told, "stdout": out.text(), "stderr": err.text(), **copied}
    return Fault("execution_failed", message, data=data)


def _own_frames(frames: Optional[TracebackType]) -> Optional[TracebackType]:
    """The traceback from the caller's code on; none of ours (a syntax error has no frame of theirs)."""
    while frames is not None and frames.tb_frame.f_code.co_filename != _FILENAME:
        frames = frames.tb_next
    return frames


def _line_number(error: BaseException) -> Optional[int]:
    if isinstance(error, SyntaxError) and error.filename == _FILENAME:
        return error.lineno
    lines = [
        number for frame, number in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == _FILENAME
    ]
    return lines[-1] if lines else None


def _text(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return error.msg
    try:
        return str(error)[:1000]
    except Exception:  # noqa: BLE001  # the caller's own exception class may be broken
        return safe_repr(error)
