"""A server of other people's making under test: started, waited for, ended by its own process id."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

POLL_S = 0.05
END_S = 20


class StartError(Exception):
    """A server ended or did not get ready in time; the text holds its last words."""


class ServerProcess:
    """A running program, the only one of its process group; its output is in the file `log`, named as it is.

    `stop` is the signal that asks it to end, within `end_s`.
    """

    def __init__(  # noqa: PLR0913 -- what a process is started with
        self,
        argv: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop: signal.Signals = signal.SIGTERM,
        end_s: float = END_S,
    ) -> None:
        self.name, self._log, self._stop, self._end_s = log.stem, log, stop, end_s
        with log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 -- a list of words, no shell; callers choose the program
                [str(word) for word in argv],
                env=dict(env) if env is not None else None,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that what it starts can be ended with it
            )

    @property
    def log(self) -> str:
        """Everything it has said so far."""
        return self._log.read_text(errors="replace")

    @property
    def last_words(self) -> str:
        """The last lines it said, for an error text that fits on a screen."""
        return "\n".join(self.log.splitlines()[-5:])

    @property
    def exit_code(self) -> int | None:
        """Its exit code, or the signal that ended it; None while it runs.

        It is not reaped yet, so its pid stays its own until `end`.
        """
        ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return ended.si_status if ended else None

    def wait_for(self, ready: Callable[[], bool], *, limit_s: float) -> None:
        """Return when `ready` says so.

        Raises:
            StartError: the program ended before, or is not ready within `limit_s`. It is not ended here.
        """
        deadline = time.monotonic() + limit_s
        while not ready():
            if self.exit_code is not None:
                raise StartError(f"{self.name} ended with {self.exit_code}: {self.last_words}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} is not ready after {limit_s:.0f} s: {self.last_words}")
            time.sleep(POLL_S)

    def end(self) -> None:
        """Ask it to end, give it its time, then end its process group; nothing of it is left running."""
        if self._process.returncode is not None:
            return
        deadline = time.monotonic() + self._end_s
        os.kill(self._process.pid, self._stop)
        while self.exit_code is None and time.monotonic() < deadline:
            time.sleep(POLL_S)
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
