"""What a pull request changes, from the objects of its clone: the merge base, its files, and the specs among them."""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from topology.artifacts.output.manifest import NAME as MANIFEST
from topology.artifacts.output.manifest import digest_of, sha256
from topology.ci.runner import JobError
from topology.findings import FindingsError
from topology.source import YamlSource
from topology.source.file_bytes import within_size
from topology.source.refusal import TextError
from topology.source.revisions import Revision, git

_DEEPER = "set fetch-depth: 0 at actions/checkout"


@dataclass(frozen=True, slots=True)
class History:
    """Two commits of the repository that holds the folder `top`."""

    top: Path
    git_dir: Path
    base: str
    head: str

    @classmethod
    def between(cls, top: Path, base: str, head: str) -> "History":
        """From where the head's branch left the base to the head.

        Raises:
            JobError: a commit is not in this clone, or the two have no common history in it.
        """
        commits = [_commit(top, name) for name in (base, head)]
        try:
            common = git(top, "merge-base", *commits).decode().strip()
        except TextError:
            raise JobError(f"{base} and {head} have no merge base in this clone", _remedy(top)) from None
        git_dir = Path(os.fsdecode(git(top, "rev-parse", "--absolute-git-dir").rstrip(b"\n")))
        return cls(top, git_dir, common, commits[1])

    def specs(self, patterns: Sequence[str]) -> dict[str, bool]:
        """Specs of either commit that a pattern fits, sorted, and whether anything that is read of them changed.

        What a committed build keeps of its spec is a copy, not a spec.

        Raises:
            JobError: a pattern leads out of the repository.
        """
        wanted = [pattern(each) for each in patterns]
        every = {path for commit in (self.base, self.head) for path in self._files(commit)}
        builds = {PurePosixPath(path).parent / "source" for path in every if PurePosixPath(path).name == MANIFEST}
        fitting = {path for path in every if any(each.fullmatch(path) for each in wanted)}
        found = sorted(path for path in fitting if PurePosixPath(path).parent not in builds)
        return {path: self._read(self.base, path) != self._read(self.head, path) for path in found}

    def _read(self, commit: str, path: str) -> str:
        """Digest of all that a comparison reads of a spec, links followed: its text, and its catalogue's files.

        It is empty where the commit has no such spec, and another one wherever something cannot be read.
        """
        revision = Revision(commit, commit, self.top, path)
        try:
            data = revision.blob(path)
            if data is None:
                return ""
            parts = [("", sha256(data))]
            with suppress(FindingsError):  # no YAML of ours names no catalogue
                folder = revision.catalog(YamlSource.parse(path, within_size(data, path)))
                parts += [(str(file), sha256(text)) for file, text in revision.files(folder)] if folder else []
        except TextError as error:
            return f"{commit}: {error.message}"
        return digest_of(parts)

    def _files(self, commit: str) -> list[str]:
        return _paths(git(self.top, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit))


def pattern(text: str) -> re.Pattern[str]:
    """A path pattern as an expression: `*` and `?` stay within a folder, `**/` is any number of folders.

    Raises:
        JobError: it leads out of the repository.
    """
    if text.startswith(("/", "..")) or "/../" in text:
        raise JobError(f"the pattern {text} leads out of the repository", "write it from the repository's top")
    pieces = re.split(r"(\*\*/|\*|\?)", text.removeprefix("./"))
    spelled = {"**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(spelled.get(piece, re.escape(piece)) for piece in pieces))


def _commit(top: Path, name: str) -> str:
    try:
        return git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").decode().strip()
    except TextError:
        raise JobError(f"the commit {name} is not in this clone", _remedy(top)) from None


def _remedy(top: Path) -> str:
    """What to do about commits that are not there."""
    try:
        shallow = git(top, "rev-parse", "--is-shallow-repository").strip() == b"true"
    except TextError:
        return "run actions/checkout before this step"
    return f"the clone is shallow: {_DEEPER}" if shallow else f"{_DEEPER}, or name a base that is there"


def _paths(listed: bytes) -> list[str]:
    return [path for path in listed.decode("utf-8", "backslashreplace").split("\0") if path]
