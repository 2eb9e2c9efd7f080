"""What differs between two plans, table by table: rows added, removed and changed, as row numbers.

Rows are matched by `Identity`; what a match means for the people who move racks and pull
cables stands in `Moves` and `Cabling`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from topology.diff.cabling import Cabling, Moves
from topology.diff.identity import Identity
from topology.diff.matching import Rows, match_rows
from topology.diff.renames import Renames, renames
from topology.plan import Plan, tables

TABLES = {table.name: table for table in tables.TABLES}


@dataclass(frozen=True, slots=True)
class TableDiff:
    """Row changes of one table: row numbers of either side."""

    table: tables.Table
    added: Rows  # of head
    removed: Rows  # of base
    before: Rows  # changed rows as they were, of base
    after: Rows  # the same rows as they are, of head
    columns: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)  # of the changed rows: which values differ

    @property
    def changed(self) -> int:
        """Rows that are on both sides with other values."""
        return len(self.before)

    def __bool__(self) -> bool:
        return bool(len(self.added) or len(self.removed) or self.changed)


@dataclass(frozen=True)
class Delta:
    """Two plans and everything that differs between their tables, found when asked for."""

    base: Plan
    head: Plan

    @cached_property
    def renames(self) -> Renames:
        """Names that changed while what they stand for did not."""
        return renames(self.base, self.head)

    @cached_property
    def identity(self) -> Identity:
        """Shared numbers of all rows."""
        return Identity(self.base, self.head, self.renames)

    @cached_property
    def _diffs(self) -> dict[str, TableDiff]:
        return {}

    def table(self, name: str) -> TableDiff:
        """Row changes of a table."""
        if name not in self._diffs:
            self._diffs[name] = self._diff(name)
        return self._diffs[name]

    def every(self) -> dict[str, TableDiff]:
        """Row changes of every table that has any, in the dictionary's order."""
        every = {name: self.table(name) for name in TABLES}
        return {name: diff for name, diff in every.items() if diff}

    def _diff(self, name: str) -> TableDiff:
        table = TABLES[name]
        added, removed, was, now = match_rows(self.identity.rows(name))
        differs = np.zeros(len(was), bool)
        columns: dict[str, NDArray[np.bool_]] = {}
        for column in _compared(table):
            base, head = self.identity.value(name, column)
            other = base[was] != head[now]
            if other.any():
                columns[column] = other
                differs |= other
        at = np.flatnonzero(differs)
        return TableDiff(table, added, removed, was[at], now[at], {name: mask[at] for name, mask in columns.items()})

    @cached_property
    def moves(self) -> Moves:
        """Racks and switches that stand elsewhere."""
        return Moves.of(self.identity)

    @cached_property
    def cabling(self) -> Cabling:
        """What happens to the cables."""
        return Cabling.of(self.identity, self.moves)


def _compared(table: tables.Table) -> list[str]:
    """Columns whose values are compared: neither row numbers nor what follows from others, nor keys that identify.

    The place of a rack that moved is not what identifies it, so places of racks are compared.
    """
    key = () if table.name == "racks" else table.key
    return [column.name for column in table.facts if not column.derived and column.name not in key]
