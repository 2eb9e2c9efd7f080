"""One number per row that means the same on both sides: the natural key, counted out.

The dictionary says which columns are the key and what they refer to, and keys refer to other rows by their numbers
in turn, so a cable's key holds its card, node, rack and hall.

A rack is its place. A compute rack that stands nowhere any more, and appears with the same design as the
same rack of the same unit elsewhere, has moved: it keeps its number, and so do its nodes and cards. Another
design at the place of a rack that is gone has replaced it, under its number. A switch is what its name says, unless
another name stands at its place and more plugs stay where they are when the place is what counts. Names that were
renamed in the spec are taken for what they were.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.diff.matching import U64, Rows, Sides, match_rows, mixed_radix, positions, values, with_nulls
from topology.diff.renames import Renames
from topology.plan import Plan, tables

LOWER_ENDS = ("nodes", "nics", "appliances")  # what hangs on switches


@dataclass(frozen=True)
class Identity:
    """Shared numbers of the rows of two plans, table by table, made when asked for."""

    base: Plan
    head: Plan
    renames: Renames
    made: dict[str, Sides] = field(default_factory=dict)
    matches: dict[str, tuple[Rows, Rows, Rows, Rows]] = field(default_factory=dict)

    @property
    def plans(self) -> tuple[Plan, Plan]:
        """Base and head."""
        return self.base, self.head

    def rows(self, table: str) -> Sides:
        """Shared number of every row of a table."""
        if table not in self.made:
            self.made[table] = self._racks() if table == "racks" else self._keys(table)
        return self.made[table]

    def match(self, table: str) -> tuple[Rows, Rows, Rows, Rows]:
        """Rows of a table that are added and removed, and the pairs that are on both sides, as `match_rows`."""
        if table not in self.matches:
            self.matches[table] = match_rows(self.rows(table))
        return self.matches[table]

    def value(self, table: str, name: str) -> Sides:
        """A column in a form that can be compared: references as shared numbers, words as positions."""
        column = next(each for each in tables.BY_NAME[table].columns if each.name == name)
        base, head = (plan.tables()[table] for plan in self.plans)
        if column.to:
            return self._references(column, base, head)
        old = {new: was for was, new in self.renames.of(table).items()} if name == "name" else {}
        return values(base[name], head[name].replace(old) if old else head[name])

    def _references(self, column: tables.Column, base: pl.DataFrame, head: pl.DataFrame) -> Sides:
        """Row numbers of a table as the shared numbers of the rows."""
        columns = base[column.name], head[column.name]
        if column.to.startswith("@"):
            word = column.to[1:]
            return self._through_either((base[word], head[word]), columns)
        if isinstance(column.dtype, pl.List):
            return positions(*(self._lists(column.to, side, lists) for side, lists in enumerate(columns)))
        return self._through(self.rows(column.to), columns)

    def _keys(self, table: str) -> Sides:
        """Rows by their natural key."""
        return mixed_radix([self.value(table, name) for name in tables.BY_NAME[table].key])

    @cached_property
    def places(self) -> Sides:
        """Racks by their place, wherever they came from."""
        return self._keys("racks")

    def _racks(self) -> Sides:
        """Racks by place and design, then those that moved, then by what a place is for."""
        design = self.value("racks", "design")
        base, head = (codes.copy() for codes in _dense(mixed_radix([self.places, design])))
        homes, sites = self._homes(design), mixed_radix([self.places, self.value("racks", "role")])
        for keys in ((homes[0], homes[1]), (sites[0] + np.uint64(1), sites[1] + np.uint64(1))):
            gone = ~np.isin(base, head) & (keys[0] > 0)
            come = ~np.isin(head, base) & (keys[1] > 0)
            left = pl.DataFrame({"key": keys[0][gone], "was": base[gone]})
            new = pl.DataFrame({"key": keys[1][come], "row": np.flatnonzero(come)})
            same = new.join(left, on="key", how="inner")
            head[same["row"].to_numpy()] = same["was"].to_numpy()
        return base, head

    def by_place(self) -> Iterator["Identity"]:
        """The same with switches taken for those that stood at their places: all of them, and the lowest tier alone.

        None where places and names say the same.
        """
        by_name = _dense(self._keys("switches"))
        place = mixed_radix([self.value("switches", name) for name in ("fabric", "tier", "rack", "u")])
        _, _, was, now = match_rows(place)
        if np.array_equal(by_name[0][was], by_name[1][now]):
            return
        for table in LOWER_ENDS:
            self.rows(table)  # made once for all that follow
        lowest = self._in_lowest_tier(self.head)[now]
        for mine in (np.ones(len(was), bool), lowest):
            yield self._with(self.plans, _taken(by_name, was[mine], now[mine]))

    def of_cables(self, rows: tuple[Rows, Rows]) -> "Identity":
        """The same between plans that hold these cables only, of base and of head."""
        base, head = (
            plan if len(kept) == plan.cables.height else replace(plan, cables=plan.cables[kept])
            for plan, kept in zip(self.plans, rows, strict=True)
        )
        return self._with((base, head), self.rows("switches"))

    def _with(self, plans: tuple[Plan, Plan], switches: Sides) -> "Identity":
        """The same where switches and cables may be others; what does not hang on them is not made again."""
        made = {name: sides for name, sides in self.made.items() if name != "cables"} | {"switches": switches}
        matches = {name: match for name, match in self.matches.items() if name not in ("switches", "cables")}
        return replace(self, base=plans[0], head=plans[1], made=made, matches=matches)

    @staticmethod
    def _in_lowest_tier(plan: Plan) -> NDArray[np.bool_]:
        """Whether each switch is of the tier that nodes hang on."""
        lowest = plan.tiers.filter(pl.col("level") == 0).select("fabric", tier="word", lowest=pl.lit(value=True))
        tier = plan.switches.select("fabric", pl.col("tier").cast(pl.String))
        joined = tier.join(lowest, on=["fabric", "tier"], how="left", maintain_order="left")
        return joined["lowest"].fill_null(value=False).to_numpy()

    def _homes(self, design: Sides) -> Sides:
        """Compute racks by unit, design and place among the unit's racks, from 1; 0 for a network rack."""
        index = []
        for plan in self.plans:
            racks = plan.racks.select(at=pl.col("rack").rank("ordinal").over("unit").cast(pl.UInt64))
            index.append(racks["at"].to_numpy())
        keys = mixed_radix([self.value("racks", "unit"), (index[0], index[1]), design])
        base, head = (
            np.where(plan.racks["unit"].is_null().to_numpy(), np.uint64(0), key + np.uint64(1))
            for plan, key in zip(self.plans, keys, strict=True)
        )
        return base, head

    @cached_property
    def cable_b(self) -> Sides:
        """Cables by the plug at the upper switch."""
        return mixed_radix([self.value("cables", name) for name in ("b", "b_cage", "b_port")])

    def _through(self, numbers: Sides, columns: tuple[pl.Series, pl.Series]) -> Sides:
        """References as the shared numbers of the rows they point at."""

        def made(side: int) -> U64:
            at = columns[side].fill_null(0).to_numpy()
            return numbers[side][at] if len(numbers[side]) else np.zeros(len(at), np.uint64)

        return with_nulls(columns, made)

    def _through_either(self, words: tuple[pl.Series, pl.Series], columns: tuple[pl.Series, pl.Series]) -> Sides:
        """References into the table that a word names; rows of two tables may have one number."""
        made = []
        for side, (word, column) in enumerate(zip(words, columns, strict=True)):
            at, number = column.to_numpy(), np.zeros(len(column), np.uint64)
            for table in word.unique().cast(pl.String):
                mine = (word == table).to_numpy()
                number[mine] = self.rows(table)[side][at[mine]]
            made.append(number)
        return made[0], made[1]

    def _lists(self, table: str, side: int, lists: pl.Series) -> pl.Series:
        """Lists of references as texts, whatever their order."""
        numbers = self.rows(table)[side]
        return pl.Series([str(sorted(int(numbers[at]) for at in each)) for each in lists], dtype=pl.String)


def _taken(numbers: Sides, was: Rows, now: Rows) -> Sides:
    """Numbers under which rows `now` of head are the rows `was` of base; of the others, those whose number is free."""
    base, head = numbers
    taken = np.arange(len(head), dtype=np.uint64) + np.uint64(len(base) + len(head))  # numbers that nothing has
    taken[now] = base[was]
    free = np.isin(head, base) & ~np.isin(head, base[was])
    free[now] = False
    taken[free] = head[free]
    return base, taken


def _dense(numbers: Sides) -> Sides:
    """The same numbers, counted from 0 in order."""
    codes = np.unique(np.concatenate(numbers), return_inverse=True)[1].astype(np.uint64)
    return codes[: len(numbers[0])], codes[len(numbers[0]) :]
