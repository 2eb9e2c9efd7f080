"""Block topologies: NVLink domains of whole racks, or boxes that share leaves."""

import polars as pl

from topology.artifacts.slurm.entries import Block, Topology
from topology.plan import Plan, names
from topology.views.localities import name_of, with_localities


def block_sizes(smallest: int, nodes: int) -> tuple[int, ...]:
    """The base block and its doublings up to the first that holds every node.

    Slurm takes no other factors ("Invalid BlockSizes value"), and a job larger than the last
    size gets only complete blocks of it, so that with less a job on every node never fits.
    Source: slurm topology.yaml(5); the rest as slurmctld 26.05 decides.

    >>> block_sizes(18, 252)
    (18, 36, 72, 144, 288)
    """
    doublings = max((-(-nodes // smallest) - 1).bit_length(), 0)
    return tuple(smallest << power for power in range(doublings + 1))


def domain_blocks(plan: Plan, nodes: pl.DataFrame) -> Topology:
    """One block per NVLink domain that fills a rack, named as the rack.

    The base size is the smallest domain's: slurmctld 26.05 takes a larger one in silence
    and then never fills the short blocks; 24.11 refuses it.
    """
    rack_scale = [at for at, group in enumerate(plan.spec.compute) if plan.catalog.racks[group.rack].nvlink]
    mine = nodes.filter(pl.col("group").is_in(rack_scale))
    rack = names.rack_template(plan.spec.names)
    spelled = mine.unique("domain", keep="first").select("domain", name=names.spell(rack))
    hosts = names.fold(mine, names.node_template(plan.spec.names), ["domain"])
    return _topology("nvlink", hosts.join(spelled, on="domain", maintain_order="left"), mine, ["domain"])


def leaf_blocks(plan: Plan, nodes: pl.DataFrame, fabric: str) -> Topology:
    """One block per leaf group, as sites with 8-GPU boxes run them."""
    near = with_localities(plan, nodes, fabric)
    hosts = names.fold(near, names.node_template(plan.spec.names), ["near0"])
    return _topology(f"{fabric}-blocks", hosts.with_columns(name=name_of(plan, 0)), near, ["near0"])


def _topology(name: str, hosts: pl.DataFrame, nodes: pl.DataFrame, by: list[str]) -> Topology:
    blocks = tuple(Block(*row) for row in hosts.select("name", "hosts").iter_rows())
    smallest = nodes.group_by(by).len()["len"].min()
    return Topology(name, "block", block_sizes(int(smallest), nodes.height), blocks)  # type: ignore[arg-type]
