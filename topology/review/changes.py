"""What differs between two plans, table by table: rows added, removed and changed, as row numbers.

Rows are matched by `Identity`; what a match means for the people who move racks and pull
cables stands in `Moves` and `Cabling`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.plan import Plan, tables
from topology.review.cabling import Cabling, Moves
from topology.review.identity import Identity, Sides
from topology.review.matching import Rows, matched
from topology.review.renames import Renames, renames

POOLED = {
    ("power_nodes", "pool"),
    ("power_nodes", "supply"),
    ("feeds", "pool"),
}  # pools are named by their first device
GROUPED = {("units", "group"), ("racks", "group"), ("nodes", "group")}  # positions in the spec's list of groups
DERIVED = {  # follow from the key and from other tables
    ("racks", "number"),
    ("racks", "x_m"),
    ("racks", "y_m"),
    ("nodes", "place"),
    ("stages", "stage"),
}
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
class Changes:
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
        added, removed, was, now = matched(self.identity.rows(name))
        differs = np.zeros(len(was), bool)
        columns: dict[str, NDArray[np.bool_]] = {}
        for column in self._compared(table):
            base, head = self._value(table, column)
            other = base[was] != head[now]
            if other.any():
                columns[column.name] = other
                differs |= other
        at = np.flatnonzero(differs)
        return TableDiff(table, added, removed, was[at], now[at], {name: mask[at] for name, mask in columns.items()})

    @staticmethod
    def _compared(table: tables.Table) -> list[tables.Column]:
        """Columns whose values are compared: neither row numbers nor places in the spec, nor keys that identify.

        The places of racks and the names that may be renamed identify no row by themselves, so they are compared.
        """
        skipped = {"origin", table.columns[0].name} - set(table.key)
        if table.name != "racks":
            skipped |= set(table.key)
        return [c for c in table.columns if c.name not in skipped and (table.name, c.name) not in DERIVED]

    def _value(self, table: tables.Table, column: tables.Column) -> Sides:
        identity = self.identity
        if (table.name, column.name) in GROUPED:
            return identity.coded(table.name, column.name, identity.groups)
        if (table.name, column.name) in POOLED:
            return identity.through(table.name, column.name, identity.pools)
        if isinstance(column.dtype, pl.List):
            return self._listed(table.name, column.name)
        return identity.value(table.name, column)

    def _listed(self, table: str, name: str) -> Sides:
        """Lists of groups as positions among all such lists."""
        made = []
        for plan, numbers in zip(self.identity.plans, self.identity.groups, strict=True):
            made.append([tuple(sorted(numbers[at] for at in row)) for row in plan.tables()[table][name]])
        known = {value: at for at, value in enumerate(sorted({*made[0], *made[1]}))}
        base, head = (np.array([known[value] for value in side], np.uint64) for side in made)
        return base, head

    @cached_property
    def moves(self) -> Moves:
        """Racks and switches that stand elsewhere."""
        return Moves.of(self.identity)

    @cached_property
    def cabling(self) -> Cabling:
        """What happens to the cables."""
        return Cabling.of(self.identity, self.moves)
