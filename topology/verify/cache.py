"""The folder in which real programs are kept between runs, and the lock of whoever fills it."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class UnavailableError(Exception):
    """The real program cannot be had on this machine; the text says why."""


def cache() -> Path:
    """`$XDG_CACHE_HOME/cluster-topology`, else `~/.cache/cluster-topology`; made when missing.

    The XDG rules ignore a relative path.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    folder = (base if base.is_absolute() else Path.home() / ".cache") / "cluster-topology"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold `lock`, waiting for another process that holds it; the kernel frees it when a process dies."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def sweep(folder: Path, prefix: str) -> None:
    """Remove what runs that were ended left in `folder`; whoever calls holds the lock, so none of them is alive."""
    for left_over in folder.glob(f"{prefix}*"):
        shutil.rmtree(left_over, ignore_errors=True)
