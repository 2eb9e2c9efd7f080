"""One number per row that means the same on both sides: the natural key, counted out.

A key of several columns is one number in mixed radix: ``rack * slots + slot``. The dictionary says which columns
are the key and what they refer to, and keys refer to other rows by their numbers in turn, so a cable's key holds its
card, node, rack and hall, and two tables are compared by integers, however long the names.

A rack is its place. A compute rack that stands nowhere any more, and appears with the same design as the
same rack of the same unit elsewhere, has moved: it keeps its number, and so do its nodes and cards.
Names that were renamed in the spec are taken for what they were.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.plan import Plan, tables
from topology.review.renames import Renames

U64 = NDArray[np.uint64]
Sides = tuple[U64, U64]
Rows = NDArray[np.int64]
NO_ROWS: Rows = np.zeros(0, np.int64)


def match_rows(numbers: Sides) -> tuple[Rows, Rows, Rows, Rows]:
    """Rows added (of head), removed (of base), and the pairs (of base, of head) with one number.

    Numbers are unique within a side. Both sides in equal order, as they are where nothing was added
    or removed, are told apart from the rest at once.
    """
    base, head = numbers
    if np.array_equal(base, head):
        every = np.arange(len(base), dtype=np.int64)
        return NO_ROWS, NO_ROWS, every, every
    left = pl.DataFrame({"key": base}).with_row_index("was")
    right = pl.DataFrame({"key": head}).with_row_index("now")
    pairs = left.join(right, on="key", how="inner", maintain_order="right")
    was, now = (pairs[word].to_numpy().astype(np.int64) for word in ("was", "now"))
    return np.delete(np.arange(len(head)), now), np.delete(np.arange(len(base)), was), was, now


def mixed_radix(columns: Sequence[Sides]) -> Sides:
    """Columns of both sides as one number per row.

    Raises:
        OverflowError: the ranges together pass 64 bits.
    """
    numbers = [np.zeros(len(side), np.uint64) for side in columns[0]]
    span = 1
    for column in columns:
        radix = 1 + max((int(side.max()) for side in column if len(side)), default=0)
        span *= radix
        if span >= 1 << 64:
            raise OverflowError("natural keys pass 64 bits")
        for side in (0, 1):
            numbers[side] = numbers[side] * np.uint64(radix) + column[side]
    return numbers[0], numbers[1]


@dataclass(frozen=True)
class Identity:
    """Shared numbers of the rows of two plans, table by table, made when asked for."""

    base: Plan
    head: Plan
    renames: Renames
    made: dict[str, Sides] = field(default_factory=dict)

    @property
    def plans(self) -> tuple[Plan, Plan]:
        """Base and head."""
        return self.base, self.head

    def rows(self, table: str) -> Sides:
        """Shared number of every row of a table."""
        if table not in self.made:
            self.made[table] = self._racks() if table == "racks" else self._keys(table)
        return self.made[table]

    def value(self, table: str, name: str) -> Sides:
        """A column in a form that can be compared: references as shared numbers, words as positions."""
        column = next(each for each in tables.BY_NAME[table].columns if each.name == name)
        base, head = (plan.tables()[table] for plan in self.plans)
        if column.to:
            return self._references(column, base, head)
        old = {new: was for was, new in self.renames.of(table).items()} if name == "name" else {}
        return _values(base[name], head[name].replace(old) if old else head[name])

    def _references(self, column: tables.Column, base: pl.DataFrame, head: pl.DataFrame) -> Sides:
        """Row numbers of a table as the shared numbers of the rows."""
        columns = base[column.name], head[column.name]
        if column.to.startswith("@"):
            word = column.to[1:]
            return self._through_either((base[word], head[word]), columns)
        if isinstance(column.dtype, pl.List):
            return _positions(*(self._lists(column.to, side, lists) for side, lists in enumerate(columns)))
        return self._through(self.rows(column.to), columns)

    def _keys(self, table: str) -> Sides:
        """Rows by their natural key."""
        return mixed_radix([self.value(table, name) for name in tables.BY_NAME[table].key])

    @cached_property
    def places(self) -> Sides:
        """Racks by their place, wherever they came from."""
        return self._keys("racks")

    def _racks(self) -> Sides:
        """Racks by place and design; those that moved keep the number they had."""
        design = self.value("racks", "design")
        place = mixed_radix([self.places, design])
        codes = np.unique(np.concatenate(place), return_inverse=True)[1].astype(np.uint64)
        base, head = codes[: len(place[0])], codes[len(place[0]) :].copy()
        homes = self._homes(design)
        gone = ~np.isin(base, head) & (homes[0] > 0)
        come = ~np.isin(head, base) & (homes[1] > 0)
        left = pl.DataFrame({"home": homes[0][gone], "was": base[gone]})
        new = pl.DataFrame({"home": homes[1][come], "row": np.flatnonzero(come)})
        moved = new.join(left, on="home", how="inner")
        head[moved["row"].to_numpy()] = moved["was"].to_numpy()
        return base, head

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

        return _with_nulls(columns, made)

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


def _values(base: pl.Series, head: pl.Series) -> Sides:
    """Words as positions, fractions by their bits, other numbers as they are."""
    if base.dtype == pl.Float64:
        return _bits(base), _bits(head)
    if base.dtype == pl.String or base.dtype != head.dtype:  # words of an Enum mean the same where the Enum is the same
        return _positions(*(words.cast(pl.String).fill_null("") for words in (base, head)))
    return _with_nulls((base, head), lambda side: _numbers((base, head)[side]))


def _positions(base: pl.Series, head: pl.Series) -> Sides:
    """Words as positions among the sorted words of both sides."""
    known = pl.concat([base.unique(), head.unique()]).unique().sort()
    code = pl.DataFrame({"word": known, "code": np.arange(len(known), dtype=np.uint64)})
    codes = [
        words.to_frame("word").join(code, on="word", how="left", maintain_order="left")["code"].to_numpy()
        for words in (base, head)
    ]
    return codes[0], codes[1]


def _with_nulls(columns: tuple[pl.Series, pl.Series], made: Callable[[int], U64]) -> Sides:
    """Numbers of either side; where a column holds nulls they are 0, and then every number is one more."""
    shift = any(column.null_count() for column in columns)
    base, head = (
        np.where(column.is_null().to_numpy(), np.uint64(0), made(side) + np.uint64(1)) if shift else made(side)
        for side, column in enumerate(columns)
    )
    return base, head


def _numbers(column: pl.Series) -> U64:
    number = column.to_physical()
    if number.dtype == pl.Boolean:
        number = number.cast(pl.UInt8)
    return number.fill_null(0).to_numpy().astype(np.uint64)


def _bits(column: pl.Series) -> U64:
    """Fractions by their bits, to the millionth: sums in another order differ by less."""
    bits: U64 = column.fill_null(float("nan")).round(6).to_numpy().view(np.uint64)
    return bits
