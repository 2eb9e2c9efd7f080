"""Parts of a text that share a number of characters.

Each part can say at least how much it holds; what one does not need, others may take. What is dropped is counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

MORE = 60  # characters in which what was dropped is said
WHOLE = 1_000_000_000  # characters, where all has room


@dataclass(frozen=True)
class Rows:
    """Lines between two others; without room for all, the first of them, and how many more there are."""

    lines: Sequence[str]
    word: str  # what several lines are
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()

    @cached_property
    def size(self) -> int:
        """Characters of all of it."""
        return size(self.within(WHOLE))

    @cached_property
    def least(self) -> int:
        """Characters of the line that counts."""
        return size(self.within(0))

    def within(self, room: int) -> list[str]:
        """What is shown in a number of characters that is not below `least`."""
        around = size(self.head) + size(self.tail) + 1
        if around + size(self.lines) <= room:
            return [*self.head, *self.lines, *self.tail, ""]
        kept = _fitting([len(line) + 1 for line in self.lines], room - around - MORE)
        shown = [*self.head, *self.lines[:kept], *self.tail, ""] if kept else []
        return [*shown, *_more(len(self.lines) - kept, self.word)]


@dataclass(frozen=True)
class Frame:
    """Parts between lines that always stand."""

    head: tuple[str, ...]
    parts: Sequence["Rows | Frame"]
    tail: tuple[str, ...] = ()

    @cached_property
    def size(self) -> int:
        """Characters of all of it."""
        return size(self.within(WHOLE))

    @cached_property
    def least(self) -> int:
        """Characters of the frame with each part at its least."""
        return size(self.within(0))

    def within(self, room: int) -> list[str]:
        """What is shown in a number of characters that is not below `least`."""
        return [*self.head, *_each(self.parts, room - size(self.head) - size(self.tail)), *self.tail]


def together(parts: Sequence[Rows | Frame], room: int, word: str) -> list[str]:
    """Lines of as many parts as can say at least what they hold, and how many more there are."""
    least = [part.least for part in parts]
    if sum(least) <= room:
        return _each(parts, room)
    kept = _fitting(least, room - MORE)
    return [*_each(parts[:kept], room - MORE), *_more(len(parts) - kept, word)]


def size(lines: Iterable[str]) -> int:
    """Characters of lines with their ends."""
    return sum(len(line) + 1 for line in lines)


def _each(parts: Sequence[Rows | Frame], room: int) -> list[str]:
    """Lines of all parts, each with its least and a share of what is left."""
    shares = _shared([part.size - part.least for part in parts], room - sum(part.least for part in parts))
    return [line for part, share in zip(parts, shares, strict=True) for line in part.within(part.least + share)]


def _shared(needs: Sequence[int], room: int) -> list[int]:
    """What each may take of the room: all it needs, or as much as any other."""
    shares = [0] * len(needs)
    for done, at in enumerate(sorted(range(len(needs)), key=needs.__getitem__)):
        shares[at] = min(needs[at], max(room, 0) // (len(needs) - done))
        room -= shares[at]
    return shares


def _fitting(sizes: Iterable[int], room: int) -> int:
    """How many fit, from the first on."""
    return sum(each <= room for each in accumulate(sizes))


def _more(number: int, word: str) -> list[str]:
    """The line that counts what was dropped; none where nothing was."""
    return [f"…and {number:,} more {word if number > 1 else word[:-1]}, all in the JSON", ""] if number else []
