"""Plain files: regular ones with one name and no link on the way, read without being led astray."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from stat import S_ISDIR, S_ISREG

from topology.artifacts.output.manifest import ListedFile

CHUNK_BYTES = 1 << 20
Mark = tuple[int, int, int]  # inode, bytes and mtime_ns: the same file, untouched since it was read


class NotPlain(Exception):  # noqa: N818 - a verdict on a file, told by its text
    """The file is not a plain one, or not as listed; the message completes "<path> is …"."""


def is_folder(path: Path) -> bool:
    """Whether a real folder, not a link to one, stands at `path`."""
    return path.is_dir() and not path.is_symlink()


def folders_above(path: PurePosixPath) -> list[PurePosixPath]:
    """The folders of a relative path, the outermost first."""
    return [*reversed(path.parents)][1:]


def obstacle(tree: Path, path: PurePosixPath) -> PurePosixPath | None:
    """What keeps a file from standing at `path`: a link or file on the way, or a folder there."""
    for folder in folders_above(path):
        if not is_folder(tree / folder):
            return folder if os.path.lexists(tree / folder) else None
    return path if is_folder(tree / path) else None


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def mark(path: Path) -> Mark | None:
    """Mark of the file at `path`, None when there is none."""
    try:
        return _mark(path.lstat())
    except (FileNotFoundError, NotADirectoryError):
        return None


def _mark(found: os.stat_result) -> Mark:
    return found.st_ino, found.st_size, found.st_mtime_ns


def confirm(tree: Path, entry: ListedFile, *, alone: bool) -> Mark:
    """Mark of a file that holds exactly what `entry` says; with `alone` it has no second name.

    Raises:
        NotPlain: missing, edited, or led to by a link.
    """
    _check_folders(tree, entry.path)
    with open_plain(tree / entry.path, alone=alone) as descriptor:
        found = os.fstat(descriptor)
        digest = hashlib.sha256()
        while found.st_size == entry.size_bytes and (chunk := os.read(descriptor, CHUNK_BYTES)):
            digest.update(chunk)
    if digest.hexdigest() != entry.sha256:
        raise NotPlain("edited")
    return _mark(found)


def plain_mark(tree: Path, path: str) -> Mark | None:
    """Mark of the plain file at `path`, whatever it holds; None when nothing stands there.

    Raises:
        NotPlain: it is no file, or led to by a link.
    """
    _check_folders(tree, path)
    if not os.path.lexists(tree / path):
        return None
    with open_plain(tree / path, alone=False) as descriptor:
        return _mark(os.fstat(descriptor))


def _check_folders(tree: Path, path: str) -> None:
    """Check that real folders lead to a path; NotPlain otherwise."""
    blocking = obstacle(tree, PurePosixPath(path))
    if blocking and str(blocking) != path:
        raise NotPlain(f"behind {blocking}, which is no longer a folder")


def read_plain(path: Path, *, limit: int, alone: bool) -> bytes:
    """First `limit` bytes of a plain file; NotPlain when it is none."""
    chunks: list[bytes] = []
    with open_plain(path, alone=alone) as descriptor:
        while limit > 0 and (chunk := os.read(descriptor, min(limit, CHUNK_BYTES))):
            chunks.append(chunk)
            limit -= len(chunk)
    return b"".join(chunks)


@contextmanager
def open_plain(path: Path, *, alone: bool) -> Iterator[int]:
    """Descriptor to read a plain file; NotPlain when it is none, and nothing is read then."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise NotPlain("missing") from None
    except OSError:
        if path.is_symlink():
            raise NotPlain("a symbolic link") from None
        if path.is_socket():
            raise NotPlain("not a file") from None
        raise
    try:
        found = os.fstat(descriptor)
        if not S_ISREG(found.st_mode):
            raise NotPlain("a folder" if S_ISDIR(found.st_mode) else "not a file")
        if alone and found.st_nlink > 1:
            raise NotPlain(f"hard-linked from {found.st_nlink - 1} other places")
        yield descriptor
    finally:
        os.close(descriptor)
