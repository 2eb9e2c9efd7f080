"""Why an output folder cannot be written: one line that says it, one that says what to do.

Not a Finding: nothing here is about the spec, and no line of it is to blame.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath

OTHER_FOLDER = "choose another folder with -o"
HINTS = {  # errno: what helps; any other number gets OTHER_FOLDER
    errno.ENOSPC: "free some space on that file system, or choose another folder with -o",
    errno.EDQUOT: "free some of your quota, or choose another folder with -o",
    errno.EMFILE: "raise the limit of open files (ulimit -n), then build again",
    errno.ENFILE: "the system has no open files left; close some programs, then build again",
    errno.EACCES: "ask for write permission there, or choose another folder with -o",
    errno.EPERM: "ask for write permission there, or choose another folder with -o",
    errno.EROFS: "that file system is read-only; choose another folder with -o",
    errno.EIO: "the disk failed; look at the kernel log, and choose another folder with -o",
    errno.ENOLCK: "that file system takes no locks; choose another folder with -o",
    errno.EBUSY: "it is in use or a mount point; name a folder inside it with -o",
    errno.EXDEV: "a lower layer or another file system holds it; move the folder away first",
}


class OutputError(Exception):
    """The output folder was not written as asked; the tree that stood there still stands."""

    def __init__(self, message: str, hint: str = OTHER_FOLDER) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


def shown(path: PurePath | str) -> str:
    """The path on one line: what a terminal would act on is written as an escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(path))


@contextmanager
def explain_errors(path: PurePath) -> Iterator[None]:
    """Inside, an OSError becomes an OutputError that names `path` and the system's reason."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        hint = HINTS.get(error.errno or 0, OTHER_FOLDER)
        raise OutputError(f"{shown(path)}: {reason}", hint) from error
