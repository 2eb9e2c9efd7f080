"""Slurm as Debian packages it, unpacked into the cache: no root, no daemon, no change to the host."""

import shutil
from pathlib import Path

from topology.verify import debian
from topology.verify.cache import UnavailableError, alone, cache, draft
from topology.verify.programs import run

__all__ = ["SUITES", "UnavailableError", "slurm"]

SUITES = {"26.05": "forky", "24.11": "trixie"}  # Slurm release: the Debian suite that carries it
PACKAGES = ("slurmctld", "slurm-client", "slurm-wlm-jwt-plugin")
PROGRAMS = ("slurmctld", "sbatch", "scontrol", "sinfo")
DAEMON_NAMES = {"slurmctld-wlm": "slurmctld"}  # the packages leave the plain name to their postinst


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
        found = _find(folder, suite, release)
        if found is None:
            with alone(folder / f"slurm-{suite}.lock"):
                found = _find(folder, suite, release) or _unpack(folder, suite, release)
    except OSError as error:
        raise UnavailableError(f"Slurm cannot be unpacked: {error}") from error
    return found


def _find(folder: Path, suite: str, release: str) -> Path | None:
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
    patchelf = debian.patchelf()
    with draft(folder, f"slurm-{suite}") as work:
        debs = debian.download(work, suite, PACKAGES)
        version = debian.version(debs, "slurmctld")
        if not version.startswith(f"{release}."):
            raise UnavailableError(f"suite {suite} now carries Slurm {version}, not {release}")
        root, final = work / "root", folder / f"slurm-{suite}-{version}"
        debian.extract(debs, root)
        for name, plain in DAEMON_NAMES.items():
            (root / "usr/sbin" / plain).symlink_to(name)
        for program in PROGRAMS:
            path = next(root.glob(f"usr/*bin/{program}")).resolve()
            debian.make_runnable(path, root, final, patchelf, "slurm-wlm")
        shutil.rmtree(final, ignore_errors=True)  # only a broken one can be there: see `_find`
        root.rename(final)
    if not _starts(final, release):
        raise UnavailableError(f"Slurm {version} was unpacked but does not start: {final}/usr/sbin/slurmctld -V")
    return final
