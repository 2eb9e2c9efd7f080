"""The tree that stands at OUT before a build: what its manifest lists, and what is still so."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from topology.artifacts.artifact import is_known, is_seed
from topology.artifacts.output import manifest
from topology.artifacts.output.folder import OutputFolder
from topology.artifacts.output.manifest import ListedFiles, ManifestError
from topology.artifacts.output.plain import Mark, NotPlain, confirm, is_folder, mark, obstacle, plain_mark, read_plain
from topology.artifacts.output.refusal import OutputError, explain_errors, shown

MANIFEST_BYTES = 1 << 26  # far above any plan.json; more is not read
EXAMPLES = 5
REPLACE = "build with --force to replace them, or move them away first"


@dataclass(frozen=True, slots=True)
class PresentTree:
    """The present tree, as far as a build may rely on it."""

    folder: Path
    entries: ListedFiles | None  # None: its manifest is lost, and the build was told to go on
    intact: Mapping[str, Mark]  # listed files that are what the manifest says; a seed that stands, whatever it says
    text: bytes = b""  # of plan.json, when it is whole

    def files_touched(self) -> dict[str, str]:
        """Files that were intact when they were read and no longer are, with the reason."""
        return {
            path: "edited during the build" for path, seen in self.intact.items() if mark(self.folder / path) != seen
        }

    def in_the_way(self, path: PurePosixPath) -> PurePosixPath | None:
        """What stands where `path`, or a folder that leads to it, belongs, and is not ours."""
        blocking = obstacle(self.folder, path)
        ours = self.entries is None or str(path) in {*self.entries, manifest.NAME}
        if blocking or ours:
            return blocking
        return path if os.path.lexists(self.folder / path) else None


def present_tree(place: OutputFolder, *, force: bool) -> PresentTree | None:
    """The tree at OUT, None when nothing stands there.

    With `force` a tree whose files were changed, or whose manifest does not read, is taken as it
    is: what it has at our paths will be replaced, everything else in it is kept.

    Raises:
        OutputError: the folder is not ours, or files of it are not as we left them.
    """
    folder = place.tree()
    if folder is None:
        return None
    with explain_errors(place.out):
        if not any(folder.iterdir()):
            return PresentTree(folder, {}, {})
        if not os.path.lexists(folder / manifest.NAME):
            return _without_manifest(place, folder, force=force)
    try:
        text, entries = read_manifest(folder, alone=not force)
    except ManifestError as error:
        if force and not is_folder(folder / manifest.NAME):
            return PresentTree(folder, None, {})
        raise OutputError(f"{shown(place.out / manifest.NAME)} {error}", REPLACE) from None
    faults, intact = compare_files(folder, entries, alone=True)
    check_unblocked(place, folder, entries)
    if faults and not force:
        raise changed_error(place, faults)
    if not force and (seen := mark(folder / manifest.NAME)):
        intact[manifest.NAME] = seen
    return PresentTree(folder, entries, intact, text)


def read_manifest(folder: Path, *, alone: bool) -> tuple[bytes, ListedFiles]:
    """Text of a tree's plan.json and the artifacts it lists.

    Raises:
        ManifestError: plan.json is no plain file, or not one that this program wrote.
    """
    with explain_errors(folder / manifest.NAME):
        try:
            text = read_plain(folder / manifest.NAME, limit=MANIFEST_BYTES, alone=alone)
        except NotPlain as fault:
            raise ManifestError(f"is {fault}") from None
    return text, manifest.read(text)


def compare_files(folder: Path, entries: ListedFiles, *, alone: bool) -> tuple[dict[str, str], dict[str, Mark]]:
    """What is wrong with each file that is not as listed, and the marks of the others."""
    faults: dict[str, str] = {}
    intact: dict[str, Mark] = {}
    for path, entry in entries.items():
        with explain_errors(folder / path):
            try:
                if not is_seed(path):
                    intact[path] = confirm(folder, entry, alone=alone)
                elif seen := plain_mark(folder, path):
                    intact[path] = seen
            except NotPlain as fault:
                faults[path] = str(fault)
    return faults, intact


def changed_error(place: OutputFolder, faults: Mapping[str, str]) -> OutputError:
    """The refusal that names files which are not as they were built."""
    names = [f"{path} ({fault})" for path, fault in sorted(faults.items())]
    more = f" and {len(names) - EXAMPLES} more" if len(names) > EXAMPLES else ""
    message = f"{shown(place.out)} is not as it was built: {', '.join(names[:EXAMPLES])}{more}"
    return OutputError(message, REPLACE)


def check_unblocked(place: OutputFolder, folder: Path, entries: ListedFiles) -> None:
    """Check that every listed file can be replaced; what is in the way is never ours to delete.

    Raises:
        OutputError: a folder stands where a file was, or a link or file where a folder was.
    """
    for path in entries:
        blocking = obstacle(folder, PurePosixPath(path))
        if blocking:
            raise blocked_error(place, blocking)


def blocked_error(place: OutputFolder, path: PurePosixPath) -> OutputError:
    """The refusal that names what stands in the way of a file of ours."""
    message = f"{shown(place.out / path)} is not ours and stands where this build writes"
    return OutputError(message, "move it away, then build again")


def _without_manifest(place: OutputFolder, folder: Path, *, force: bool) -> PresentTree:
    """A tree that lost its plan.json and holds nothing but files of ours; only under `force`."""
    files = [path.relative_to(folder) for path in folder.rglob("*") if not is_folder(path)]
    if force and files and all(is_known(PurePosixPath(path)) for path in files):
        return PresentTree(folder, None, {})
    message = f"{shown(place.out)} is not empty and has no {manifest.NAME} of ours"
    raise OutputError(message, "name a new or an empty folder with -o")
