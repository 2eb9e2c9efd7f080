"""Rows of two tables under numbers that mean the same on both sides, and which of them are on both.

A key of several columns is one number in mixed radix: ``rack * slots + slot``, so that two tables are compared by
integers, however long the names.
"""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

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
            numbers[side] *= np.uint64(radix)
            numbers[side] += column[side]
    return numbers[0], numbers[1]


def known(numbers: U64, among: U64) -> NDArray[np.bool_]:
    """Whether each number is among others; several times as fast as `numpy.isin` where numbers are large."""
    return pl.Series(numbers).is_in(pl.Series(among).implode()).to_numpy()


def values(base: pl.Series, head: pl.Series) -> Sides:
    """Words as positions, fractions by their bits, other numbers as they are."""
    if base.dtype == pl.Float64:
        return _bits(base), _bits(head)
    if base.dtype == pl.String or base.dtype != head.dtype:  # words of an Enum mean the same where the Enum is the same
        return positions(*(words.cast(pl.String).fill_null("") for words in (base, head)))
    return with_nulls((base, head), lambda side: _numbers((base, head)[side]))


def positions(base: pl.Series, head: pl.Series) -> Sides:
    """Words as positions among the sorted words of both sides."""
    known = pl.concat([base.unique(), head.unique()]).unique().sort()
    code = pl.DataFrame({"word": known, "code": np.arange(len(known), dtype=np.uint64)})
    codes = [
        words.to_frame("word").join(code, on="word", how="left", maintain_order="left")["code"].to_numpy()
        for words in (base, head)
    ]
    return codes[0], codes[1]


def with_nulls(columns: tuple[pl.Series, pl.Series], made: Callable[[int], U64]) -> Sides:
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
