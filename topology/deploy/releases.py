"""Releases: folders of files that go together, each with a mark that says what it is.

They stand in a place that others write in too. What a mark says is checked before it is believed, no link is followed,
and only files that a mark of ours lists are ever removed.
"""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_IMODE

from topology.artifacts.output.folder import OutputFolder
from topology.artifacts.output.manifest import leads_below, sha256
from topology.artifacts.output.plain import NotPlain, obstacle, open_plain, read_plain, sync_folder
from topology.artifacts.output.refusal import shown
from topology.artifacts.output.staging import FILE_MODE, Staging, clear_begun
from topology.deploy.stop import DeployError

MARK = ".topology.json"  # what a release is, inside it; no reader of the files takes it for one of theirs
MARK_BYTES = 1 << 24  # far above any mark; more is not read
GROUP_WRITES = 0o020  # as Git leaves a file where the umask says so
MISSING = "missing"
AGAIN = "then run pulumi up again"


@dataclass(frozen=True, slots=True)
class Release:
    """Files that go together, of one stage."""

    cluster: str
    stage: str
    order: int  # place of the stage; a later one takes precedence
    digest: str

    def mark(self, files: Mapping[str, bytes]) -> bytes:
        """What the release says of itself."""
        sums = {path: sha256(text) for path, text in sorted(files.items())}
        facts = {"cluster": self.cluster, "stage": self.stage, "order": self.order, "digest": self.digest}
        return json.dumps({**facts, "files": sums}, indent=1, sort_keys=True).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class StandingRelease:
    """A folder that says it is a release: real, and with a mark as this program writes it."""

    folder: Path
    cluster: str
    stage: str
    order: int
    files: Mapping[str, str]  # SHA-256 by path below the folder

    @property
    def written_ns(self) -> int:
        """When it was published last."""
        return self.folder.stat().st_mtime_ns

    def found(self) -> dict[str, str]:
        """What stands at each path of the release, by path: the SHA-256 of a file that is as we write them.

        Any other file has its mode behind the digest; where no file stands, words say what does. Paths that no mark
        lists are there too, as `not ours`.
        """
        mine = {path: _found(self.folder, path) for path in sorted(self.files)}
        return mine | dict.fromkeys(sorted(_others(self.folder, {*self.files, MARK})), "not ours")

    def check_removable(self) -> None:
        """Check that what the mark lists can be removed or replaced without touching anything else.

        Raises:
            DeployError: a link or a file leads to one of the files, or a folder stands in its place.
        """
        for path in (*self.files, MARK):
            _check_unblocked(self.folder, path)

    def remove(self) -> None:
        """Remove its own files; what others put there stays, and the folder around it."""
        self.check_removable()
        for path in (*self.files, MARK):
            (self.folder / path).unlink(missing_ok=True)
        inner = {folder for path in self.files for folder in [*PurePosixPath(path).parents][:-1]}
        for folder in (*sorted(inner, reverse=True), PurePosixPath()):
            with contextlib.suppress(OSError):
                (self.folder / folder).rmdir()


def standing_release(folder: Path) -> StandingRelease | None:
    """The release in a folder; None where it has no mark.

    Raises:
        DeployError: the mark is not one that this program wrote, or the folder is a link.
    """
    if not os.path.lexists(folder / MARK):
        return None
    if folder.is_symlink():
        raise DeployError(f"{shown(folder)} is a link to a release and not one of ours; remove the link, {AGAIN}")
    try:
        text = read_plain(folder / MARK, limit=MARK_BYTES + 1, alone=False)
        return _read(folder, text)
    except NotPlain as fault:
        wrong = f"is {fault}"
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        wrong = "is not the mark of a release of ours"
    raise DeployError(f"{shown(folder / MARK)} {wrong}; move {shown(folder)} away, {AGAIN}")


def _read(folder: Path, text: bytes) -> StandingRelease:
    """What a mark says; any built-in error when it is not one of ours."""
    said = json.loads(text)
    cluster, stage, order, files = said["cluster"], said["stage"], said["order"], said["files"]
    names = (cluster, stage, *files.values())
    if len(text) > MARK_BYTES or type(order) is not int or not all(isinstance(name, str) for name in names):
        raise ValueError
    outside = next((path for path in files if not leads_below(path) or path == MARK), None)
    if outside is not None:
        message = f"{shown(folder / MARK)} names {shown(outside)!r:.80}, which is no file below its folder"
        raise DeployError(f"{message}; move {shown(folder)} away, {AGAIN}")
    return StandingRelease(folder, cluster, stage, order, files)


def write_beside(folder: Path, release: Release, files: Mapping[str, bytes]) -> None:
    """A new release, complete before it has its name."""
    staging = Staging(OutputFolder(folder))
    try:
        staging.open()
        for path, text in {**files, MARK: release.mark(files)}.items():
            staging.write(PurePosixPath(path), text)
        staging.sync()
        staging.folder.rename(folder)
    except BaseException:
        staging.discard()
        raise
    sync_folder(folder.parent)


def write_into(folder: Path, release: Release, files: Mapping[str, bytes]) -> None:
    """A release that stands, put right file by file; each is the old or the new one at any time.

    Raises:
        DeployError: something stands there that is not ours.
    """
    new = {**files, MARK: release.mark(files)}
    before = standing_release(folder)
    gone = set(before.files) - set(files) if before else set()
    for path in (*new, *gone):
        _check_unblocked(folder, path)
    for path, text in new.items():
        found = _found(folder, path)
        if before is None and found.partition(" ")[0] not in {MISSING, sha256(text)}:
            message = f"{shown(folder / path)} is not ours and stands where a release goes"
            raise DeployError(f"{message}; move it away, {AGAIN}")
        if found != sha256(text):
            _replace(folder / path, text)
    for path in gone:
        (folder / path).unlink(missing_ok=True)


def _replace(file: Path, text: bytes) -> None:
    """Put a file with these bytes in the place of what stands there, in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    clear_begun(file.parent, re.escape(file.name))
    staging = Staging(OutputFolder(file))
    try:
        staging.open()
        staging.write(PurePosixPath(file.name), text)
        (staging.folder / file.name).replace(file)
    finally:
        staging.discard()
    sync_folder(file.parent)


def _check_unblocked(folder: Path, path: str) -> None:
    blocking = obstacle(folder, PurePosixPath(path))
    if blocking:
        what = "a link" if (folder / blocking).is_symlink() else "no folder" if str(blocking) != path else "a folder"
        raise DeployError(f"{shown(folder / blocking)} is {what}, in the way of a file of ours; move it away, {AGAIN}")


def _found(folder: Path, path: str) -> str:
    """What stands at a path of a release, as `StandingRelease.found` says it."""
    blocking = obstacle(folder, PurePosixPath(path))
    if blocking:
        return f"behind {blocking}" if str(blocking) != path else "a folder"
    try:
        with open_plain(folder / path, alone=False) as descriptor, open(descriptor, "rb", closefd=False) as file:
            digest, mode = hashlib.file_digest(file, "sha256").hexdigest(), S_IMODE(os.fstat(descriptor).st_mode)
    except NotPlain as fault:
        return str(fault)
    return digest if mode & ~GROUP_WRITES == FILE_MODE else f"{digest} mode {mode:04o}"


def _others(folder: Path, mine: set[str]) -> Iterator[str]:
    """Paths below a folder that are not among `mine`; a folder without any of mine counts once."""
    above = {str(parent) for path in mine for parent in PurePosixPath(path).parents}
    for at, folders, files in os.walk(folder):
        here = PurePosixPath(os.path.relpath(at, folder))
        yield from (path for path in (str(here / name) for name in (*folders, *files)) if path not in mine | above)
        folders[:] = [name for name in folders if str(here / name) in above]
