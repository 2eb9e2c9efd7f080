"""Tables as Parquet: one file each, readable by anything."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import PurePosixPath

import polars as pl

from topology.plan.plan import Plan

ROWS_PER_GROUP = 1 << 20


def parquet(plan: Plan) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Path and bytes of every table, in the dictionary's order; the same plan gives the same bytes."""
    for name, frame in plan.tables().items():
        yield PurePosixPath("tables", f"{name}.parquet"), _bytes(frame)


def _bytes(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.rechunk().write_parquet(buffer, compression="zstd", statistics=True, row_group_size=ROWS_PER_GROUP)
    return buffer.getvalue()
