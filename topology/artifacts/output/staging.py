"""The new tree while it is written, beside OUT and under a name of its own."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from stat import S_IMODE

from topology.artifacts.output.folder import OutputFolder
from topology.artifacts.output.plain import folders_above, is_folder, sync_folder
from topology.artifacts.output.refusal import explain_errors

FILE_MODE = 0o644
FOLDER_MODE = 0o755


class Staging:
    """Folder of the new tree. It knows its files by name, so that undoing opens nothing.

    That matters when the reason to undo is that no more files can be opened.
    """

    def __init__(self, place: OutputFolder) -> None:
        self.folder = place.staging
        self._out = place.out
        self._folders: dict[Path, None] = {}  # as a set that keeps its order
        self._files: dict[Path, None] = {}

    def open(self) -> None:
        """Make the folder; its modes do not depend on the umask."""
        with explain_errors(self.folder):
            self._make(self.folder)

    def write(self, path: PurePosixPath, data: bytes) -> None:
        """Write a file and wait until the disk has it."""
        with explain_errors(self._out / path):
            target = self._target(path)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(target, flags, FILE_MODE)
            try:
                os.fchmod(descriptor, FILE_MODE)
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def link(self, path: PurePosixPath, tree: Path) -> bool:
        """Whether the file of the old tree now stands in the new one too: the same bytes and times.

        False: it has another mode than ours, or cannot have a second name.
        """
        with explain_errors(self._out / path):
            target = self._target(path)
            try:
                target.hardlink_to(tree / path)
            except OSError:  # another owner, a file system without links: written again instead
                return False
            same = S_IMODE(target.lstat().st_mode) == FILE_MODE
            if not same:
                target.unlink()
            return same

    def sync(self) -> None:
        """Wait until the disk has every folder of the tree, the innermost first."""
        for folder in reversed(self._folders):
            with explain_errors(folder):
                sync_folder(folder)

    def discard(self) -> None:
        """Take the tree away again. What cannot be removed is left for the next run."""
        for path in self._files:
            with suppress(OSError):
                path.unlink()
        for folder in reversed(self._folders):
            with suppress(OSError):
                folder.rmdir()

    def _target(self, path: PurePosixPath) -> Path:
        """Where a file goes, its folder made and its name noted before it exists."""
        target = self.folder / path
        for parent in folders_above(path):
            if self.folder / parent not in self._folders:
                self._make(self.folder / parent)
        self._files[target] = None
        return target

    def _make(self, folder: Path) -> None:
        folder.mkdir()
        self._folders[folder] = None
        folder.chmod(FOLDER_MODE)


def clear_begun(folder: Path, names: str) -> None:
    """Remove the staging folders of ended runs in a folder: those beside things whose names fit the pattern `names`."""
    begun = re.compile(rf"\.(?:{names})\.new-[0-9]+")
    for each in [*folder.iterdir()] if is_folder(folder) else ():
        if begun.fullmatch(each.name) and is_folder(each):
            shutil.rmtree(each)


@contextmanager
def parents(place: OutputFolder) -> Iterator[None]:
    """Inside, the folders above OUT exist; those made for it go again when the build fails."""
    made: list[Path] = []
    try:
        for parent in reversed(place.out.parents):
            with explain_errors(parent):
                if not parent.exists():
                    parent.mkdir()
                    made.append(parent)
                    parent.chmod(FOLDER_MODE)
        yield
    except BaseException:
        for parent in reversed(made):
            with suppress(OSError):
                parent.rmdir()
        raise
