"""Rows of two tables that are the same thing, by their shared numbers."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.review.identity import Sides

Rows = NDArray[np.int64]
NO_ROWS: Rows = np.zeros(0, np.int64)


def match_rows(numbers: Sides) -> tuple[Rows, Rows, Rows, Rows]:
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
