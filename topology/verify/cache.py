"""The folder in which real programs are kept between runs, and the lock of whoever fills it."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


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


@contextmanager
def draft(folder: Path, name: str) -> Iterator[Path]:
    """A folder inside `folder` to work in, gone afterwards; `name` is that of the lock which whoever calls holds.

    What runs that were ended left there is removed: under the lock, none of them is alive.
    """
    prefix = f".{name}-"
    for left_over in folder.glob(f"{prefix}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    with TemporaryDirectory(prefix=prefix, dir=folder) as work:
        yield Path(work)


def keep(final: Path, name: str, fill: Callable[[Path], None], is_whole: Callable[[Path], bool] = Path.is_dir) -> Path:
    """The folder `final`, whole; where it is not there, `fill` makes its content in a folder that then takes its name.

    The lock is called `name`. What `fill` puts beside the folder that it is given is gone afterwards.
    """
    if not is_whole(final):
        with alone(final.with_name(f"{name}.lock")):
            if not is_whole(final):
                with draft(final.parent, name) as work:
                    begun = work / final.name
                    begun.mkdir()
                    fill(begun)
                    shutil.rmtree(final, ignore_errors=True)
                    begun.rename(final)
    return final
