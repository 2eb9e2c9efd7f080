"""Tables as Parquet: one file each, readable by anything.

This is the edge, so racks, nodes and switches get their `name` here; in memory names are
numbers until someone reads them.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import PurePosixPath

import polars as pl

from topology.plan import names
from topology.plan.plan import Plan
from topology.plan.tables import NAMED

ROWS_PER_GROUP = 1 << 20
SPELLED = {"racks": names.rack_names, "nodes": names.node_names, "switches": names.switch_names}


def parquet(plan: Plan) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Path and bytes of every table, in the dictionary's order; the same plan gives the same bytes."""
    for name, frame in plan.tables().items():
        stored = _with_name(frame, SPELLED[name](plan)) if name in SPELLED else frame
        yield PurePosixPath("tables", f"{name}.parquet"), _bytes(stored)


def _with_name(frame: pl.DataFrame, spelled: pl.Series) -> pl.DataFrame:
    """The table with its names behind the row number."""
    number, *others = frame.columns
    return frame.select(number, spelled.alias(NAMED.name), *others)


def _bytes(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.rechunk().write_parquet(buffer, compression="zstd", statistics=True, row_group_size=ROWS_PER_GROUP)
    return buffer.getvalue()
