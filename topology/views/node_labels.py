"""What a Kubernetes node says of its place: labels by scheme, and the levels a scheduler may ask for.

Values are the names that Slurm's topologies use too, so that both schedulers speak of one
leaf group. Labels come from the whole design, so that no stage changes those of a node that stands.
"""

from dataclasses import dataclass

import polars as pl

from topology.plan import names
from topology.plan.names import Part
from topology.plan.plan import Plan
from topology.spec.kubernetes import Kubernetes
from topology.views.leaf_groups import LEVELS, leaf_groups, leaf_template, shape, template

HOSTNAME = "kubernetes.io/hostname"  # Kueue takes it at the lowest level only
LONGEST = 63  # characters of a label's value, and of its name behind the prefix
SCHEMES = {  # domain of rack size, then the fabric's tiers from the leaves up
    # Topograph 1.0 and later: docs, engines/k8s; tier 0 is the nearest to the node
    "topograph-v1": (
        "accelerator.topograph.run/domain",
        "fabric.topograph.run/tier-0",
        "fabric.topograph.run/tier-1",
        "fabric.topograph.run/tier-2",
    ),
    # Topograph 0.5 and earlier: docs, engines/k8s
    "topograph-v0": (
        "network.topology.nvidia.com/accelerator",
        "network.topology.nvidia.com/leaf",
        "network.topology.nvidia.com/spine",
        "network.topology.nvidia.com/core",
    ),
}
UNIT = (Part(column="group_name"), Part("-"), Part(column="unit_number", width=4))


@dataclass(frozen=True, slots=True)
class Level:
    """Nodes that are near each other: what they are, the label that says which, and how many at most."""

    word: str  # core, spine, unit, leaf, domain or node
    label: str
    nodes: int


def keys(kubernetes: Kubernetes) -> tuple[str, str, str, str]:
    """Keys of the NVLink domain and of the fabric's tiers, from the leaves up."""
    prefix = kubernetes.label_prefix
    own = (f"{prefix}/nvlink-domain", f"{prefix}/leaf", f"{prefix}/spine", f"{prefix}/core")
    return SCHEMES.get(kubernetes.labels, own)


def fabric_of(plan: Plan, group: int) -> str | None:
    """Name of the compute fabric of a group; None when it has none."""
    for fabric in plan.spec.fabrics:
        if fabric.connects == "compute" and group in shape(plan, fabric.name)["groups"]:
            return fabric.name
    return None


def levels(plan: Plan, kubernetes: Kubernetes, group: int) -> tuple[Level, ...]:
    """Levels of a group, widest first, each whole inside the one before; the last is the node.

    A leaf group that would cut an NVLink domain or a unit, or be cut by one, is no level: a scheduler reads
    levels as a tree.
    """
    compute = plan.spec.compute[group]
    rack = plan.catalog.racks[compute.rack]
    domain_key, *tier_keys = keys(kubernetes)
    unit = compute.unit_racks * rack.nodes
    found = [Level("unit", f"{kubernetes.label_prefix}/unit", unit)]
    if rack.nvlink:
        found.append(Level("domain", domain_key, rack.nodes))
    fabric = fabric_of(plan, group)
    if fabric is not None:
        row = shape(plan, fabric)
        sizes = {"run": row["group_nodes"], "pod": row["pod_units"] * unit, "island": row["island_units"] * unit}
        tiers = [
            Level(word, key, sizes[column])
            for (word, column), key in zip(LEVELS[row["tiers"]], tier_keys, strict=False)
        ]
        found += [tier for tier in tiers if all(_nested(tier.nodes, other.nodes) for other in found)]
    order = ("core", "spine", "unit", "leaf", "domain")
    found.sort(key=lambda level: (-level.nodes, order.index(level.word)))
    return (*found, Level("node", HOSTNAME, 1))


def _nested(one: int, other: int) -> bool:
    return max(one, other) % min(one, other) == 0


def node_labels(plan: Plan, kubernetes: Kubernetes, nodes: pl.DataFrame, group: int) -> pl.DataFrame:
    """Labels of those of `nodes`, as `names.node_places` gives them, that a group has: a column per key, in order.

    The columns `node` and `host`, the node's name, stand before them.
    """
    compute, prefix = plan.spec.compute[group], kubernetes.label_prefix
    rack, host = names.rack_template(plan.spec.names), names.node_template(plan.spec.names)
    domain_key, *tier_keys = keys(kubernetes)
    numbers = plan.units.select("unit", unit_number="number")
    mine = nodes.filter(pl.col("group") == group).join(numbers, on="unit", maintain_order="left")
    mine = mine.with_columns(group_name=pl.lit(compute.name))
    labels = {
        f"{prefix}/group": pl.col("group_name"),
        f"{prefix}/hall": pl.col("hall_name"),
        f"{prefix}/unit": names.spell(UNIT),
        f"{prefix}/rack": names.spell(rack),
    }
    if plan.catalog.racks[compute.rack].nvlink:
        labels[domain_key] = names.spell(rack)
    fabric = fabric_of(plan, group)
    if fabric is not None:
        mine = leaf_groups(plan, mine, fabric)
        for (word, column), key in zip(LEVELS[shape(plan, fabric)["tiers"]], tier_keys, strict=False):
            own = leaf_template(plan, fabric) if word == "leaf" else template(word, column)
            labels[key] = names.spell(own)
    return mine.select("node", host=names.spell(host), **labels)
