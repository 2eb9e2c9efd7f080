"""A real Nautobot on 127.0.0.1, for tests of what is written to an inventory server.

Its Python packages are pinned in `nautobot-requirements.txt` and live in a virtual environment of their own in the
cache (560 MB, 1 min). The database of a new server takes four minutes of migrations, so it is dumped once, with a
user and its token, and loaded in a second by later runs. It runs under Django's `runserver`: under the uWSGI
that it brings, connections were reset within the first five calls.
"""

import hashlib
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import Request, urlopen

from topology.verify.cache import UnavailableError, alone, cache
from topology.verify.programs import run
from topology.verify.slurm_machine import free_port
from topology.verify.stores import Stores, Words, find, wait

VERSION = "3.2.7"
REQUIREMENTS = Path(__file__).with_name("nautobot-requirements.txt")
SETTINGS = "from nautobot.core.settings import *  # noqa: F403\n"
SEED = """
from django.contrib.auth import get_user_model
from nautobot.users.models import Token
user = get_user_model().objects.create(username="tests", is_superuser=True, is_staff=True, is_active=True)
Token.objects.create(user=user, key="{token}")
"""
SDIST = ("--no-binary", "promise")  # the one package without a wheel
READY_S = 120
MIGRATE_S = 1800


class Nautobot:
    """Context manager: a Nautobot without any object, its address in `url`, a superuser's token in `token`.

    Ready in about 8 s; the first run on a machine takes about 6 min, see `prepare`.

    Raises:
        UnavailableError: On entering, when PostgreSQL, Redis or the packages of Nautobot cannot be had.
        StoreError: On entering, when a server does not come up.
    """

    def __init__(self) -> None:
        self.url = self.token = ""
        self._open = ExitStack()

    def __enter__(self) -> Self:
        dump, self.token = prepare()
        with ExitStack() as opened:
            stores = opened.enter_context(Stores("nautobot"))
            stores.postgres_program("pg_restore", "--no-owner", "-d", stores.database, dump)
            port = free_port()
            self.url, log = f"http://127.0.0.1:{port}", stores.folder / "nautobot.log"
            argv: Words = [_server(), "runserver", f"127.0.0.1:{port}", "--noreload", "--insecure"]
            process = stores.spawn(argv, log, signal.SIGTERM, env=_environment(stores), cwd=stores.folder)
            wait(process, log, partial(_answers, f"{self.url}/api/status/", self.token), READY_S)
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()


def prepare() -> tuple[Path, str]:
    """The dump of a migrated, empty Nautobot with one user, and that user's token; made when missing.

    Raises:
        UnavailableError: PostgreSQL or Redis is missing, or pip cannot install the packages.
        StoreError: A server does not start.
    """
    major = find().major
    with alone(cache() / f"nautobot-{VERSION}.lock"):
        _install()
        dump = _home() / f"migrated-{_digest()}-postgresql-{major}.dump"
        token = dump.with_suffix(".token")
        if not dump.exists():
            token.touch(mode=0o600)
            token.write_text(secrets.token_hex(20))
            _migrate(dump, token.read_text())
        return dump, token.read_text()


def _migrate(dump: Path, token: str) -> None:
    with Stores("nautobot") as stores, tempfile.TemporaryDirectory(dir=_home()) as folder:
        environment = _environment(stores)
        _must([_server(), "migrate"], environment, MIGRATE_S)
        _must([_server(), "shell"], environment, MIGRATE_S, SEED.format(token=token))
        draft = Path(folder, dump.name)
        stores.postgres_program("pg_dump", "-Fc", "-Z1", "-f", draft, stores.database)
        draft.rename(dump)


def _install() -> None:
    """The virtual environment with the pinned packages; the stamp is written when all of them are in."""
    stamp = _home() / "installed"
    if stamp.exists() and stamp.read_text() == _digest():
        return
    _home().mkdir(parents=True, exist_ok=True)
    _must([sys.executable, "-m", "venv", "--clear", _home() / "venv"], os.environ)
    pip: Words = [_home() / "venv/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    _must(
        [*pip, "--require-hashes", "--no-deps", "--only-binary", ":all:", *SDIST, "-r", REQUIREMENTS], os.environ, 900
    )
    stamp.write_text(_digest())


def _home() -> Path:
    return cache() / f"nautobot-{VERSION}-python-{sys.version_info.major}.{sys.version_info.minor}"


def _server() -> Path:
    return _home() / "venv/bin/nautobot-server"


def _digest() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]


def _environment(stores: Stores) -> dict[str, str]:
    """Environment of `nautobot-server` on these stores; nothing of the caller's but PATH reaches it."""
    config = stores.folder / "nautobot_config.py"
    config.write_text(SETTINGS)
    values = {
        "ROOT": stores.folder / "nautobot",
        "CONFIG": config,
        "SECRET_KEY": secrets.token_hex(32),
        "DB_HOST": "127.0.0.1",
        "DB_PORT": stores.postgres_port,
        "DB_NAME": stores.database,
        "DB_USER": stores.database,
        "DB_PASSWORD": "",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": stores.redis_port,
        "ALLOWED_HOSTS": "127.0.0.1",
        "INSTALLATION_METRICS_ENABLED": "False",
    }
    plain = {"PATH": os.environ.get("PATH", ""), "HOME": str(stores.folder), "LC_ALL": "C.UTF-8"}
    return plain | {f"NAUTOBOT_{key}": str(value) for key, value in values.items()}


def _answers(url: str, token: str) -> bool:
    """Whether the server at `url` takes the token."""
    try:
        request = Request(url, headers={"Authorization": f"Token {token}"})  # noqa: S310 -- our own http address
        with urlopen(request, timeout=READY_S) as answer:  # noqa: S310
            return bool(answer.status == 200)  # noqa: PLR2004 -- HTTP
    except (URLError, OSError):
        return False


def _must(argv: Words, environment: Mapping[str, str], limit_s: float = 300, stdin: str = "") -> None:
    answer = run(argv, env=environment, limit_s=limit_s, stdin=stdin)
    if answer.code != 0:
        raise UnavailableError(
            f"{' '.join(str(word) for word in argv[:2])} failed ({answer.code}): {answer.last_words}"
        )
