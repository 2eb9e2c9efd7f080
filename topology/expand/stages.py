"""Stages: how much of the site stands when each is built."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from topology.expand.origins import Origins
from topology.plan import tables
from topology.spec.model import ClusterSpec


def stages(spec: ClusterSpec, frames: Mapping[str, pl.DataFrame], origins: Origins) -> pl.DataFrame:
    """One row per stage with the sums of everything up to it."""
    count = len(spec.stages)

    def cumulative(values: pl.Series, weights: pl.Series | None = None) -> np.ndarray:
        known = values.is_not_null()
        weight = None if weights is None else weights.filter(known).to_numpy()
        return np.cumsum(np.bincount(values.filter(known).to_numpy(), weight, minlength=count)).astype(np.int64)

    nodes, racks = frames["nodes"], frames["racks"]
    node_stage = nodes["stage"]
    return tables.STAGES.frame(
        {
            "stage": np.arange(count),
            "name": [stage.name for stage in spec.stages],
            "gpus": cumulative(node_stage, _gpus_per_node(frames)),
            "nodes": cumulative(node_stage),
            "racks": cumulative(racks.filter(pl.col("role") == "compute")["stage"]),
            "units": cumulative(frames["units"]["stage"]),
            "cables": cumulative(frames["cables"]["stage"]),
            "it_w": cumulative(racks["stage"], racks["power_w"]),
            "origin": [origins.of(stage.path) for stage in spec.stages],
        }
    )


def _gpus_per_node(frames: Mapping[str, pl.DataFrame]) -> pl.Series:
    return pl.Series(np.bincount(frames["gpus"]["node"].to_numpy(), minlength=frames["nodes"].height))
