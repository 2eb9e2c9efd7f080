"""Where the lines of two texts differ."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

LINES = 4_000  # of both, between what is alike at the ends; matching takes the square of that


class LineChange(NamedTuple):
    """Lines that take the place of others; either may be none."""

    old_at: int  # from 0
    removed: Sequence[str]
    new_at: int  # from 0
    added: Sequence[str]


def line_changes(old: Sequence[str], new: Sequence[str]) -> Iterator[LineChange]:
    """Changes in order; one for all that lies between the ends where matching its lines would take too long."""
    first = next((at for at, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), None)
    first = min(len(old), len(new)) if first is None else first
    ends = zip(reversed(old[first:]), reversed(new[first:]), strict=False)
    alike = next((at for at, pair in enumerate(ends) if pair[0] != pair[1]), None)
    alike = min(len(old), len(new)) - first if alike is None else alike
    old, new = old[first : len(old) - alike], new[first : len(new) - alike]
    if len(old) + len(new) > LINES:
        yield LineChange(first, old, first, new)
        return
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield LineChange(first + a, old[a:b], first + c, new[c:d])
