"""A real inventory server on 127.0.0.1, for tests of what is written to it.

Its Python packages are pinned beside its description and live in a virtual environment of their own in the cache
(560 MB, 1 min). The database of a new server takes four to six minutes of migrations, so it is dumped once, with a
user and a token, and loaded in a second by later runs. It runs under Django's `runserver`: under the uWSGI that
Nautobot brings, connections were reset within the first five calls.
"""

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self
from urllib.error import URLError
from urllib.request import Request, urlopen

from topology.verify.cache import UnavailableError, alone, cache
from topology.verify.programs import run
from topology.verify.python import python, release
from topology.verify.server_process import free_port
from topology.verify.stores import Stores, Words, find

READY_S = 120
MIGRATE_S = 1800
INSTALL_S = 900


@dataclass(frozen=True, slots=True)
class Application:
    """What tells one inventory server from another. Names of files and databases begin with `name`."""

    name: str
    version: str
    requirements: Path  # pinned with hashes
    command: str  # its `manage.py`
    settings: Callable[[Stores], Mapping[str, str]]  # writes its configuration, gives its environment
    seed: str  # program of its shell that makes a superuser with a token and prints `token=…`
    authorization: str  # the word before a token in the header
    least_python: tuple[int, int] = (3, 11)
    sdists: tuple[str, ...] = ()  # packages without a wheel

    @property
    def home(self) -> Path:
        """Folder in the cache that holds the virtual environment and the dumps."""
        return cache() / f"{self.name}-{self.version}-python-{release(self.least_python)}"

    @property
    def digest(self) -> str:
        """Digest of the pinned packages."""
        return hashlib.sha256(self.requirements.read_bytes()).hexdigest()[:12]


class InventoryServer:
    """Context manager: a server without any object, its address in `url`, a superuser's token in `token`.

    Ready in about 10 s; the first run on a machine takes about 6 min, see `prepare`.

    Raises:
        UnavailableError: On entering, when PostgreSQL, Redis, a Python or the packages cannot be had.
        StoreError: On entering, when a server does not come up.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self.url = self.token = ""
        self._open = ExitStack()

    def __enter__(self) -> Self:
        application = self._application
        dump, self.token = prepare(application)
        with ExitStack() as opened:
            stores = opened.enter_context(Stores(application.name))
            stores.postgres_program("pg_restore", "--no-owner", "-d", stores.database, dump)
            port = free_port()
            self.url, log = f"http://127.0.0.1:{port}", stores.folder / f"{application.name}.log"
            argv: Words = [_command(application), "runserver", f"127.0.0.1:{port}", "--noreload", "--insecure"]
            process = stores.spawn(argv, log, env=_environment(application, stores), cwd=stores.folder)
            authorization = f"{application.authorization} {self.token}"
            process.wait_for(partial(_answers, f"{self.url}/api/status/", authorization), limit_s=READY_S)
            self._open = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()


def prepare(application: Application) -> tuple[Path, str]:
    """The dump of a migrated, empty server with one user, and that user's token; made when missing.

    Raises:
        UnavailableError: PostgreSQL, Redis or a Python is missing, or pip cannot install the packages.
        StoreError: A server does not start.
    """
    major = find().major
    with alone(cache() / f"{application.name}-{application.version}.lock"):
        _install(application)
        dump = application.home / f"migrated-{application.digest}-postgresql-{major}.dump"
        token = dump.with_suffix(".token")
        if not dump.exists():
            _migrate(application, dump, token)
        return dump, token.read_text()


def _migrate(application: Application, dump: Path, token: Path) -> None:
    command = _command(application)
    with Stores(application.name) as stores, tempfile.TemporaryDirectory(dir=application.home) as folder:
        environment = _environment(application, stores)
        _must([command, "migrate"], environment, MIGRATE_S)
        said = _must([command, "shell"], environment, stdin=application.seed)
        found = re.search(r"token=(\S+)", said)
        if found is None:
            raise UnavailableError(f"{command.name} shell made no token: {said[-300:]}")
        token.touch(mode=0o600)
        token.write_text(found[1])
        draft = Path(folder, dump.name)
        stores.postgres_program("pg_dump", "-Fc", "-Z1", "-f", draft, stores.database)
        draft.rename(dump)


def _install(application: Application) -> None:
    """The virtual environment with the pinned packages; the stamp is written when all of them are in.

    pip is the one that runs here: Debian keeps the parts that put one into a new environment in a package apart.
    """
    interpreter = python(application.least_python)
    home = application.home
    stamp = home / "installed"
    if stamp.exists() and stamp.read_text() == application.digest:
        return
    home.mkdir(parents=True, exist_ok=True)
    _must([interpreter, "-m", "venv", "--clear", "--without-pip", home / "venv"], os.environ)
    pip: Words = [sys.executable, "-m", "pip", "--python", home / "venv/bin/python", "--quiet", "install"]
    wheels = ("--only-binary", ":all:", *(word for name in application.sdists for word in ("--no-binary", name)))
    _must([*pip, "--require-hashes", "--no-deps", *wheels, "-r", application.requirements], os.environ, INSTALL_S)
    stamp.write_text(application.digest)


def _command(application: Application) -> Path:
    return application.home / "venv/bin" / application.command


def _environment(application: Application, stores: Stores) -> dict[str, str]:
    """Environment of the server's programs on these stores; nothing of the caller's but PATH reaches it."""
    plain = {"PATH": os.environ.get("PATH", ""), "HOME": str(stores.folder), "LC_ALL": "C.UTF-8"}
    return plain | dict(application.settings(stores))


def _answers(url: str, authorization: str) -> bool:
    """Whether the server at `url` takes the token."""
    try:
        request = Request(url, headers={"Authorization": authorization})  # noqa: S310 -- our own http address
        with urlopen(request, timeout=READY_S) as answer:  # noqa: S310
            return bool(answer.status == 200)  # noqa: PLR2004 -- HTTP
    except (URLError, OSError):
        return False


def _must(argv: Words, environment: Mapping[str, str], limit_s: float = 300, stdin: str = "") -> str:
    result = run(argv, env=environment, limit_s=limit_s, stdin=stdin)
    return result.require(f"{' '.join(str(word) for word in argv[:2])} failed ({result.code})")
