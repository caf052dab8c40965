"""Frames → a video, by ffmpeg. It reads them from its standard input, and so ends with the bridge, too."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

import trio

from blender_addon.commands.lookup import refuse
from bridge.jobs.attempt import JobFailed
from bridge.jobs.work import Work

_READS = {"png": "png", "jpg": "mjpeg"}
_H264 = ["-c:v", "libx264", "-crf", "18", "-preset", "medium"]
_WRITES = {
    "mp4": [*_H264, "-movflags", "+faststart"],
    "mkv": _H264,
    "webm": ["-c:v", "libvpx-vp9", "-crf", "30", "-b:v", "0", "-row-mt", "1"],
}
# Most players want 4:2:0, which has no odd sizes.
_PLAYABLE = ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"]
_LAST_WORDS = 2_000


def examine_video(params: Mapping[str, Any]) -> None:
    """A video can be made of that, where one is wanted. Raises Fault."""
    if params.get("video") is None:
        return
    picture = params.get("format", "png")
    if picture not in _READS:
        raise refuse("video", f"is made of png or jpg, not of {picture}: leave video away, or choose another format")
    if shutil.which("ffmpeg") is None:
        raise refuse(
            "video", "needs ffmpeg, which is not installed where the bridge runs: install it, or leave it away"
        )


async def encoded(work: Work, frames: Sequence[Path], fps: float, video: str) -> Path:
    """A video of the frames among the outputs, named after its format. Raises JobFailed with ffmpeg's last words."""
    name = f"animation.{video}"
    made = work.outputs.unfinished / name
    if name not in await work.outputs.finished():
        async with work.attempt.phase("encoding"):
            await _encode(work, frames, _command(frames[0], fps, made))
            await work.attempt.confirm()
            await work.outputs.keep(made)
    return work.outputs.kept / name


def _command(first: Path, fps: float, made: Path) -> list[str]:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise JobFailed("no_ffmpeg", "there is no ffmpeg on PATH any more: install it, and retry the job")
    source = ["-f", "image2pipe", "-framerate", f"{fps:.6f}", "-c:v", _READS[first.suffix[1:]], "-i", "pipe:0"]
    return [
        ffmpeg,
        "-hide_banner",
        "-loglevel",
        "warning",
        "-y",
        *source,
        *_WRITES[made.suffix[1:]],
        *_PLAYABLE,
        str(made),
    ]


async def _encode(work: Work, frames: Sequence[Path], command: list[str]) -> None:
    with work.outputs.log.open("ab") as log:
        status = await _run(work, frames, command, log)
    if status:
        raise JobFailed("ffmpeg_failed", f"ffmpeg ended with status {status}", data={"output": _tail(work.outputs.log)})


async def _run(work: Work, frames: Sequence[Path], command: list[str], log: IO[bytes]) -> int | None:
    start = partial(
        trio.run_process,
        command,
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        check=False,
        deliver_cancel=_kill,
    )
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(start)
        assert process.stdin is not None
        # Where it ends early, its status says so.
        with suppress(trio.BrokenResourceError):
            for number, frame in enumerate(frames, 1):
                await process.stdin.send_all(await trio.to_thread.run_sync(frame.read_bytes))
                work.attempt.progress(number, len(frames), f"video: frame {number} of {len(frames)}")
        await process.stdin.aclose()
    return process.returncode


async def _kill(process: trio.Process) -> None:  # noqa: ASYNC124  # trio awaits it
    process.kill()


def _tail(log: Path) -> list[str]:
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _LAST_WORDS))
        return file.read().decode(errors="replace").splitlines()
