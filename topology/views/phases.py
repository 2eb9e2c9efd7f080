"""What feeds put on the phases of a panel."""

import polars as pl


def on_phase_w(phase: str) -> pl.Expr:
    """Watts of a feed on one phase in normal running: half of the rack, over the phases of its circuits."""
    return pl.col("load_w") / 2 * pl.col("phase").str.count_matches(phase) / pl.col("phase").str.count_matches("L")
