"""Which nodes each slurmctld has: clusters of the spec, split where one daemon cannot hold them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.plan import Plan, names
from topology.spec.model import Partition, SlurmCluster


@dataclass(frozen=True, slots=True)
class Controller:
    """One slurmctld of one stage, and its nodes with every column of their names."""

    name: str
    cluster: SlurmCluster
    nodes: pl.DataFrame  # node_places, with `domain`, `group` and `unit`
    partitions: tuple[Partition, ...]


def pieces(plan: Plan, cluster: SlurmCluster) -> NDArray[np.int64]:
    """Number of the slurmctld of every unit of the plan, from 0; -1 where it is of another cluster.

    Units fill one daemon after another in order and are never cut. The whole plan is
    split, not a stage of it, so a stage keeps the daemons of the stage before.
    """
    piece = np.full(plan.units.height, -1, np.int64)
    index = {group.name: at for at, group in enumerate(plan.spec.compute)}
    at = used = 0
    for name in cluster.compute:
        group = plan.spec.compute[index[name]]
        size = group.unit_racks * plan.catalog.racks[group.rack].nodes
        rows = plan.units.filter(pl.col("group") == index[name])["unit"].to_numpy()
        left = len(rows)
        while left:
            take = min((plan.spec.slurm.max_nodes - used) // size, left)
            if not take and used:
                at, used = at + 1, 0
                continue
            take = max(take, 1)  # one unit over the limit is the finding K101; it is not cut
            piece[rows[len(rows) - left :][:take]] = at
            used, left = used + take * size, left - take
    return piece


def controllers(plan: Plan, stage: int) -> Iterator[Controller]:
    """Every slurmctld that has nodes in a stage, clusters as in the spec."""
    places = names.node_places(plan).filter(pl.col("stage") <= stage)
    for cluster in plan.spec.slurm.clusters:
        piece = pieces(plan, cluster)
        mine = places.with_columns(pl.Series("piece", piece).gather(places["unit"]))
        for at in range(int(piece.max(initial=-1)) + 1):
            nodes = mine.filter(pl.col("piece") == at)
            partitions = partitions_here(plan, cluster, nodes)
            if partitions:  # a slurmctld that no job can reach is not worth starting; K103 says so
                name = cluster.name if at == 0 else f"{cluster.name}-{at + 1}"
                yield Controller(name, cluster, nodes, partitions)


def partitions_here(plan: Plan, cluster: SlurmCluster, nodes: pl.DataFrame) -> tuple[Partition, ...]:
    """Partitions of the cluster that have a node here."""
    here = {plan.spec.compute[index].name for index in nodes["group"].unique().to_list()}
    return tuple(
        p for p in plan.spec.slurm.partitions if here & set(p.compute) and set(p.compute) <= set(cluster.compute)
    )
