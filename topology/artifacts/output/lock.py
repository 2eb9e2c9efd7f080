"""One build at a time per OUT: a lock file beside it that names who holds it.

The kernel holds the lock and drops it when its process ends, however it ends; the text in the
file only tells people who that is. So a file left by a dead process blocks nobody.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from time import sleep

from topology.artifacts.output.folder import OutputFolder
from topology.artifacts.output.refusal import OutputError, explain_errors, shown

FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
FILE_MODE = 0o644
TEXT_BYTES = 4096  # more than any holder writes
ATTEMPTS = 50  # a holder that is just coming or going is done within half a second
PAUSE_S = 0.01


@contextmanager
def hold(place: OutputFolder) -> Iterator[None]:
    """Inside, no other build works on this OUT.

    Raises:
        OutputError: another build holds it, or the lock file cannot be made.
    """
    path = place.beside("lock")
    with explain_errors(path):
        descriptor = _take(path, place)
    try:
        yield
    finally:
        with suppress(OSError):  # a file that stays blocks nobody
            path.unlink()  # while still locked, so that it is ours for certain
        os.close(descriptor)


def check_free(place: OutputFolder) -> None:
    """Check that no build works on this OUT; OutputError names the one that does. Writes nothing."""
    path = place.beside("lock")
    try:
        descriptor = os.open(path, os.O_RDONLY | FLAGS)
    except OSError:  # no lock file, or none that a build could hold
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _busy(place, _holder(descriptor)) from None
    finally:
        os.close(descriptor)


def _take(path: Path, place: OutputFolder) -> int:
    """Descriptor that holds the lock on the file that stands at `path`."""
    holder = ""
    for _ in range(ATTEMPTS):
        with ExitStack() as undo:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | FLAGS, FILE_MODE)
            undo.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _holder(descriptor)
            else:
                if _has_its_name(path, descriptor):
                    _sign(path, descriptor)
                    undo.pop_all()
                    return descriptor
        if holder:
            break
        sleep(PAUSE_S)
    raise _busy(place, holder)


def _has_its_name(path: Path, descriptor: int) -> bool:
    """Whether the locked file still has its name: a holder takes the file away when it is done."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _sign(path: Path, descriptor: int) -> None:
    """Write who holds the lock, unless the file is somebody else's."""
    found = os.fstat(descriptor)
    if not S_ISREG(found.st_mode) or found.st_nlink > 1 or os.pread(descriptor, 1, 0) not in (b"", b"{"):
        raise OutputError(f"{shown(path)} is not a lock file of ours", "move it away, then build again")
    holder = {
        "pid": os.getpid(),
        "host": os.uname().nodename,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        os.fchmod(descriptor, FILE_MODE)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode() + b"\n", 0)
    except OSError:  # a full disk: leave no empty file behind
        path.unlink()
        raise


def _holder(descriptor: int) -> str:
    """Pid, host and time of the holder in words; "" while it has not signed yet."""
    try:
        holder = json.loads(os.pread(descriptor, TEXT_BYTES, 0))
        text = f"pid {holder['pid']} on {holder['host']}, started {holder['started']}"
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return ""
    return shown(text)


def _busy(place: OutputFolder, holder: str) -> OutputError:
    """The refusal that names the holder."""
    message = f"{shown(place.out)} is being built by {holder or 'another process'}"
    return OutputError(message, "wait until it ends, then run this again")
