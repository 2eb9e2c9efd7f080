"""The new tree as it grows: which files it has, and which of them the old tree already holds."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import cast

from topology.artifacts.artifact import Artifact, check_path, is_seed
from topology.artifacts.output import manifest
from topology.artifacts.output.folder import NAME_BYTES, OutputFolder, check_length
from topology.artifacts.output.manifest import ListedFile, ListedFiles
from topology.artifacts.output.plain import read_plain
from topology.artifacts.output.present import PresentTree, blocked_error, changed_error
from topology.artifacts.output.refusal import OutputError, explain_errors, shown
from topology.artifacts.output.staging import Staging

PLAN = PurePosixPath(manifest.NAME)
SEED_BYTES = 1 << 24  # far above any stack configuration


class FileList:
    """The files of a tree by path; two paths never differ in case alone."""

    def __init__(self, place: OutputFolder) -> None:
        self._place = place
        self._folded = {manifest.NAME: manifest.NAME}
        self.entries: dict[str, ListedFile] = {}

    def add(self, artifact: Artifact) -> ListedFile:
        """The artifact as plan.json lists it, taken into the list.

        Raises:
            OutputError: the path is none that a build writes, is too long, or is taken.
        """
        path = str(artifact.path)
        check_path(artifact.path)
        check_length(self._place.staging / path)
        if any(len(part) > NAME_BYTES for part in artifact.path.parts):
            raise OutputError(f"{shown(path)[:60]}…: a name on this path is too long", "shorten that name")
        entry = ListedFile(path, manifest.sha256(artifact.data), len(artifact.data))
        self.keep(entry)
        return entry

    def keep(self, entry: ListedFile) -> None:
        """List an entry as it is; OutputError when its path is taken."""
        other = self._folded.setdefault(entry.path.casefold(), entry.path)
        if entry.path in self.entries or other != entry.path or entry.path == manifest.NAME:
            message = f"two files of this build want one path: {shown(other)} and {shown(entry.path)}"
            raise OutputError(message, "rename one of the two things they are named after")
        self.entries[entry.path] = entry


class Draft:
    """One run's new tree beside the present one."""

    def __init__(self, place: OutputFolder, before: PresentTree | None) -> None:
        self.staging = Staging(place)
        self._place = place
        self._before = before
        self._listing = FileList(place)
        self._written = 0
        self._linked = 0

    def add(self, artifact: Artifact) -> None:
        """Put an artifact into the new tree: the old tree's file when it holds the same bytes, or is the user's now."""
        entry = self._listing.add(artifact)
        last = self._old_files().get(entry.path)
        if is_seed(entry.path) and last and self._before and entry.path in self._before.intact:
            self._put(artifact.path, self._old_bytes(last), same=True)
        else:
            self._put(artifact.path, artifact.data, same=last == entry)

    def keep(self, wanted: Callable[[str], bool]) -> None:
        """Take over the old tree's files that this run did not make and that are `wanted`.

        Raises:
            OutputError: such a file is not as it was built, and this run cannot make it anew.
        """
        for path in self._paths_gone():
            if not wanted(path):
                continue
            if self._before is None or path not in self._before.intact:
                message = f"{shown(self._place.out / path)} was changed, and this run does not make it"
                raise OutputError(message, "build everything, with --force")
            entry = self._old_files()[path]
            self._listing.keep(entry)
            self._put(PurePosixPath(path), self._old_bytes(entry), same=True)

    def finish(self, facts: Mapping[str, object]) -> bool:
        """Whether the new tree, now whole and on the disk, differs from the old one.

        Raises:
            OutputError: somebody edited the old tree meanwhile.
        """
        text = manifest.render(facts, self._listing.entries.values())
        before = self._before
        if before is not None and (touched := before.files_touched()):
            raise changed_error(self._place, touched)
        self._put(PLAN, text, same=before is not None and before.text == text)
        if not self._written:
            return False
        self.staging.sync()
        return True

    def counts(self) -> tuple[int, int, int]:
        """Files written, files left as they were, files of the old tree that are gone."""
        return self._written, self._linked, len([*self._paths_gone()])

    def _put(self, path: PurePosixPath, data: bytes, *, same: bool) -> None:
        before = self._before
        if before is not None and (other := before.in_the_way(path)):
            raise blocked_error(self._place, other)
        if before is not None and same and str(path) in before.intact and self.staging.link(path, before.folder):
            self._linked += 1
        else:
            self.staging.write(path, data)
            self._written += 1

    def _old_bytes(self, entry: ListedFile) -> bytes:
        """Bytes of a file of the old tree."""
        file = cast("PresentTree", self._before).folder / entry.path
        with explain_errors(file):
            return read_plain(file, limit=SEED_BYTES if is_seed(entry.path) else entry.size_bytes, alone=False)

    def _old_files(self) -> ListedFiles:
        """What the old tree lists."""
        return (self._before.entries if self._before else None) or {}

    def _paths_gone(self) -> Iterator[str]:
        """Paths of the old tree that are not in the new one, in the order of its manifest."""
        return (path for path in self._old_files() if path not in self._listing.entries)
