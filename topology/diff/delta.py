"""What differs between two plans, table by table: rows added, removed and changed, as row numbers.

Rows are matched by `Identity`; what a match means for the people who move racks and pull
cables stands in `Moves` and `Cabling`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from topology.diff.cabling import Cabling, Moves, within_reach
from topology.diff.identity import Identity
from topology.diff.matching import Rows
from topology.diff.renames import Renames, renames
from topology.plan import Plan, names, tables

TABLES = {table.name: table for table in tables.TABLES}
PART_OF = {"nodes": "rack", "switches": "fabric", "appliances": "fabric"}  # replaced with what holds it
CARDS = ("gpus", "nics")  # a node with another number of them is another node


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
        """Shared numbers of all rows: where names of switches changed places, those that leave more cables alone."""
        by_name = Identity(self.base, self.head, self.renames)
        others = [*by_name.by_place()]
        if not others:
            return by_name
        trials = (by_name, *others)
        rows = within_reach(trials)
        return min(trials, key=lambda each: Cabling.of(each.of_cables(rows), Moves.of(each), {}).effort)

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
        added, removed, was, now = self.identity.match(name)
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

    def matched(self, name: str) -> tuple[Rows, Rows]:
        """Rows of a table that are on both sides: of base, and of head."""
        return self.identity.match(name)[2:]

    @cached_property
    def replaced(self) -> Mapping[str, tuple[Rows, Rows]]:
        """By table, rows of both sides of things in whose place, and under whose name, other things stand.

        Another product, protocol or number of cards is another thing, and so is all that a replaced thing holds.
        """
        found: dict[str, tuple[Rows, Rows]] = {}
        flags: dict[str, NDArray[np.bool_]] = {}  # of base
        for name in ("racks", "fabrics", "nodes", "switches", "appliances"):
            was, now = self.matched(name)
            other = np.zeros(len(was), bool)
            for column in (column.name for column in TABLES[name].columns if column.hardware):
                base, head = self.identity.value(name, column)
                other |= base[was] != head[now]
            if name in PART_OF:
                holder = self.base.tables()[name][PART_OF[name]].to_numpy()[was]
                other |= flags[TABLES[name].refers(PART_OF[name])][holder]
            if name == "nodes":
                other |= self._cards(was, now)
            flags[name] = np.zeros(self.base.tables()[name].height, bool)
            flags[name][was[other]] = True
            found[name] = was[other], now[other]
        return found

    def _cards(self, was: Rows, now: Rows) -> NDArray[np.bool_]:
        """Whether nodes on both sides have another number of GPUs or cards."""
        other = np.zeros(len(was), bool)
        for name in CARDS:
            base, head = (
                np.bincount(plan.tables()[name]["node"].to_numpy(), minlength=plan.nodes.height)
                for plan in (self.base, self.head)
            )
            other |= base[was] != head[now]
        return other

    def relabelled(self, name: str) -> tuple[Rows, Rows]:
        """Rows of a table that are on both sides under two labels: of base, and of head."""
        was, now = self.matched(name)
        if not len(was):
            return was, now
        old, new = (names.labels(plan, name) for plan in (self.base, self.head))
        other = (old.gather(was) != new.gather(now)).to_numpy()
        return was[other], now[other]

    @cached_property
    def moves(self) -> Moves:
        """Racks and switches that stand elsewhere."""
        return Moves.of(self.identity)

    @cached_property
    def cabling(self) -> Cabling:
        """What happens to the cables."""
        return Cabling.of(self.identity, self.moves, self.replaced)


def _compared(table: tables.Table) -> list[str]:
    """Columns whose values are compared: neither row numbers nor what follows from others, nor keys that identify.

    The place of a rack that moved is not what identifies it, so places of racks are compared.
    """
    key = () if table.name == "racks" else table.key
    return [column.name for column in table.facts if not column.derived and column.name not in key]
