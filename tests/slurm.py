"""A real Slurm of the tests' own: munged, slurmctld and slurmd on the loopback interface, all in one directory.

Debian has them in the packages slurmctld, slurmd, slurm-client and munge. Nothing of the machine's own is read or
written, and the daemons run as whoever runs the tests: /etc/slurm, /etc/munge and cgroups are left alone.
"""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 60.0
NODES = 4
_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
# Debian's daemons are not on a plain user's PATH.
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))

_CONFIGURATION = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket={munge}
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/slurmd.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
MessageTimeout=2
KillWait=2
MinJobAge=60
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=1000
PartitionName=main Nodes=node Default=YES MaxTime=INFINITE State=UP
"""


def lacking() -> str:
    """Why there is no Slurm here; "" where there is one."""
    missing = [program for program in _PROGRAMS if shutil.which(program, path=_PATH) is None]
    if not missing:
        return ""
    return f"needs Slurm, and there is no {missing[0]}: on Debian, apt-get install slurmctld slurmd slurm-client munge"


class Cluster:
    """A running one, which runs up to `NODES` tasks at once; `configuration` is what SLURM_CONF must be."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        self.configuration = directory / "slurm.conf"
        self._munge = directory / "munge.socket"
        for name in ("state", "spool"):
            (directory / name).mkdir()
        key = directory / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))
        host = socket.gethostname().partition(".")[0]
        controller, node = _free_ports()
        self.configuration.write_text(
            _CONFIGURATION.format(
                host=host, controller=controller, node=node, munge=self._munge, user=getpass.getuser(),
                directory=directory, cpus=NODES,
            )
        )  # fmt: skip

    def start(self) -> None:
        """Start all, and wait until it takes jobs."""
        at = self._directory
        files = {"key-file": at / "munge.key", "socket": self._munge, "pid-file": at / "munge.pid",
                 "log-file": at / "munge.log", "seed-file": at / "munge.seed"}  # fmt: skip
        # --force: a directory below /tmp is no place for a real one's socket.
        self._run("munged", "--foreground", "--force", *(f"--{flag}={path}" for flag, path in files.items()))
        _until(self._munge.exists, self._told)
        self.start_controller()
        self._run("slurmd", "-D", "-f", str(self.configuration), "-N", "node")
        _until(lambda: self.ask("sinfo", "--noheader", "--format=%T") in ("idle", "mixed", "allocated"), self._told)

    def start_controller(self) -> None:
        """Start slurmctld, for instance after `kill_controller`."""
        self._run("slurmctld", "-D", "-f", str(self.configuration))
        _until(lambda: self.ask("scontrol", "ping").endswith("is UP"), self._told)

    def kill_controller(self) -> None:
        """As a power failure would."""
        self._daemons["slurmctld"].kill()
        self._daemons.pop("slurmctld").wait(PATIENCE)

    def wait_until_saved(self, array: str) -> None:
        """Wait until the controller has written down how an array is: that takes it up to five seconds."""
        began = time.time()
        assert not self.ask("scontrol", "update", f"JobId={array}", "Comment=saved")
        _until(lambda: (self._directory / "state" / "job_state").stat().st_mtime > began, self._told)

    def stop(self) -> None:
        """End all, the tasks first."""
        if "slurmd" in self._daemons and "slurmctld" not in self._daemons:
            self.start_controller()  # without it nobody ends the tasks
        self.ask("scancel", "--me")
        _until(lambda: not self.ask("squeue", "--noheader"), self._told)
        for daemon in reversed(self._daemons.values()):
            daemon.send_signal(signal.SIGTERM)
        for daemon in self._daemons.values():
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def ask(self, *argv: str) -> str:
        """What one of Slurm's programs says; "" where it fails."""
        done = subprocess.run(argv, env=self.variables(), capture_output=True, text=True, timeout=PATIENCE, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    def variables(self) -> dict[str, str]:
        """An environment whose Slurm is this one."""
        return {**os.environ, "PATH": _PATH, "SLURM_CONF": str(self.configuration)}

    def tasks(self, name: str = "") -> list[tuple[str, str, str]]:
        """Array, number and state of every task of that name, the ended ones of the last minute too."""
        which = [f"--name={name}"] if name else []
        said = self.ask("squeue", "--states=all", "--array", "--noheader", "--format=%F|%K|%T", *which)
        return [(array, number, state) for array, number, state in (line.split("|") for line in said.splitlines())]

    def _run(self, program: str, *arguments: str) -> None:
        found = shutil.which(program, path=_PATH)
        assert found is not None
        with (self._directory / f"{program}.out").open("ab") as said:
            self._daemons[program] = subprocess.Popen(
                [found, *arguments], env=self.variables(), stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/",
                start_new_session=True,
            )  # fmt: skip

    def _told(self) -> str:
        texts = {path.name: path.read_text(errors="replace")[-2000:] for path in self._directory.glob("*.out")}
        return "\n".join(f"{name}:\n{text}" for name, text in texts.items())


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A Slurm that is gone afterwards."""
    # A socket's path is short.
    directory = Path(tempfile.mkdtemp(prefix="slurm", dir="/tmp"))
    try:
        running = Cluster(directory)
        try:
            running.start()
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _free_ports() -> list[int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return [one.getsockname()[1], other.getsockname()[1]]


def _until(condition: Callable[[], bool], told: Callable[[], str]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, told()
        time.sleep(0.02)  # between two looks at another process
