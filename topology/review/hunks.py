"""Lines that changed in the spec and in the user's own catalogue."""

from dataclasses import dataclass

from topology.review.side import Side
from topology.source.line_changes import line_changes


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that changed together."""

    removed: tuple[str, ...]
    added: tuple[str, ...]
    base_line: int  # of the first removed line, from 1
    head_line: int
    file: str = ""  # of the catalogue, by its path below it; empty for the spec

    @property
    def height(self) -> int:
        """Lines as people count them: a line that takes the place of another is one."""
        return max(len(self.removed), len(self.added))

    @property
    def lines(self) -> list[str]:
        """Lines as a diff shows them."""
        return [f"-{line}" for line in self.removed] + [f"+{line}" for line in self.added]


def hunks(base: Side, head: Side) -> list[Hunk]:
    """Groups of changed lines, in order: those of the spec, then those of the catalogue's files."""
    old, new = ({"": side.text, **side.catalog} for side in (base, head))
    pairs = [(file, old.get(file, ()), new.get(file, ())) for file in sorted({*old, *new})]
    return [
        Hunk(tuple(each.removed), tuple(each.added), each.old_at + 1, each.new_at + 1, file)
        for file, before, after in pairs
        for each in line_changes(before, after)
    ]
