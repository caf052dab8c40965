"""Frames → a video: ffmpeg is given them, its errors are told, its end is the job's."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import psutil
import pytest
import trio

from bridge.jobs.attempt import JobFailed
from bridge.jobs.kinds.video import encoded
from bridge.jobs.outputs import Outputs
from bridge.jobs.work import Work
from tests.bridge.jobs.claims import FakeBlender, claims_in


@pytest.fixture
async def work(tmp_path):
    with claims_in(tmp_path / "jobs") as claims:
        job = claims.submit("render.animation", video="mp4")
        outputs = Outputs(claims.directory / job.id, 1)
        await outputs.begin(anew=False)
        yield Work(claims.claim(), FakeBlender(), outputs)


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch):
    """ffmpeg(script): a shell script in its place."""

    def put(script: str) -> None:
        (tmp_path / "bin").mkdir()
        program = tmp_path / "bin" / "ffmpeg"
        program.write_text(f"#!/bin/sh\nfor made; do :; done\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    return put


def frames(work: Work, count: int, width: int = 16, height: int = 16) -> list[Path]:
    """Pictures of one colour each."""
    made = [work.outputs.kept / f"frame_{number:05}.png" for number in range(count)]
    for number, path in enumerate(made):
        path.write_bytes(png(width, height, number))
    return made


def png(width: int, height: int, shade: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = (b"\0" + bytes([shade, 0, 0]) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="needs ffmpeg (Debian: apt-get install ffmpeg)")
@pytest.mark.parametrize("video", ["mp4", "mkv", "webm"])
async def test_it_has_every_frame_at_the_scene_s_rate_and_an_even_size(work, video):
    made = await encoded(work, frames(work, 12, width=15, height=17), 12.0, video)
    assert made == work.outputs.kept / f"animation.{video}"
    asked = ["-count_frames", "-show_entries", "stream=nb_read_frames,avg_frame_rate,width,height"]
    probe = subprocess.run(
        ["ffprobe", "-v", "error", *asked, "-of", "default=nw=1", made], capture_output=True, text=True, check=True
    )
    assert set(probe.stdout.split()) == {"width=16", "height=18", "avg_frame_rate=12/1", "nb_read_frames=12"}


async def test_frames_come_on_its_standard_input_and_progress_is_told(work, ffmpeg):
    ffmpeg('cat > "$made"')
    pictures = frames(work, 3)
    made = await encoded(work, pictures, 24.0, "mp4")
    assert made.read_bytes() == b"".join(path.read_bytes() for path in pictures)
    await work.attempt.flush()
    progress = work.attempt._store.get(work.attempt.job.id).progress
    assert (progress["done"], progress["total"], progress["message"]) == (3, 3, "video: frame 3 of 3")


async def test_one_that_is_there_is_not_made_again(work, ffmpeg):
    ffmpeg("exit 1")
    (work.outputs.kept / "animation.mp4").write_text("made")
    assert (await encoded(work, frames(work, 1), 24.0, "mp4")).read_text() == "made"


async def test_an_ffmpeg_that_fails_is_an_error_with_its_last_words(work, ffmpeg):
    ffmpeg("echo Unknown encoder libx264 >&2; exit 8")
    pictures = frames(work, 3)
    for path in pictures:
        path.write_bytes(bytes(1 << 20))  # more than a pipe holds
    with pytest.raises(JobFailed, match="status 8") as caught:
        await encoded(work, pictures, 24.0, "mp4")
    assert caught.value.data["output"] == ["Unknown encoder libx264"]
    assert not caught.value.final
    assert "animation.mp4" not in await work.outputs.finished()


async def test_an_ffmpeg_that_has_gone_since_the_submit_is_an_error(work, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(JobFailed, match="no ffmpeg"):
        await encoded(work, frames(work, 1), 24.0, "mp4")


async def test_cancelled_it_is_killed(work, ffmpeg, tmp_path, nursery):
    ffmpeg(f"trap '' TERM; echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; exec sleep 600")
    with trio.fail_after(30):
        async with trio.open_nursery() as encoding:
            encoding.start_soon(encoded, work, frames(work, 1), 24.0, "mp4")
            while not (tmp_path / "pid").exists():
                await trio.sleep(0.01)
            encoding.cancel_scope.cancel()
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
