"""What each queue of a cell may hand out: whole nodes of each group, so that the quotas add up to the plan."""

import polars as pl

from topology.plan.plan import Plan
from topology.spec.kubernetes import Kubernetes

MOST_CLUSTERS = 20  # of one MultiKueueConfig: Kueue 0.19.2, multikueueconfigs CRD, maxItems of clusters


def nodes_by_cell(plan: Plan, stage: int) -> pl.DataFrame:
    """What stands in each cell at a stage: cell, group, units, nodes; sorted by both.

    Every stage of the plan is meant by the number behind the last one, units that no stage builds included.
    """
    everything = stage >= len(plan.spec.stages)
    units = plan.units if everything else plan.units.filter(pl.col("stage") <= stage)
    nodes = plan.nodes.group_by("unit").agg(nodes=pl.len())
    return (
        units.join(nodes, on="unit", how="left")
        .group_by("cell", "group")
        .agg(units=pl.len(), nodes=pl.col("nodes").sum())
        .sort("cell", "group")
    )


def quotas(plan: Plan, kubernetes: Kubernetes, stage: int) -> pl.DataFrame:
    """Rows cell, group, queue (its position in the spec), nodes, gpus; sorted by the first three.

    A group's nodes are cut at the running sums of its queues' shares, rounded down: the parts
    are whole nodes and their sum is the group, whatever the shares. A group without a queue has no row.
    """
    stood = nodes_by_cell(plan, stage)
    frames = []
    for index, group in enumerate(plan.spec.compute):
        queues = [(at, queue.share) for at, queue in enumerate(kubernetes.queues) if group.name in queue.compute]
        total, before = sum(share for _, share in queues), 0
        gpus = plan.catalog.nodes[plan.catalog.racks[group.rack].node].gpus
        mine, nodes = stood.filter(pl.col("group") == index), pl.col("nodes").cast(pl.Int64)
        for at, share in queues:
            part = nodes * (before + share) // total - nodes * before // total
            frames.append(
                mine.select("cell", "group", queue=pl.lit(at, pl.Int64), nodes=part).with_columns(
                    gpus=pl.col("nodes") * gpus
                )
            )
            before += share
    schema = {"cell": pl.UInt32, "group": pl.UInt16, "queue": pl.Int64, "nodes": pl.Int64, "gpus": pl.Int64}
    return pl.concat(frames).sort("cell", "group", "queue") if frames else pl.DataFrame(schema=schema)


def division(index: int) -> int:
    """Which MultiKueueConfig of its pool a cell is in, from 1; `index` is the cell's number in the pool."""
    return (index - 1) // MOST_CLUSTERS + 1


def cell_divisions(plan: Plan) -> pl.DataFrame:
    """Cells with the name of their division: the pool's, from the second on with its number."""
    number = (pl.col("index") - 1) // MOST_CLUSTERS + 1
    name = pl.when(number == 1).then(pl.col("pool")).otherwise(pl.format("{}-{}", "pool", number))
    return plan.cells.with_columns(division=name)


def local_queue(queue: str, pool: str, index: int) -> str:
    """Name of the LocalQueue of a queue in the cell of a pool; the federation's has the same, as MultiKueue wants."""
    name = queue if queue == pool else f"{queue}-{pool}"
    return name if division(index) == 1 else f"{name}-{division(index)}"


def handed_out(plan: Plan) -> pl.DataFrame:
    """Rows queue, nodes, gpus of the last stage: what each queue hands out over all cells."""
    schema = {"queue": pl.String, "nodes": pl.Int64, "gpus": pl.Int64}
    if plan.spec.kubernetes is None or not plan.stages.height or not plan.cells.height:
        return pl.DataFrame(schema=schema)
    names = pl.Series([queue.name for queue in plan.spec.kubernetes.queues], dtype=pl.String)
    held = quotas(plan, plan.spec.kubernetes, plan.stages.height - 1)
    if not held.height:
        return pl.DataFrame(schema=schema)
    summed = held.group_by("queue").agg(pl.col("nodes", "gpus").sum()).sort("queue")
    return summed.with_columns(queue=names.gather(summed["queue"]))
