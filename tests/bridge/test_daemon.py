"""Being the one bridge of a name: the lock, the record, the first word; and what becomes of logs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from bridge import paths
from bridge.daemon import Tenure, ending, logs
from bridge.daemon.detach import Launcher
from bridge.daemon.logs import follow, last_lines, lines_since
from bridge.daemon.notify import notify
from bridge.errors import AlreadyRunning, ConfigurationError, DaemonError

HOLD = """if True:
    import os, sys
    from bridge.daemon import Tenure
    with Tenure(["--http", "off"]) as tenure:
        if "open" in sys.argv:
            import socket
            door = socket.create_server(("127.0.0.1", 0))
            tenure.announce([f"tcp:127.0.0.1:{door.getsockname()[1]}"], None)
        print("held", flush=True)
        sys.stdin.read()
"""
WAIT = 30


@contextmanager
def another(*words, code=HOLD):
    """A process that is the bridge, until its standard input ends."""
    command = [sys.executable, "-c", code, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


class TestTheLock:
    def test_its_holder_is_known_without_taking_it(self, home):
        assert paths.holder(paths.lock_file()) is None
        with another() as process:
            assert paths.holder(paths.lock_file()) == process.pid

    def test_it_dies_with_its_holder(self, home):
        with another() as process:
            process.kill()
            process.wait(WAIT)
            assert paths.lock_file().exists()
            assert paths.holder(paths.lock_file()) is None
            with Tenure():
                assert paths.holder(paths.lock_file()) == os.getpid()

    def test_one_process_has_it_and_another_learns_so_at_once(self, home):
        with another():
            assert paths.Lock.take(paths.lock_file()) is None
        lock = paths.Lock.take(paths.lock_file())
        assert paths.Lock.take(paths.lock_file()) is None, "not twice in one process either"
        lock.release()
        lock.release()
        assert not paths.lock_file().exists()

    def test_who_looks_from_inside_the_holder_does_not_drop_it(self, home):
        look = "from bridge import paths; paths.holder(paths.lock_file()); paths.Lock.take(paths.lock_file())"
        with another(code=HOLD.replace("print(", f"{look}\n        print(")) as process:
            assert paths.holder(paths.lock_file()) == process.pid

    @pytest.mark.parametrize("then", ["os.execlp('sleep', 'sleep', '1000')", "__import__('signal').pause()"])
    def test_a_forked_child_does_not_keep_it(self, home, then):
        with another(code=HOLD.replace("print(", f"os.fork() or {then}\n        print(")) as process:
            [child] = children(process.pid)
            process.kill()
            process.wait(WAIT)
            try:
                assert paths.holder(paths.lock_file()) is None
            finally:
                os.kill(child, signal.SIGKILL)

    def test_a_file_that_its_holder_removed_meanwhile_is_not_mistaken_for_the_lock(self, home, monkeypatch):
        paths.ensure_private(home)
        path = paths.lock_file()
        path.touch()
        real, removed = os.open, []

        def late(*arguments, **options):
            file = real(*arguments, **options)
            if not removed:
                removed.append(path.unlink())
            return file

        monkeypatch.setattr(os, "open", late)
        lock = paths.Lock.take(path)
        monkeypatch.undo()
        assert removed
        assert path.exists()
        lock.release()

    def test_who_looks_while_the_lock_goes_from_one_to_the_next_sees_the_next(self, home, monkeypatch):
        paths.ensure_private(home)
        paths.lock_file().touch()
        real = os.open
        with ExitStack() as stack:
            seen = []

            def late(*arguments, **options):
                file = real(*arguments, **options)
                monkeypatch.undo()
                monkeypatch.setenv("BPY_BRIDGE_HOME", str(home))
                paths.lock_file().unlink()
                seen.append(stack.enter_context(another()).pid)
                return file

            monkeypatch.setattr(os, "open", late)
            assert [paths.holder(paths.lock_file())] == seen

    def test_a_directory_in_its_place_is_a_clear_error(self, home):
        paths.ensure_private(home)
        paths.lock_file().mkdir()
        with pytest.raises(ConfigurationError, match=r"the lock file .*bridge.lock cannot be used: Is a directory"):
            paths.Lock.take(paths.lock_file())


def children(pid):
    return [child.pid for child in psutil.Process(pid).children()]


class TestTenure:
    def test_it_leaves_nothing_behind(self, home):
        with Tenure() as tenure:
            tenure.announce(["unix:/door"], None)
            assert {path.name for path in home.iterdir()} == {"bridge.lock", "bridge.json"}
        assert list(home.iterdir()) == []

    def test_a_bridge_is_on_record_from_its_first_moment_with_its_flags_and_has_doors_when_it_says_so(self, home):
        with another() as process:
            starting = paths.running()
            assert (starting.pid, starting.listen, starting.flags) == (process.pid, [], ("--http", "off"))
            assert starting.cwd == os.getcwd()
        with another("open") as process:
            assert paths.running().pid == process.pid
            assert paths.running().listen[0].startswith("tcp:127.0.0.1:")

    def test_a_second_one_is_refused_with_the_first_ones_process_and_how_to_stop_it(self, home):
        with another() as process, pytest.raises(AlreadyRunning) as caught, Tenure():
            pass
        assert f"the bridge 'default' runs already (process {process.pid})" in str(caught.value)
        assert "`bpy-bridge stop`" in str(caught.value)
        assert AlreadyRunning.exit_code == 2

    def test_under_another_name_there_may_be_another(self, home, monkeypatch):
        with another("open"):
            monkeypatch.setenv("BPY_BRIDGE_NAME", "studio")
            with Tenure() as tenure:
                tenure.announce(["unix:/studio"], None)
                assert paths.running().listen == ["unix:/studio"]
            with another(), pytest.raises(AlreadyRunning, match="bpy-bridge stop --name studio"), Tenure():
                pass

    def test_what_a_killed_one_left_is_cleaned_with_a_line_saying_so(self, home):
        with another("open") as process:
            process.kill()
            process.wait(WAIT)
            assert paths.running() is None
            with Tenure() as tenure:
                [remark] = tenure.remarks
                assert f"bridge process {process.pid} ended without removing it" in remark
                assert paths.running().pid == os.getpid()

    def test_the_sockets_of_its_workers_are_removed_and_no_other_bridges(self, home):
        paths.ensure_private(home)
        own, other = paths.worker_socket("a"), home / "worker-a@studio.sock"
        for path in (own, other):
            path.touch()
        with Tenure():
            assert (own.exists(), other.exists()) == (False, True)

    def test_a_worker_of_a_killed_one_that_could_not_end_is_killed(self, home, stopped):
        paths.ensure_private(home)
        paths.worker_socket("a").touch()
        paths.note_worker(paths.worker_socket("a"), stopped.pid)
        with Tenure() as tenure:
            assert tenure.remarks == [f"killed process {stopped.pid}, a Blender whose bridge was killed before it"]
            assert stopped.wait(WAIT) == -signal.SIGKILL
            assert not list(home.glob("worker-*"))

    def test_a_process_that_was_given_a_worker_s_number_later_is_left_alone(self, home, sleeper):
        paths.ensure_private(home)
        paths.worker_socket("a").touch()
        said = {"pid": sleeper.pid, "started": 1.0}
        paths.worker_socket("a").with_suffix(".json").write_text(json.dumps(said))
        with Tenure() as tenure:
            assert tenure.remarks == []

    def test_where_the_record_cannot_be_written_nobody_is_the_bridge(self, home, monkeypatch):
        def fail(record):
            raise ConfigurationError("the disk is full")

        monkeypatch.setattr(paths, "write_record", fail)
        with pytest.raises(ConfigurationError, match="the disk is full"), Tenure():
            pass
        assert paths.holder(paths.lock_file()) is None
        assert list(home.iterdir()) == []


@pytest.fixture
def sleeper():
    """A process that has nothing to do with it, and lives until it is signalled."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        assert process.poll() is None, "it was signalled"
        process.kill()


@pytest.fixture
def stopped():
    """A process that is stopped, so that it ends by nothing but SIGKILL."""
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as process:
        process.send_signal(signal.SIGSTOP)
        yield process
        process.kill()


class TestARecordThatLies:
    def lie(self, pid, started, **others):
        paths.write_record(paths.Record(pid, started, "1", ["unix:/lie"], **others))

    @pytest.mark.parametrize("own", [True, False])
    def test_without_the_lock_nobody_runs_whatever_it_says(self, home, sleeper, own):
        pid = os.getpid() if own else sleeper.pid
        self.lie(pid, paths.process_start(pid))
        assert paths.running() is None
        assert ending.stop(timeout=1.0, force=True) is None

    def test_the_locks_holder_is_stopped_and_not_the_process_that_it_names(self, home, sleeper):
        with another("open") as process:
            self.lie(sleeper.pid, paths.process_start(sleeper.pid))
            assert paths.running()[:4] == (process.pid, paths.process_start(process.pid), "", [])
            assert ending.stop(timeout=WAIT).pid == process.pid
            assert process.wait(WAIT) == -signal.SIGTERM

    def test_one_with_the_holders_pid_from_an_earlier_process_is_not_believed(self, home):
        with another("open") as process:
            self.lie(process.pid, paths.process_start(process.pid) - 1)
            assert paths.running().listen == []

    @pytest.mark.parametrize("pid", [0, -1, 1, 2**40])
    def test_impossible_pids_are_not_signalled(self, home, pid):
        self.lie(pid, None)
        assert ending.stop(timeout=1.0, force=True) is None
        assert not paths.read_record().is_current()
        with another() as process:
            assert paths.running().pid == process.pid


STUBBORN = "import signal, subprocess; signal.signal(15, signal.SIG_IGN)\nsubprocess.Popen(['sleep', '1000'])\n" + HOLD


class TestStop:
    def test_one_that_does_not_end_in_time_is_an_error_that_says_what_helps(self, home):
        with another(code=STUBBORN) as process:
            [child] = children(process.pid)
            with pytest.raises(DaemonError, match="--force") as caught:
                ending.stop(timeout=0.05)
            assert caught.value.exit_code == 5
            assert process.poll() is None
            os.kill(child, signal.SIGKILL)

    def test_by_force_it_is_killed_then_with_all_that_it_started(self, home):
        with another(code=STUBBORN) as process:
            [child] = children(process.pid)
            paths.worker_socket("a").touch()
            stopped = ending.stop(timeout=0.05, force=True)
            assert not paths.worker_socket("a").exists()
            assert (stopped.pid, stopped.killed) == (process.pid, True)
            assert process.wait(WAIT) == -signal.SIGKILL
            assert paths.process_start(child) is None

    def test_one_that_is_ending_already_is_not_told_a_second_time(self, home):
        closed = HOLD.replace("print(", "tenure.announce(['unix:/closed'], None)\n        print(")
        with another(code=closed) as process:
            with pytest.raises(DaemonError):
                ending.stop(timeout=0.2)
            assert process.poll() is None

    def test_it_tells_what_the_next_one_is_to_be_started_with(self, home):
        with another():
            assert ending.stop(timeout=WAIT).flags == ("--http", "off")


class TestTheLaunchersWord:
    @pytest.fixture
    def pipe(self):
        reading, writing = os.pipe()
        with open(reading) as words:
            yield words, Launcher(writing)

    def test_it_is_told_that_the_doors_are_open(self, home, pipe):
        words, launcher = pipe
        with Tenure(launcher=launcher) as tenure:
            tenure.announce(["unix:/door"], None)
            assert json.loads(words.read()) == {"ready": True, "remarks": []}

    def test_it_is_told_why_not(self, home, pipe):
        words, launcher = pipe
        with pytest.raises(ConfigurationError), Tenure(launcher=launcher):
            raise ConfigurationError("the port is taken")
        word = json.loads(words.readline())
        assert (word["ready"], word["taken"], word["error"], word["exit_code"]) == (
            False,
            False,
            "the port is taken",
            2,
        )

    def test_it_is_told_that_another_one_came_first(self, home, pipe):
        words, launcher = pipe
        with another(), pytest.raises(AlreadyRunning), Tenure(launcher=launcher):
            pass
        assert json.loads(words.readline())["taken"] is True

    def test_one_that_is_gone_changes_nothing(self, home, pipe):
        words, launcher = pipe
        words.close()
        with Tenure(launcher=launcher) as tenure:
            tenure.announce(["unix:/door"], None)
            assert paths.running().listen == ["unix:/door"]


class TestSystemd:
    @pytest.mark.parametrize("abstract", [True, False])
    def test_it_is_told_that_the_doors_are_open(self, home, tmp_path, monkeypatch, abstract):
        name = f"@{tmp_path}/notify"[:80] if abstract else f"{tmp_path}/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind("\0" + name[1:] if abstract else name)
            monkeypatch.setenv("NOTIFY_SOCKET", name)
            with Tenure() as tenure:
                systemd.setblocking(False)
                with pytest.raises(BlockingIOError):
                    systemd.recv(100)
                tenure.announce(["unix:/door"], None)
                assert systemd.recv(100).decode() == f"READY=1\nMAINPID={os.getpid()}"

    @pytest.mark.parametrize("address", ["", "/nowhere", "vsock:1:2"])
    def test_one_that_is_not_there_is_no_error(self, monkeypatch, address):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        notify("READY=1")


class TestLogs:
    @pytest.fixture
    def log(self, tmp_path):
        path = tmp_path / "bridge.log"
        path.write_text("".join(f"line {number}\n" for number in range(1000)))
        return path

    def test_the_last_lines_come_from_the_end(self, log):
        assert last_lines(log, 2) == ["line 998", "line 999"]
        assert last_lines(log, 0) == []
        assert len(last_lines(log, 5000)) == 1000

    def test_lines_longer_than_a_block_come_whole(self, log):
        log.write_text("x" * 200_000 + "\ny\n" + "z" * 200_000)
        assert [len(line) for line in last_lines(log, 2)] == [1, 200_000]

    def test_what_was_rotated_away_is_gone_on_with(self, log):
        log.rename(f"{log}.2")
        (log.parent / "bridge.log.1").write_text("former\n")
        log.write_text("new\n")
        assert last_lines(log, 3) == ["line 999", "former", "new"]

    def test_what_came_since_is_that_and_no_more(self, log):
        size = log.stat().st_size
        with log.open("a") as file:
            file.write("then\n")
        assert lines_since(log, size) == ["then"]
        log.write_text("rotated\n")
        assert lines_since(log, size) == ["rotated"]

    def test_followed_each_line_comes_once_over_the_ends_of_files(self, log):
        lines = follow(log, 1)
        assert next(lines) == "line 999"
        with log.open("a") as file:
            file.write("a\n")
            file.flush()
            assert next(lines) == "a"
            file.write("half")
            log.rename(f"{log}.1")
            file.write(" a line\n")
        log.write_text("new\n")
        assert [next(lines), next(lines)] == ["half a line", "new"]
        with log.open("a") as file:
            file.write("newer\n")
        assert next(lines) == "newer"
        lines.close()

    def test_a_line_that_comes_between_the_last_look_and_the_files_end_is_not_lost(self, log, monkeypatch):
        real = logs._following

        def late(file, path):
            monkeypatch.setattr(logs, "_following", real)
            with log.open("a") as last:
                last.write("last of the old\n")
            log.rename(f"{log}.1")
            log.write_text("first of the new\n")
            return real(file, path)

        monkeypatch.setattr(logs, "_following", late)
        monkeypatch.setattr(logs, "_pause", lambda _: pytest.fail("it waits for more"))
        lines = follow(log, 0)
        assert [next(lines), next(lines)] == ["last of the old", "first of the new"]
        lines.close()
