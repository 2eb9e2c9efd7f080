"""Runs of alike racks: neighbours in a row that a picture draws as one."""

from collections.abc import Sequence

import polars as pl


def runs(racks: pl.DataFrame, alike: Sequence[str], totals: Sequence[pl.Expr]) -> pl.DataFrame:
    """One row per run, in the order of their places.

    A run is a stretch of positions of one row, without a gap, whose racks are equal in the columns
    `alike`. `racks` must be sorted by hall, row and position, as the plan's table is. Columns: hall,
    row, `alike`, the `totals`, first and last position, and the number of racks.
    """
    columns = ["row", *alike]
    breaks = pl.any_horizontal(
        *(pl.col(column).ne_missing(pl.col(column).shift()) for column in columns),
        pl.col("position").cast(pl.Int64).diff().fill_null(0) != 1,
    )
    return (
        racks.with_columns(_run=breaks.cum_sum())
        .group_by("_run", maintain_order=True)
        .agg(
            pl.col("hall", *columns).first(),
            *totals,
            first=pl.col("position").first(),
            last=pl.col("position").last(),
            racks=pl.len(),
        )
        .drop("_run")
    )
