"""What a worker prints: the last lines in mind, all of it in a file of bounded size."""

from __future__ import annotations

import os
import stat
from collections import deque

import trio
import trio.testing

from bridge.supervisor import output
from bridge.supervisor.output import Output
from tests.bridge.line import until

from .standin import GOOD, READY, STAY, make, running


async def take(taker: Output, *chunks: bytes) -> None:
    send, receive = trio.testing.memory_stream_pair()
    for chunk in chunks:
        await send.send_all(chunk)
    await send.aclose()
    await taker.follow(receive)


async def test_phases_are_told_and_are_no_output(tmp_path):
    told, lines = [], deque()
    taker = Output("w", lines, tmp_path / "w.log")
    taker.begin(told.append)
    await take(taker, b'hello\n{"phase": "impor', b'ting"}\nno end {"ready": true}\n{"phase": "x"}\n{"ready"\n')
    assert told == ["importing", "ready"]
    assert list(lines) == ["hello", "no end ", '{"phase": "x"}', '{"ready"']
    taker.close()
    assert (tmp_path / "w.log").read_text().splitlines() == list(lines)


async def test_half_a_line_of_the_last_process_does_not_spoil_the_next_one_s(tmp_path):
    told = []
    taker = Output("w", deque(), None)
    taker.begin(told.append)
    await take(taker, b"cut off within a li")
    taker.begin(told.append)
    await take(taker, b'{"ready": true}\n')
    assert told == ["ready"]


async def test_where_nothing_is_printed_there_is_no_file(tmp_path):
    async with running(make(tmp_path, GOOD, log_path=tmp_path / "logs" / "w.log")) as worker:
        await worker.start()
    assert not (tmp_path / "logs").exists()


async def test_the_file_is_its_owner_s_alone_bounded_and_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(output, "MAX_BYTES", 10_000)
    path = tmp_path / "logs" / "w.log"
    chatter = 'for i in range(2000): say(f"line {i}\\n")\nsay("x" * 5000 + "\\nend\\n")\n'
    async with running(make(tmp_path, READY + chatter + STAY, log_path=path)) as worker:
        await until(lambda: "end" in worker.state.output)
        assert len(worker.state.output) == 50
        assert max(map(len, worker.state.output)) == 2000
    files = sorted(os.listdir(path.parent))
    assert files == ["w.log", "w.log.1"]
    assert "".join((path.parent / name).read_text() for name in reversed(files)).endswith("end\n")
    assert sum((path.parent / name).stat().st_size for name in files) < 100_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_where_the_file_cannot_be_written_the_worker_lives_on(tmp_path):
    (tmp_path / "logs").touch()
    async with running(make(tmp_path, 'say("hello\\n")\n' + GOOD, log_path=tmp_path / "logs" / "w.log")) as worker:
        await worker.start()
        assert list(worker.state.output) == ["hello"]


async def test_what_comes_half_a_minute_after_the_disk_was_full_is_kept_again(tmp_path, autojump_clock):
    (tmp_path / "logs").touch()
    taker = Output("w", deque(), tmp_path / "logs" / "w.log")
    await take(taker, b"lost\n")
    (tmp_path / "logs").unlink()
    await take(taker, b"lost too\n")
    await trio.sleep(31)
    await take(taker, b"kept\n")
    taker.close()
    assert (tmp_path / "logs" / "w.log").read_text() == "kept\n"
