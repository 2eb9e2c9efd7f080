"""What was done to a server, counted."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class ObjectCounts:
    """What an apply or a delete did, in objects."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    waiting: int = 0  # labels of nodes that have not joined yet; apply again when they have
    deleted: int = 0  # left the plan, and was made by us
    leaving: int = 0  # likewise, but still there until what uses it is gone
    released: int = 0  # left the plan, and was there before us: it stays, without what we had written on it

    @classmethod
    def of(cls, words: Iterable[str]) -> Self:
        """Counts of words, each the name of a field."""
        return cls(**Counter(words))

    def __str__(self) -> str:
        said = {name: getattr(self, name) for name in self.__slots__}
        return ", ".join(f"{count:,} {name}" for name, count in said.items() if count) or "nothing to do"
