"""Rendered files that differ between two sides, told by their digests."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileChanges:
    """Paths of files that only head has, that only base has, and of both with other bytes; sorted."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    @classmethod
    def between(cls, base: Mapping[str, str], head: Mapping[str, str]) -> "FileChanges":
        """Changes between the digests of two sides' files by path."""
        return cls(
            tuple(sorted(head.keys() - base.keys())),
            tuple(sorted(base.keys() - head.keys())),
            tuple(sorted(path for path in base.keys() & head.keys() if base[path] != head[path])),
        )

    def __len__(self) -> int:
        return len(self.added) + len(self.removed) + len(self.changed)

    def of(self, pattern: re.Pattern[str]) -> "FileChanges":
        """Those whose path begins as `pattern` says."""
        parts = (tuple(filter(pattern.match, paths)) for paths in (self.added, self.removed, self.changed))
        return FileChanges(*parts)
