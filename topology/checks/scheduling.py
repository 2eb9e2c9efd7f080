"""Rules of what schedulers hold, and of what they take in silence and get wrong."""

import polars as pl

from topology.checks import check
from topology.findings import Severity
from topology.plan import Plan, names


@check(
    "K101",
    "a slurmctld holds a scalable unit",
    "slurmctld takes 65,536 nodes; clusters are split between units, never inside one",
    keys={"compute": "unit_racks"},
)
def units_fit_a_controller(plan: Plan) -> pl.DataFrame:
    """Units with more nodes than one slurmctld may have."""
    limit = plan.spec.slurm.max_nodes
    sizes = plan.nodes.group_by("origin", "unit").agg(nodes=pl.len()).filter(pl.col("nodes") > limit).sort("unit")
    return sizes.select(
        "origin",
        example=pl.format("unit {}", pl.lit(plan.units["number"]).gather("unit")),
        message=pl.format("a unit has {} nodes; one slurmctld takes {}", "nodes", pl.lit(limit)),
        help=pl.lit("write a smaller unit_racks, or a larger slurm.max_nodes up to 65536"),
    )


@check(
    "K102",
    "the NVLink domains of a Slurm cluster are of one size",
    "the smallest domain is the base block: slurmctld 26.05 takes a short block in silence, 24.11 refuses it",
    severity=Severity.WARNING,
    keys={"compute": "without"},
)
def domains_are_alike(plan: Plan) -> pl.DataFrame:
    """Rack-scale domains with fewer nodes than the largest of their group."""
    rack_scale = [at for at, g in enumerate(plan.spec.compute) if plan.catalog.racks[g.rack].nvlink]
    domains = plan.nvlink_domains.with_columns(group=plan.racks["group"].gather(plan.nvlink_domains["rack"]))
    mine = domains.filter(pl.col("group").is_in(rack_scale)).with_columns(most=pl.col("nodes").max().over("group"))
    short = mine.filter(pl.col("nodes") < pl.col("most"))
    if not short.height:
        return short.select("origin", example=pl.lit(""), message=pl.lit(""), help=pl.lit(""))
    rack = names.labels(plan, "racks").gather(short["rack"])
    return short.with_columns(example=rack).select(
        "origin",
        "example",
        message=pl.format(
            "NVLink domain {} has {} nodes, others {}: every block of its Slurm cluster counts as {}",
            "example", "nodes", "most", "nodes",
        ),
        help=pl.lit("fit every rack alike with nodes_per_rack, or give the short ones a group of their own"),
    )  # fmt: skip


@check(
    "K103",
    "every node is in a partition",
    "a job reaches a node through a partition only",
    severity=Severity.WARNING,
)
def nodes_are_in_a_partition(plan: Plan) -> pl.DataFrame:
    """Groups that no partition names."""
    reached = {name for partition in plan.spec.slurm.partitions for name in partition.compute}
    idle = [at for at, group in enumerate(plan.spec.compute) if group.name not in reached]
    lost = plan.nodes.filter(pl.col("group").is_in(idle)).group_by("group", maintain_order=True)
    spelled = pl.Series([group.name for group in plan.spec.compute])
    return lost.agg(pl.col("origin").first(), nodes=pl.len()).select(
        "origin",
        example=pl.lit(spelled).gather("group"),
        message=pl.format("no partition has the {} nodes of {}", "nodes", pl.lit(spelled).gather("group")),
        help=pl.lit("add the group to a partition under slurm"),
    )
