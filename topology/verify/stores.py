"""PostgreSQL and Redis as an inventory server needs them: on 127.0.0.1, in a temporary folder, ended with it.

PostgreSQL does not run as root, so under root it runs as the user `postgres` that its package makes. Nothing is
synced to the disk: what the servers hold is thrown away.
"""

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from topology.verify import debian
from topology.verify.cache import UnavailableError
from topology.verify.programs import run
from topology.verify.server_process import ServerProcess, StartError, free_port

DEBIAN = ("postgresql", "redis-server")  # the packages that bring both
LIBRARY = Path("/usr/lib/postgresql")  # Debian: a folder per major release
USER = "postgres"
SETPRIV = Path("/usr/bin/setpriv")  # of util-linux: ends a program with its parent, runs it as another user
READY_S = 60
UNSAFE_AND_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")

Words = Sequence[str | Path]


class StoreError(UnavailableError):
    """A server did not start; the text holds its last words."""


class StoreProcess(ServerProcess):
    """One of the servers; where it does not start, stores are not to be had."""

    def wait_for(self, ready: Callable[[], bool], *, limit_s: float) -> None:
        """Return when `ready` says so.

        Raises:
            StoreError: The program ended before, or is not ready within `limit_s`.
        """
        try:
            super().wait_for(ready, limit_s=limit_s)
        except StartError as error:
            raise StoreError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of both servers on this machine."""

    postgres: Path  # the folder of postgres, initdb, psql, pg_dump, pg_restore
    redis: Path

    @property
    def major(self) -> str:
        """PostgreSQL's major release: a dump of one does not always load into another."""
        return run([self.postgres / "postgres", "-V"]).out.split()[-1].split(".")[0].split("(")[0]


def find() -> Programs:
    """The programs of the newest PostgreSQL and of Redis.

    Raises:
        UnavailableError: One is missing; the text says what to install.
    """
    folders = sorted(LIBRARY.glob("*/bin"), key=lambda folder: float(folder.parent.name))
    on_path = shutil.which("initdb")
    postgres = folders[-1] if folders else Path(on_path).resolve().parent if on_path else None
    redis = shutil.which("redis-server")
    if not SETPRIV.exists():
        raise UnavailableError(f"no {SETPRIV}: the servers are started on Linux only")
    if postgres is None or redis is None:
        missing = [name for name, found in zip(DEBIAN, (postgres, redis), strict=True) if found is None]
        raise UnavailableError(f"{' and '.join(missing)} not found: apt-get install {' '.join(missing)}")
    return Programs(postgres, Path(redis))


def install() -> None:
    """Install what `find` misses, as root, from the machine's own package archive.

    Raises:
        UnavailableError: apt-get refuses; the text holds its last words.
    """
    try:
        find()
    except UnavailableError:
        debian.install(*DEBIAN)


class Stores:
    """Context manager: both servers up, with an empty database `database` that a superuser of that name owns.

    Raises:
        UnavailableError: On entering, when a program is missing.
        StoreError: On entering, when a server does not answer within a minute.
    """

    def __init__(self, database: str) -> None:
        self.database = database
        self.programs = find()
        self.folder = Path()
        self.postgres_port = self.redis_port = 0
        self._running: list[StoreProcess] = []

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="stores-"))
        self.folder.chmod(0o755)
        try:
            self._start_postgres()
            self._start_redis()
            self.sql("postgres", f'CREATE DATABASE "{self.database}"')
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def sql(self, database: str, statement: str) -> str:
        """What psql prints for `statement`, without headers."""
        return self.postgres_program("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement)

    def postgres_program(self, name: str, *words: str | Path, limit_s: float = 300) -> str:
        """Output of a client program such as pg_dump, connected to this server."""
        where = ("-h", "127.0.0.1", "-p", str(self.postgres_port), "-U", self.database)
        result = run([self.programs.postgres / name, *where, *words], limit_s=limit_s)
        return result.require(f"{name} failed ({result.code})")

    def spawn(
        self,
        argv: Words,
        log: Path,
        stop: signal.Signals = signal.SIGTERM,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> StoreProcess:
        """A process that is ended, before those started earlier, when the stores are; its output goes to `log`."""
        to_its_end: Words = [SETPRIV, f"--pdeathsig={stop.name[3:]}"]  # it ends with us, even if we are killed
        process = StoreProcess([*to_its_end, *argv], log, env=env, cwd=cwd, stop=stop)
        self._running.append(process)
        return process

    def _start_postgres(self) -> None:
        home, log = self.folder / "postgres", self.folder / "postgres.log"
        home.mkdir(mode=0o700)
        if os.getuid() == 0:
            shutil.chown(home, USER, USER)
        log.touch(mode=0o644)
        programs, data = self.programs.postgres, home / "data"
        words: Words = ["-D", data, "-A", "trust", "-U", self.database, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        made = run([*self._as_user(), programs / "initdb", *words])
        made.require(f"initdb failed ({made.code})")
        self.postgres_port = free_port()
        settings = ("listen_addresses=127.0.0.1", "unix_socket_directories=", *UNSAFE_AND_FAST)
        options = [word for setting in settings for word in ("-c", setting)]
        argv = [*self._as_user(), programs / "postgres", "-D", data, "-p", str(self.postgres_port), *options]
        process = self.spawn(argv, log, signal.SIGINT)  # SIGINT: without waiting for clients to leave
        ready: Words = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.postgres_port)]
        process.wait_for(lambda: run(ready).code == 0, limit_s=READY_S)

    def _start_redis(self) -> None:
        log, self.redis_port = self.folder / "redis.log", free_port()
        words: Words = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", self.folder]
        argv = [self.programs.redis, "--port", str(self.redis_port), *words]
        self.spawn(argv, log).wait_for(lambda: listens(self.redis_port), limit_s=READY_S)

    def _as_user(self) -> list[str | Path]:
        """Words before a program of PostgreSQL: a user it runs as, in a folder that the user may enter."""
        there: list[str | Path] = ["env", f"--chdir={self.folder}"]
        user = [f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--pdeathsig=INT"]
        return [SETPRIV, *user, *there] if os.getuid() == 0 else there

    def _stop(self) -> None:
        """End what runs, the last first, then remove the folder."""
        for process in reversed(self._running):
            process.end()
        self._running.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


def listens(port: int) -> bool:
    """Whether something takes connections on `port` of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
