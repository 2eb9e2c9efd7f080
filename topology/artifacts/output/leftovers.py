"""What a run leaves beside OUT: the old tree after a swap, and anything after a crash.

Only files that a manifest of ours lists are deleted, and what a build itself had begun to
write. All else found in an old tree is carried into the present one.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from topology.artifacts.artifact import is_known, is_seed
from topology.artifacts.output import manifest
from topology.artifacts.output.folder import OutputFolder
from topology.artifacts.output.manifest import ListedFile, ListedFiles, ManifestError
from topology.artifacts.output.plain import NotPlain, confirm, folders_above, is_folder
from topology.artifacts.output.present import read_manifest
from topology.artifacts.output.refusal import OutputError, explain_errors, shown
from topology.artifacts.output.swap import point, version_folders


def recover(place: OutputFolder) -> None:
    """Remove the folders and links that ended runs left beside OUT.

    Runs under the lock, which proves that every such folder is an ended run's.

    Raises:
        OutputError: a leftover holds files that are not ours and cannot go back into OUT.
    """
    with explain_errors(place.out):
        for link in _beside(place, "link"):
            if link.is_symlink():
                link.unlink()
        for folder in filter(is_folder, _beside(place, "new")):
            _remove_begun(folder)
        versions = version_folders(place)
        if versions and not os.path.lexists(place.out):
            _relink(place, versions)
        present = place.tree()
        for folder in [*_beside(place, "swap"), *versions]:
            if folder != present and is_folder(folder):
                retire(folder, place)
        _remove_empty(place.versions)


def retire(old: Path, place: OutputFolder) -> None:
    """Remove the old tree; what it holds besides our files is carried into the present one.

    The order makes it safe to be killed at any step: what is not ours leaves first, the list
    goes after the files it lists, and folders last.

    Raises:
        OutputError: something that is not ours could not be carried; it is still where it was.
    """
    with explain_errors(old):
        present = place.tree()
        at_present = _files_of(present) if present else None
        ours = _files_of(old)
        if ours is None:  # a forced build replaced what stood at its own paths, and no more
            ours = at_present or {}
        ours = {path: entry for path, entry in ours.items() if path in (at_present or {}) or not _is_edited(old, entry)}
        folders = {folder for path in ours for folder in folders_above(PurePosixPath(path))}
        strangers = [*_strangers(old, PurePosixPath(), {*ours, manifest.NAME}, folders)]
        if strangers and (present is None or at_present is None):
            message = f"{shown(old)} holds files that are not ours, and {shown(place.out)} is no tree of ours"
            raise OutputError(message, "move those files away, then build again")
        for stranger in strangers:
            _carry(old, present or old, stranger)
        for path in ours:
            with suppress(FileNotFoundError, NotADirectoryError):
                (old / path).unlink()
        for folder in sorted(folders, reverse=True):
            with suppress(FileNotFoundError):
                (old / folder).rmdir()
        (old / manifest.NAME).unlink(missing_ok=True)
        old.rmdir()
        _remove_empty(place.versions)


def _is_edited(old: Path, entry: ListedFile) -> bool:
    """Whether a file is the user's by now: it began as ours, and says something else."""
    if not is_seed(entry.path) or not os.path.lexists(old / entry.path):
        return False
    try:
        confirm(old, entry, alone=False)
    except NotPlain:
        return True
    return False


def _carry(old: Path, present: Path, path: PurePosixPath) -> None:
    """Move what is not ours to the same path of the present tree, folder by folder if it has one."""
    if is_folder(old / path) and is_folder(present / path):
        for child in sorted((old / path).iterdir()):
            _carry(old, present, path / child.name)
        (old / path).rmdir()
        return
    if os.path.lexists(present / path):
        message = f"{shown(old / path)} is not ours, and {shown(present / path)} stands where it belongs"
        raise OutputError(message, "move one of them away, then build again")
    for folder in folders_above(path):
        if not is_folder(present / folder):
            (present / folder).mkdir()
            (present / folder).chmod((old / folder).stat().st_mode & 0o7777)
    (old / path).rename(present / path)


def _strangers(tree: Path, at: PurePosixPath, kept: set[str], folders: set[PurePosixPath]) -> Iterator[PurePosixPath]:
    """Everything below `at` that is not ours; a folder that holds nothing of ours counts once."""
    for child in sorted((tree / at).iterdir()):
        path = at / child.name
        if path in folders and is_folder(child):
            yield from _strangers(tree, path, kept, folders)
        elif str(path) not in kept:
            yield path


def _files_of(tree: Path) -> ListedFiles | None:
    """What a tree's manifest lists, None when it has none that reads."""
    try:
        return read_manifest(tree, alone=False)[1]
    except ManifestError:
        return None


def _relink(place: OutputFolder, versions: list[Path]) -> None:
    """Point OUT to the newest whole version, after a crash just before that step."""
    for version in reversed(versions):
        if _files_of(version) is not None:
            point(place, version)
            return


def _beside(place: OutputFolder, kind: str) -> list[Path]:
    """Neighbours `.<name>.<kind>-<pid>` of any process."""
    start = place.beside(f"{kind}-").name
    return sorted(
        each
        for each in place.out.parent.iterdir()
        if each.name.startswith(start) and each.name.removeprefix(start).isdecimal()
    )


def _remove_begun(folder: Path) -> None:
    """Remove a tree that was still being written; a name that no build writes is left alone."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(parent, name)
            if is_known(PurePosixPath(path.relative_to(folder))):
                path.unlink()
        _remove_empty(Path(parent))


def _remove_empty(folder: Path) -> None:
    """Remove a folder if it is there and holds nothing."""
    with suppress(FileNotFoundError):
        if is_folder(folder) and not any(folder.iterdir()):
            folder.rmdir()
