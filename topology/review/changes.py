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
from topology.review.identity import U64, Identity, Sides
from topology.review.renames import Renames, renames

Rows = NDArray[np.int64]
NO_ROWS: Rows = np.zeros(0, np.int64)
POOLED = {
    ("power_nodes", "pool"),
    ("power_nodes", "supply"),
    ("feeds", "pool"),
}  # pools are named by their first device
GROUPED = {("units", "group"), ("racks", "group"), ("nodes", "group")}  # positions in the spec's list of groups
DERIVED = {("racks", "number"), ("nodes", "place"), ("stages", "stage")}  # follow from the key and from other tables
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


def matched(numbers: Sides) -> tuple[Rows, Rows, Rows, Rows]:
    """Rows added (of head), removed (of base), and the pairs (of base, of head) with one number.

    Numbers are unique within a side. Both sides in equal order, as they are where nothing was added
    or removed, are told apart from the rest at once.
    """
    base, head = numbers
    if len(base) == len(head) and np.array_equal(base, head):
        every = np.arange(len(base), dtype=np.int64)
        return NO_ROWS, NO_ROWS, every, every
    left = pl.DataFrame({"key": base}).with_row_index("was")
    right = pl.DataFrame({"key": head}).with_row_index("now")
    pairs = left.join(right, on="key", how="inner", maintain_order="right")
    was, now = pairs["was"].to_numpy().astype(np.int64), pairs["now"].to_numpy().astype(np.int64)
    return _others(len(head), now), _others(len(base), was), was, now


def _others(count: int, rows: Rows) -> Rows:
    left = np.ones(count, bool)
    left[rows] = False
    return np.flatnonzero(left)


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
    def moves(self) -> "Moves":
        """Racks and switches that stand elsewhere."""
        return Moves.of(self)

    @cached_property
    def cabling(self) -> "Cabling":
        """What happens to the cables."""
        return Cabling.of(self)


@dataclass(frozen=True, slots=True)
class Moves:
    """Rows of both sides that stand elsewhere."""

    racks: tuple[Rows, Rows]  # moved racks, of base and of head
    nodes: NDArray[np.bool_]  # of head: whether a node's rack moved
    switches: NDArray[np.bool_]  # of head: whether a switch stands in another rack, or in a rack that moved
    appliances: NDArray[np.bool_]

    @classmethod
    def of(cls, changes: Changes) -> "Moves":
        """The moves between two plans."""
        places = changes.identity.places
        _, _, was, now = matched(changes.identity.racks)
        elsewhere = places[0][was] != places[1][now]
        racks = was[elsewhere], now[elsewhere]
        moved = np.zeros(changes.head.racks.height, bool)
        moved[racks[1]] = True
        boxes = {}
        for name in ("switches", "appliances"):
            _, _, was, now = matched(changes.identity.rows(name))
            frames = (changes.base.tables()[name], changes.head.tables()[name])
            at = [frame["rack"].to_numpy()[rows] for frame, rows in zip(frames, (was, now), strict=True)]
            boxes[name] = np.zeros(frames[1].height, bool)
            boxes[name][now] = places[0][at[0]] != places[1][at[1]]
        nodes = moved[changes.head.nodes["rack"].to_numpy()]
        return cls(racks, nodes, boxes["switches"], boxes["appliances"])


@dataclass(frozen=True, slots=True)
class Cabling:
    """Cables as the people who pull them see the change; each cable is in one of the first four at most."""

    new: Rows  # of head
    removed: Rows  # of base
    replugged: tuple[Rows, Rows]  # of base and head: a plug moves to another port
    relaid: tuple[Rows, Rows]  # of base and head: both plugs stay, but a device at an end stands elsewhere
    rerated: tuple[Rows, Rows]  # of base and head: another line rate, whatever else happens to it

    @classmethod
    def of(cls, changes: Changes) -> "Cabling":
        """The cabling between two plans.

        A cable is one end, and the other end may move: first the plug nearer the nodes is held fast, then,
        among what is left, the plug at the upper switch, where both devices at the moving end are on both sides.
        """
        a, b = changes.identity.cable_a, changes.identity.cable_b
        new, removed, was, now = matched(a)
        stays = b[0][was] == b[1][now]
        moved_b = was[~stays], now[~stays]
        moved_a = cls._moved_a(changes, removed, new, b)
        removed = _without(removed, moved_a[0], changes.base.cables.height)
        new = _without(new, moved_a[1], changes.head.cables.height)
        was, now = was[stays], now[stays]
        away = cls._away(changes, now)
        rate = [plan.cables["rate_gbps"].to_numpy() for plan in changes.identity.plans]
        both = np.concatenate([was, moved_b[0], moved_a[0]]), np.concatenate([now, moved_b[1], moved_a[1]])
        other = rate[0][both[0]] != rate[1][both[1]]
        replugged = np.concatenate([moved_b[0], moved_a[0]]), np.concatenate([moved_b[1], moved_a[1]])
        return cls(new, removed, replugged, (was[away], now[away]), (both[0][other], both[1][other]))

    @staticmethod
    def _moved_a(changes: Changes, removed: Rows, new: Rows, b: Sides) -> tuple[Rows, Rows]:
        """Pairs of a removed and a new cable on one port of an upper switch, between devices that stay."""
        if not len(removed) or not len(new):
            return NO_ROWS, NO_ROWS
        at = pl.DataFrame({"b": b[0][removed], "was": removed}).join(
            pl.DataFrame({"b": b[1][new], "now": new}), on="b", how="inner"
        )
        was, now = at["was"].to_numpy(), at["now"].to_numpy()
        devices = _lower_devices(changes, was, 0), _lower_devices(changes, now, 1)
        every = _devices(changes, 0), _devices(changes, 1)
        stay = np.isin(devices[0], every[1]) & np.isin(devices[1], every[0])
        return was[stay], now[stay]

    @staticmethod
    def _away(changes: Changes, now: Rows) -> NDArray[np.bool_]:
        """Of cables of head that keep both plugs: whether a device at an end stands elsewhere."""
        moves, head = changes.moves, changes.head
        if not (moves.nodes.any() or moves.switches.any() or moves.appliances.any()):
            return np.zeros(len(now), bool)
        flags = {
            "nics": moves.nodes[head.nics["node"].to_numpy()],
            "appliances": moves.appliances,
            "switches": moves.switches,
        }
        table, a = head.cables["a_table"].to_physical().to_numpy()[now], head.cables["a"].to_numpy()[now]
        away: NDArray[np.bool_] = moves.switches[head.cables["b"].to_numpy()[now]]
        for code, word in enumerate(tables.ENDS.categories):
            mine = table == code
            away[mine] |= flags[word][a[mine]]
        return away


def _without(rows: Rows, taken: Rows, height: int) -> Rows:
    """Rows of a table that are not among others."""
    left = np.zeros(height, bool)
    left[rows] = True
    left[taken] = False
    return np.flatnonzero(left)


def _lower_devices(changes: Changes, rows: Rows, side: int) -> U64:
    """Shared number of the device, not the port, at the lower end of some cables."""
    identity, cables = changes.identity, changes.identity.plans[side].cables[rows]
    numbers = {
        "nics": identity.through("nics", "node", identity.nodes)[side],
        "appliances": identity.appliances[side],
        "switches": identity.switches[side],
    }
    table, a = cables["a_table"].to_physical().to_numpy(), cables["a"].to_numpy()
    made = np.zeros(len(a), np.uint64)
    for code, word in enumerate(tables.ENDS.categories):
        mine = table == code
        made[mine] = _of_kind(numbers[word][a[mine]], code)
    return made


def _devices(changes: Changes, side: int) -> U64:
    """Shared numbers, as `_lower_devices` gives them, of every device of a side."""
    identity = changes.identity
    numbers = {
        "nics": identity.nodes[side],
        "appliances": identity.appliances[side],
        "switches": identity.switches[side],
    }
    return np.concatenate([_of_kind(numbers[word], code) for code, word in enumerate(tables.ENDS.categories)])


def _of_kind(numbers: U64, code: int) -> U64:
    """Numbers of one kind of device, apart from those of the others."""
    return numbers * np.uint64(len(tables.ENDS.categories)) + np.uint64(code)
