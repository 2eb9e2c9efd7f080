"""The slurmctld process: started, and waited for by what its log says."""

import time
from pathlib import Path

from topology.verify.server_process import ServerProcess
from topology.verify.slurm_log import reasons
from topology.verify.slurm_machine import PreparedFolder

LOG = "log"  # in the home folder of the daemon
UP = "Running as primary controller"  # asking before this line makes slurmctld complain of lost sockets
WAITS = "retrying in 1sec up to 60sec"  # for a file that is not there: it never will be
POLL_S = 0.02
END_S = 60  # to save its state


class SlurmStartError(Exception):
    """slurmctld refused the folder; the text holds its fatal and error lines."""


def start(root: Path, prepared: PreparedFolder, *, limit_s: float) -> ServerProcess:
    """A slurmctld that is up, on the prepared folder; its output goes to `LOG` in the home folder.

    Raises:
        SlurmStartError: it ended, waits for a missing file, or is not up within `limit_s`. It is ended.
    """
    argv: list[str | Path] = [root / "usr/sbin/slurmctld", "-D", "-c", "-f", prepared.conf]
    daemon = ServerProcess(argv, prepared.home / LOG, env=prepared.daemon_env, cwd=prepared.home, end_s=END_S)
    try:
        _wait(daemon, limit_s)
    except BaseException:
        daemon.end()
        raise
    return daemon


def _wait(daemon: ServerProcess, limit_s: float) -> None:
    """Return when the log says that the daemon is up."""
    deadline = time.monotonic() + limit_s
    while True:
        has_ended = daemon.exit_code is not None  # asked first: one that ends afterwards may still have said why
        log = daemon.log
        if UP in log and not has_ended:
            return
        if has_ended:
            raise SlurmStartError(reasons(log))
        if WAITS in log:
            raise SlurmStartError(next(line for line in log.splitlines() if WAITS in line))
        if time.monotonic() > deadline:
            raise SlurmStartError(f"not up after {limit_s:.0f} s\n{reasons(log)}")
        time.sleep(POLL_S)
