"""Slurm on Kubernetes: the topologies of a cell's Slurm cluster, from the views of the Slurm files themselves.

Nodes join Slurm as pods under names of their own, so topology.yaml names blocks and switches only, and every
Kubernetes node says in an annotation which of them it belongs to (Slinky, docs/usage/topology.md, 1.1 and later).
"""

from dataclasses import dataclass

import polars as pl

from topology.artifacts.kubernetes.cell import CellView
from topology.artifacts.kubernetes.groups import node_of
from topology.artifacts.slurm.clusters import Controller, partitions_here
from topology.artifacts.slurm.entries import Topology
from topology.artifacts.slurm.topologies import topologies
from topology.plan import Plan, names
from topology.spec.kubernetes import Kubernetes, Pool
from topology.spec.model import Partition, SlurmCluster
from topology.views.localities import fabric_of, name_of, with_localities

ANNOTATION = "topology.slinky.slurm.net/spec"


@dataclass(frozen=True, slots=True)
class PartitionView:
    """A partition over the node sets of a cell."""

    name: str
    sets: tuple[str, ...]
    default: str
    max_time: str
    topology: str


def controller(plan: Plan, pool: Pool, name: str, nodes: pl.DataFrame) -> Controller:
    """The Slurm cluster over some nodes of a pool, as the Slurm files would have it.

    Its partitions are those of the spec that the pool holds whole; where there is none, one over the pool.
    """
    cluster = SlurmCluster(name, pool.compute)
    inside = partitions_here(plan, cluster, nodes)
    return Controller(name, cluster, nodes, inside or (Partition(pool.name, pool.compute, default=True),))


@dataclass(frozen=True, slots=True)
class SlinkyView:
    """The Slurm cluster of a cell."""

    topologies: tuple[Topology, ...]  # the default first
    partitions: tuple[PartitionView, ...]
    types: dict[str, str]  # GPU type of each group, as Slurm writes it


def slurm_view(plan: Plan, kubernetes: Kubernetes, cell: CellView) -> SlinkyView:
    """The Slurm cluster over the nodes that stand in a cell."""
    pool = next(pool for pool in kubernetes.pools if pool.name == cell.pool)
    slurm = controller(plan, pool, cell.name, cell.nodes)
    made, used = topologies(plan, slurm)
    here = [group.name for group in cell.groups]
    first = next((one for one in slurm.partitions if one.default), slurm.partitions[0])
    partitions = tuple(
        PartitionView(
            name=one.name,
            sets=tuple(name for name in one.compute if name in here),
            default="YES" if one is first else "NO",
            max_time=one.max_time,
            topology=used[one.name],
        )
        for one in slurm.partitions
    )
    types = {group.name: node_of(plan, group.index).gres_type for group in cell.groups}
    return SlinkyView(made, partitions, types)


def node_topology(plan: Plan, kubernetes: Kubernetes, nodes: pl.DataFrame, group: int) -> pl.DataFrame:
    """Columns node, topology: what the annotation of each of a group's nodes says.

    Which topologies there are follows from the groups of the pool, every stage of it, so that no
    annotation changes when another group arrives.
    """
    pool = next(pool for pool in kubernetes.pools if plan.spec.compute[group].name in pool.compute)
    members = [at for at, each in enumerate(plan.spec.compute) if each.name in pool.compute]
    sample = plan.nodes.filter(pl.col("group").is_in(members)).unique("group", keep="first", maintain_order=True)
    places = names.with_places(plan, plan.racks).select("rack", "hall_name", "row_number", "position", "number")
    placed = sample.join(places, on="rack", maintain_order="left")
    made, _ = topologies(plan, controller(plan, pool, pool.name, placed))
    mine, fabric = nodes.filter(pl.col("group") == group), fabric_of(plan, group)
    rack_scale = plan.catalog.racks[plan.spec.compute[group].rack].nvlink is not None
    words: list[tuple[str, pl.Expr]] = []
    for topology in made:
        if topology.name == "nvlink" and topology.kind == "block":
            words += [(topology.name, names.spell(names.rack_template(plan.spec.names)))] if rack_scale else []
        elif fabric is not None and topology.name in _holding(plan, fabric):
            words.append((topology.name, name_of(plan, 0)))
    if fabric is not None:
        mine = with_localities(plan, mine, fabric)
    said = [pl.concat_str([pl.lit(f"{name}:"), value]) for name, value in words]
    return mine.select("node", topology=pl.concat_str(said, separator=",") if said else pl.lit(""))


def _holding(plan: Plan, fabric: str) -> set[str]:
    """Names of the topologies that list the leaf groups of a fabric: its own, its blocks', and its core's."""
    cores = {each.name for each in plan.spec.fabrics if fabric in each.joins}
    return {fabric, f"{fabric}-blocks", *cores}
