"""Releases: folders of files that go together, each with a mark that says what it is."""

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topology.artifacts.output.manifest import sha256
from topology.artifacts.output.plain import sync_folder

MARK = ".topology.json"  # what a release is, inside it; no reader of the files takes it for one of theirs


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


def write_beside(folder: Path, release: Release, files: Mapping[str, bytes]) -> None:
    """A new release, complete before it has its name."""
    begun = folder.with_name(f".{folder.name}")
    shutil.rmtree(begun, ignore_errors=True)  # of a run that was killed
    try:
        for path, text in {**files, MARK: release.mark(files)}.items():
            write_file(begun / path, text)
        begun.rename(folder)
        sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(begun, ignore_errors=True)
        raise


def write_into(folder: Path, release: Release, files: Mapping[str, bytes]) -> None:
    """A release that stands, put right file by file; each is the old or the new one at any time."""
    gone = set(read_mark(folder).get("files", {})) - set(files) if folder.is_dir() else set()
    for path, text in {**files, MARK: release.mark(files)}.items():
        file = folder / path
        if not file.is_file() or file.is_symlink() or file.read_bytes() != text:
            begun = file.with_name(f".{file.name}.new")
            try:
                write_file(begun, text)
                begun.replace(file)
            finally:
                begun.unlink(missing_ok=True)
    for path in gone:
        (folder / path).unlink(missing_ok=True)


def write_file(path: Path, text: bytes) -> None:
    """A file with these bytes, on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def link_to(link: Path, target: Path) -> None:
    """A link that leads to a release, put in place of the one that stands there in one step."""
    begun = link.with_name(f".{link.name}.new")
    begun.unlink(missing_ok=True)
    begun.symlink_to(Path("releases", target.name))
    begun.replace(link)
    sync_folder(link.parent)


def target(link: Path) -> Path | None:
    """The release that a link leads to; None for a link that leads anywhere else."""
    if not link.is_symlink():
        return None
    folder = link.parent / "releases" / link.readlink().name
    return folder if folder.is_dir() and link.resolve() == folder.resolve() else None


def remove(folder: Path) -> None:
    """A release without its own files; what others put there stays."""
    for path in [*read_mark(folder).get("files", {}), MARK]:
        (folder / path).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def read_mark(folder: Path) -> dict[str, Any]:
    """What a release says of itself; empty when it is none."""
    try:
        said = json.loads((folder / MARK).read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
