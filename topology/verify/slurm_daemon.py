"""The slurmctld process: started, waited for, ended by its own process id."""

import os
import signal
import subprocess
import time
from pathlib import Path

from topology.verify.slurm_log import reasons
from topology.verify.slurm_machine import Settled

LOG = "log"  # in the home folder of the daemon
UP = "Running as primary controller"  # asking before this line makes slurmctld complain of lost sockets
WAITS = "retrying in 1sec up to 60sec"  # for a file that is not there: it never will be
POLL_S = 0.02
END_S = 60  # to save its state

Daemon = subprocess.Popen[bytes]


class SlurmStartError(Exception):
    """slurmctld refused the folder; the text holds its fatal and error lines."""


def start(root: Path, settled: Settled, *, limit_s: float) -> Daemon:
    """A slurmctld that is up, on the settled folder; its output goes to `LOG` in the home folder.

    Raises:
        SlurmStartError: it ended, waits for a missing file, or is not up within `limit_s`. It is ended.
    """
    path = settled.home / LOG
    with path.open("wb") as log:
        daemon = subprocess.Popen(  # noqa: S603 -- our own unpacked program
            [root / "usr/sbin/slurmctld", "-D", "-c", "-f", settled.conf],
            env=dict(settled.daemon_env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=settled.home,
            start_new_session=True,  # so that its helper process can be ended with it
        )
    try:
        _wait(daemon, path, limit_s)
    except BaseException:
        end(daemon)
        raise
    return daemon


def _wait(daemon: Daemon, path: Path, limit_s: float) -> None:
    """Return when the log says that the daemon is up."""
    deadline = time.monotonic() + limit_s
    while True:
        ended = _ended(daemon)  # looked at first: a daemon that ends afterwards may still have said why
        log = path.read_text(errors="replace")
        if UP in log and not ended:
            return
        if ended:
            raise SlurmStartError(reasons(log))
        if WAITS in log:
            raise SlurmStartError(next(line for line in log.splitlines() if WAITS in line))
        if time.monotonic() > deadline:
            raise SlurmStartError(f"not up after {limit_s:.0f} s\n{reasons(log)}")
        time.sleep(POLL_S)


def end(daemon: Daemon) -> None:
    """Ask the daemon to end, give it `END_S`, then end it and its helper; nothing of it is left running."""
    deadline = time.monotonic() + END_S
    os.kill(daemon.pid, signal.SIGTERM)
    while not _ended(daemon) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    os.killpg(daemon.pid, signal.SIGKILL)
    daemon.wait()


def _ended(daemon: Daemon) -> bool:
    """Whether `daemon` has ended. It is not reaped yet, so its pid stays its own until `wait`."""
    return os.waitid(os.P_PID, daemon.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
