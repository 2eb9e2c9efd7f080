"""Spec paths behind the rows, numbered in the order in which expansion first uses them."""

from topology.findings import Path


class Origins:
    """Hands out the small numbers that `origin` columns hold."""

    def __init__(self) -> None:
        self._numbers: dict[Path, int] = {}

    def of(self, path: Path) -> int:
        """Number of a spec path."""
        return self._numbers.setdefault(path, len(self._numbers))

    def paths(self) -> tuple[Path, ...]:
        """Every path, by its number."""
        return tuple(self._numbers)
