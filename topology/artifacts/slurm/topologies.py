"""Which named topologies a slurmctld has, and which partition uses which."""

from dataclasses import replace

import polars as pl

from topology.artifacts.slurm.blocks import domain_blocks, leaf_blocks
from topology.artifacts.slurm.clusters import Controller
from topology.artifacts.slurm.entries import Topology
from topology.artifacts.slurm.trees import fabric_tree
from topology.plan import Plan
from topology.spec.model import Partition


def topologies(plan: Plan, controller: Controller) -> tuple[tuple[Topology, ...], dict[str, str]]:
    """Topologies of a slurmctld, the default partition's first, and the name each partition uses.

    Racks that are one NVLink domain get their blocks and the tree both, so that a job can
    ask for either; boxes get the tree, or what their partition says.
    """
    made: dict[str, Topology] = {}
    used: dict[str, str] = {}
    for partition in sorted(controller.partitions, key=lambda p: not p.default):
        wanted = partition.topology or ("block" if _rack_scale(plan, partition) else "tree")
        own = _build(plan, controller, partition, wanted)
        made.setdefault(own.name, own)
        used[partition.name] = own.name
        if wanted == "block":
            tree = _build(plan, controller, partition, "tree")
            made.setdefault(tree.name, tree)
    first, *others = made.values()
    return (replace(first, default=True), *others), used


def _rack_scale(plan: Plan, partition: Partition) -> bool:
    groups = [group for group in plan.spec.compute if group.name in partition.compute]
    return all(plan.catalog.racks[group.rack].nvlink for group in groups)


def _build(plan: Plan, controller: Controller, partition: Partition, kind: str) -> Topology:
    """The topology of a kind that holds the partition's nodes; flat where no one fabric does."""
    groups = [at for at, group in enumerate(plan.spec.compute) if group.name in partition.compute]
    fabrics = _fabrics(plan, groups)
    if kind == "block" and _rack_scale(plan, partition):
        return domain_blocks(plan, controller.nodes)
    if kind == "block" and len(fabrics) == 1:
        return leaf_blocks(plan, controller.nodes, fabrics[0])
    if kind == "tree":
        core = next((f for f in plan.spec.fabrics if fabrics and set(fabrics) <= set(f.joins)), None)
        if core is not None:
            return fabric_tree(plan, controller.nodes, core.name, core.joins)
        if len(fabrics) == 1:
            return fabric_tree(plan, controller.nodes, fabrics[0], fabrics)
    return Topology("flat", "flat")


def _fabrics(plan: Plan, groups: list[int]) -> tuple[str, ...]:
    """Names of the compute fabrics that connect any of the groups."""
    names = [f.name for f in plan.spec.fabrics if f.connects == "compute"]
    mine = plan.fabrics.filter(pl.col("name").is_in(names)).select("name", "groups").explode("groups")
    return tuple(mine.filter(pl.col("groups").is_in(groups))["name"].unique(maintain_order=True))
