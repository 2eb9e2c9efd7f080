"""Rendered files that change, by stage and folder; on request line by line."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from functools import cached_property
from pathlib import PurePosixPath

from topology.review.amounts import count, plural
from topology.review.document import Bullets, Figure, FileLines, Fold, Name, Note, Words, some
from topology.review.review import Review, ReviewPart

CONTEXT = 2  # unchanged lines around a change
LONGEST = 400_000  # characters of a file that are compared line by line


class ArtifactsPart(ReviewPart):
    """Files that are new, gone or different: digests of both sides, compared. There is no verdict on them."""

    title = "Artifacts"

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        differ = review.file_changes
        self.added, self.removed, self.changed = differ.added, differ.removed, differ.changed

    def measures(self) -> Mapping[str, float]:
        """What --fail-on compares."""
        return {"artifacts-changed": len(self.changed), "artifacts-removed": len(self.removed)}

    @cached_property
    def reordered(self) -> list[str]:
        """Changed paths whose lines are the same in another order."""
        before, after = (side.texts(self.changed) for side in (self.review.base, self.review.head))
        return [path for path in self.changed if sorted(before[path].split(b"\n")) == sorted(after[path].split(b"\n"))]

    @property
    def same(self) -> bool:
        """Whether both sides have the same files, the order of their lines aside."""
        return not (self.added or self.removed) and list(self.changed) == self.reordered

    def figures(self) -> Iterator[Figure]:
        """The row of files."""
        words = (("+", self.added, "new"), ("", self.changed, "changed"), ("", self.removed, "removed"))
        said = ", ".join(f"{sign}{count(len(paths))} {word}" for sign, paths, word in words if paths)
        base, head = (count(len(side.artifacts)) for side in (self.review.base, self.review.head))
        if said:
            yield Figure(("Artifacts",), (base,), (head,), (said,))

    def folds(self) -> Iterator[Fold]:
        """Files by folder, and their lines where they were asked for."""
        every = [*self.added, *self.removed, *self.changed]
        if not every:
            return
        lines = [*_folders(self.added, "new"), *_folders(self.removed, "removed"), *_folders(self.changed, "changed")]
        yield Fold((f"Artifacts: {plural(len(every), 'file')}",), (Bullets(lines),))
        if self.review.artifacts:
            yield from self._lines()

    def _lines(self) -> Iterator[Fold]:
        """A fold for each set of alike differences: the same lines in several stages are shown once."""
        before, after = self.review.base.texts(self.changed), self.review.head.texts(self.changed)
        alike: dict[tuple[str, ...], list[str]] = {}
        for path in self.changed:
            alike.setdefault(_difference(before[path], after[path]), []).append(path)
        for lines, paths in alike.items():
            told = FileLines("diff", _hunks(lines)) if lines else Note(("too long to be compared line by line",))
            yield Fold(("Lines of ", *some(paths, 4)), (told,))


def _folders(paths: Sequence[str], word: str) -> Iterator[Words]:
    """Files by folder, alike folders of several stages together."""
    held: dict[PurePosixPath, list[str]] = {}
    for path in map(PurePosixPath, paths):
        held.setdefault(path.parent, []).append(path.name)
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for folder, files in held.items():
        parts = folder.parts
        staged = parts[:1] == ("stages",)
        key = (tuple(parts[2:] if staged else parts), tuple(files))
        groups.setdefault(key, []).append(parts[1] if staged else "")
    for (parts_of, names_of), stages in groups.items():
        of = (" of stages " if len(stages) > 1 else " of stage ", *some(stages, 6)) if stages[0] else ()
        yield (f"{word}: ", Name("/".join(parts_of) or "."), ": ", *some(names_of, 8), *of)
    totals = Counter(PurePosixPath(path).parts[0] for path in paths)
    if len(groups) > 1:
        yield (f"{word} in all: {count(sum(totals.values()))}",)


def _difference(base: bytes, head: bytes) -> tuple[str, ...]:
    """Unified difference without its file names; empty where a side is too long."""
    if max(len(base), len(head)) > LONGEST:
        return ()
    old, new = (data.decode("utf-8", "backslashreplace").split("\n") for data in (base, head))
    return tuple(unified_diff(old, new, lineterm="", n=CONTEXT))[2:]


def _hunks(lines: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Lines by hunk."""
    hunks: list[list[str]] = []
    for line in lines:
        if line.startswith("@@") or not hunks:
            hunks.append([])
        hunks[-1].append(line)
    return [tuple(hunk) for hunk in hunks]
