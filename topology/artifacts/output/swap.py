"""Putting a finished tree in the place of the old one, in one step that is done or not done.

Context: `rename` does not replace a folder that holds files. Choice: Linux can exchange two
names (`renameat2`); where a file system cannot, OUT is a link to a numbered folder, and a new
link replaces the old one by `rename`. Price: a folder that was built elsewhere and brought to
such a file system becomes a link in two renames; a crash between them leaves OUT missing until
the next run, which finds the new tree whole (`leftovers`) and links it.
"""

import ctypes
import errno
import os
from contextlib import ExitStack, suppress
from pathlib import Path

from topology.artifacts.output.folder import OutputFolder
from topology.artifacts.output.plain import is_folder, sync_folder
from topology.artifacts.output.refusal import OutputError, explain_errors, shown
from topology.artifacts.output.staging import FOLDER_MODE

AT_FDCWD = -100  # linux/fcntl.h
RENAME_EXCHANGE = 2  # linux/fs.h
UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}


def exchange(one: Path, other: Path) -> None:
    """Swap two paths in one step; both exist.

    Raises:
        OSError: by `renameat2`; its number is in UNSUPPORTED where exchanging is not possible.
    """
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:  # a C library older than glibc 2.28
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(one), None, str(other))


def put_in_place(staged: Path, place: OutputFolder) -> Path | None:
    """Put the new tree at OUT; the folder that now holds the old one, None when there was none.

    Raises:
        OutputError: it could not be done. The new tree is at `staged` again and OUT as before,
            unless only the last step failed, which waits until the disk has the new name.
    """
    with explain_errors(place.out):
        old = place.tree()
        if old is None and _can_exchange(staged):
            staged.rename(place.out)
        elif old == place.out:
            old = _exchange_trees(staged, place)
        else:
            _link_version(staged, place)
        sync_folder(place.out.parent)
        return old


def version_folders(place: OutputFolder) -> list[Path]:
    """Version folders of OUT, the oldest first."""
    if not is_folder(place.versions):
        return []
    folders = [each for each in place.versions.iterdir() if each.name.isdecimal() and each.name.isascii()]
    return sorted(folders, key=lambda folder: int(folder.name))


def point(place: OutputFolder, version: Path) -> None:
    """Make OUT the link to a version, in one step."""
    place.link.symlink_to(f"{place.versions.name}/{version.name}")
    try:
        place.link.rename(place.out)
    except OSError:
        place.link.unlink()
        raise


def _can_exchange(staged: Path) -> bool:
    """Whether the file system of the new tree can exchange folders; tried inside that tree."""
    one, other = staged / ".one", staged / ".other"
    one.mkdir()
    other.mkdir()
    try:
        exchange(one, other)
    except OSError as error:
        if error.errno in UNSUPPORTED:
            return False
        raise
    finally:
        one.rmdir()
        other.rmdir()
    return True


def _exchange_trees(staged: Path, place: OutputFolder) -> Path:
    """The old tree's folder after an exchange, or after OUT became a link."""
    # Before the exchange this name holds the whole new tree, after it the old one. A run that
    # finds it can trust the manifest inside; a folder still named as staging holds only ours.
    staged.rename(place.swapping)
    try:
        exchange(place.swapping, place.out)
    except OSError as error:
        place.swapping.rename(staged)
        if error.errno not in UNSUPPORTED:
            raise
        old = _next_version(place)
        _link_version(staged, place, moved=old)
        return old
    return place.swapping


def _link_version(staged: Path, place: OutputFolder, moved: Path | None = None) -> None:
    """Make the new tree a version and OUT the link to it; a folder at OUT becomes `moved` first."""
    version = _next_version(place) if moved is None else moved.with_name(str(int(moved.name) + 1))
    with ExitStack() as undo:
        undo.callback(_rmdir, place.versions)
        staged.rename(version)
        undo.callback(version.rename, staged)
        sync_folder(place.versions)
        if moved:
            place.out.rename(moved)
            undo.callback(moved.rename, place.out)
        point(place, version)
        undo.pop_all()


def _next_version(place: OutputFolder) -> Path:
    """A free number after all others, in a folder that exists.

    Raises:
        OutputError: a link or a file has the name of that folder.
    """
    with suppress(FileExistsError):
        place.versions.mkdir()
        place.versions.chmod(FOLDER_MODE)
    if not is_folder(place.versions):
        raise OutputError(f"{shown(place.versions)} is not a folder of ours", "move it away first")
    last = [int(folder.name) for folder in version_folders(place)][-1:]
    return place.versions / str((last[0] if last else 0) + 1)


def _rmdir(folder: Path) -> None:
    """Remove a folder if that is possible."""
    with suppress(OSError):
        folder.rmdir()
