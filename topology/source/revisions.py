"""Files as they stand at a revision, by the git command.

Only plumbing that reads objects is called: no hook, filter, pager, attribute or network is
involved, and a revision or path is never taken for an option. Links are followed inside the
tree of the revision and nowhere else.
"""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import NamedTuple

from topology.findings import shown
from topology.source import YamlSource
from topology.source.file_bytes import MAX_BYTES, SPEC_NAME
from topology.source.refusal import TextError

LINK, MODULE = "120000", "160000"  # file modes of git's object store
MOST_LINKS = 16  # followed on the way to one file; more are a circle
MOST_FILES = 10_000  # of a catalogue folder
_FETCH = "fetch it: git fetch --unshallow, or fetch-depth: 0 with actions/checkout"


class TreeEntry(NamedTuple):
    """One line of git ls-tree."""

    mode: str
    kind: str  # blob, tree or commit
    oid: str
    path: str


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit of a repository and a path in it."""

    words: str  # the revision as it was given
    commit: str  # its object name in hexadecimal
    top: Path  # where git runs
    path: str  # below the top of the tree

    @classmethod
    def parse(cls, argument: str, cwd: Path) -> "Revision":
        """The revision of `REV:path`; a path that begins with ./ or ../ is relative to `cwd`.

        Raises:
            TextError: there is no git, no repository, no such revision, or the path leads out of it.
        """
        words, _, path = argument.partition(":")
        if not words:
            raise TextError(f"{shown(argument)} names no revision", "write REV:path, such as main:cluster.yaml")
        prefix = git(cwd, "rev-parse", "--show-prefix").decode().rstrip("\n")
        try:
            named = git(cwd, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{words}^{{commit}}")
        except TextError:
            shallow = git(cwd, "rev-parse", "--is-shallow-repository").strip() == b"true"
            help_ = f"this clone is shallow; {_FETCH}" if shallow else "git log shows the revisions there are"
            raise TextError(f"no revision {shown(words)} in this repository", help_) from None
        relative = path.startswith(("./", "../")) or path in {".", ".."}
        inside = normpath(f"{prefix}{path}" if relative else path)
        if inside.startswith(("/", "..")) or "\0" in inside or not path:
            raise TextError(f"{shown(path)} leads out of the repository", "write a path below its top folder")
        return cls(words, named.decode().strip(), cwd, inside)

    def catalog(self, source: YamlSource) -> str | None:
        """Path below the top of the tree where a spec at `path` has its catalogue; None where it has none inside."""
        named = source.data.get("catalog")
        if not isinstance(named, str):
            return None
        inside = normpath(f"{self.path.rpartition('/')[0] or '.'}/{named}")
        return None if inside.startswith(("/", "..")) else inside

    def check_meant(self, path: str, cwd: Path) -> None:
        """Check that a path that is not in the tree was not meant from the current folder, as git does.

        Raises:
            TextError: the current folder of that revision has it.
        """
        prefix = git(cwd, "rev-parse", "--show-prefix").decode().rstrip("\n")
        if prefix and self._entry(f"{prefix}{path}") is not None:
            message = f"{shown(self.words)} has {shown(f'{prefix}{path}')}, but no {shown(path)}"
            raise TextError(message, f"write {self.words}:./{path}")

    def blob(self, path: str) -> bytes | None:
        """Bytes of a file; None when the revision has nothing at `path`.

        Raises:
            TextError: it is a folder, lies in a submodule or outside, or is too large.
        """
        entry = self._entry(path)
        if entry is None:
            return None
        if entry.kind != "blob":
            spec = f"{path.rstrip('/')}/{SPEC_NAME}"
            there = entry.kind == "tree" and self._entry(spec) is not None
            raise TextError(
                f"{self._shown(path)} is a folder", f"name {self._shown(spec) if there else 'the spec in it'}"
            )
        return self._bytes(entry)

    def files(self, folder: str) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Every file below a folder, by its path in it; none when the folder is not there.

        Raises:
            TextError: as `blob`, or there are too many.
        """
        top = self._entry(folder)
        if top is None or top.kind != "tree":
            return
        listed = self._listed("-r", "-z", "--full-tree", top.oid)
        if len(listed) > MOST_FILES:
            raise TextError(
                f"{self._shown(folder)} holds {len(listed):,} files", f"a catalogue has {MOST_FILES:,} at most"
            )
        for entry in listed:
            parts = entry.path.split("/")
            if {"", ".", ".."} & set(parts):
                raise TextError(f"{self._shown(folder)} holds a file with no proper name", "rename it")
            data = self.blob(f"{folder}/{entry.path}") if entry.mode == LINK else self._bytes(entry)
            if data is not None:
                yield PurePosixPath(*parts), data

    def _entry(self, path: str) -> TreeEntry | None:
        """The entry at a path, links followed; None when there is none."""
        left, at, link = path.split("/"), "", ""
        for _ in range(MOST_LINKS + len(left) + 256):
            left = [part for part in left if part != "."]
            if not left:
                return TreeEntry("040000", "tree", self.commit, at)
            at = f"{at}/{left.pop(0)}".lstrip("/")
            found = self._listed("-z", "--full-tree", self.commit, "--", at)
            if not found and link:
                raise TextError(f"{self._shown(link)} is a link to nothing in the repository", "copy the file")
            if not found:
                return None
            (entry,) = found
            if entry.mode == MODULE:
                raise TextError(f"{self._shown(at)} is a submodule", "run topology diff in the submodule's own folder")
            if entry.mode == LINK:
                named = self._bytes(entry).decode("utf-8", "surrogateescape")
                target = named if named.startswith("/") else normpath(f"{at.rpartition('/')[0] or '.'}/{named}")
                if target.startswith(("/", "..")):
                    raise TextError(f"{self._shown(at)} is a link that leads out of the repository", "copy the file")
                left, at, link = [*target.split("/"), *left], "", at
            elif not left:
                return entry
        raise TextError(f"{self._shown(path)} is a circle of links", "replace it by a file")

    def _listed(self, *words: str) -> list[TreeEntry]:
        lines = git(self.top, "ls-tree", *words).decode("utf-8", "surrogateescape").split("\0")
        entries = []
        for about, _, path in (line.partition("\t") for line in lines if line):
            mode, kind, oid = about.split(" ")
            entries.append(TreeEntry(mode, kind, oid, path))
        return entries

    def _bytes(self, entry: TreeEntry) -> bytes:
        try:
            size = int(git(self.top, "cat-file", "-s", entry.oid))
        except TextError:
            raise TextError(f"{self._shown(entry.path)} is not in this clone", _FETCH) from None
        if size > MAX_BYTES:
            raise TextError(f"{self._shown(entry.path)} has {size:,} bytes", f"{MAX_BYTES:,} bytes are the limit")
        return git(self.top, "cat-file", "blob", entry.oid)

    def _shown(self, path: str) -> str:
        return shown(f"{self.words}:{path}", limit=200)


def workspace(folder: Path) -> Path:
    """Top of the work tree that holds a folder; the folder itself where there is none, or no git."""
    try:
        return Path(os.fsdecode(git(folder, "rev-parse", "--show-toplevel").rstrip(b"\n")))
    except TextError:
        return folder


def git(cwd: Path, *words: str) -> bytes:
    """What git prints in a folder. Words that come from outside stand after --end-of-options or after --.

    Raises:
        TextError: git is not there, or says no.
    """
    env = os.environ | {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",  # a partial clone may not reach for the network
        "GIT_NO_REPLACE_OBJECTS": "1",
        "LC_ALL": "C",
    }
    try:
        done = subprocess.run(  # noqa: S603 - words are ours; revisions come after --end-of-options
            ["git", "--no-pager", "-c", "core.fsmonitor=false", *words],  # noqa: S607 - the user's own git
            cwd=cwd,
            env=env,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise TextError("there is no git on this machine", "install git, or name files or built folders") from None
    except (OSError, ValueError) as error:
        raise TextError(f"git cannot run: {error}", "check the path") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[0].removeprefix("fatal: ") if said else "it says no"
        raise TextError(f"git: {shown(reason, 200)[1:-1]}", "run it inside the repository, or name a file")
    return done.stdout
