"""What a Kubernetes node says of its place: labels by scheme, and the levels a scheduler may ask for.

Values are the names that Slurm's topologies use too, so that both schedulers speak of one
leaf group. Labels come from the whole design, so that no stage changes those of a node that stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from topology.plan import names
from topology.plan.names import Part
from topology.plan.plan import Plan
from topology.spec.kubernetes import Kubernetes
from topology.views.localities import fabric_of, name_of, near_levels, with_localities

HOSTNAME = "kubernetes.io/hostname"  # Kueue takes it at the lowest level only
LONGEST = 63  # characters of a label's value, and of its name behind the prefix
SCHEMES: Mapping[str, tuple[str, ...]] = {  # domain of rack size, then the fabric's localities from the leaves up
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
class LabelLevel:
    """Nodes that are near each other: what they are, the label that says which, and how many at most."""

    word: str  # unit, domain, node, or the tier that joins a locality's nodes
    label: str
    nodes: int
    rank: int = 0  # of two levels of one size the higher is the wider; localities above the leaves are wider than units
    near: int | None = None  # level of the localities in their fabric
    called: str = ""  # what people call such a locality


def domain_key(kubernetes: Kubernetes) -> str:
    """Key of the NVLink domain."""
    own = f"{kubernetes.label_prefix}/nvlink-domain"
    return SCHEMES[kubernetes.labels][0] if kubernetes.labels in SCHEMES else own


def _tier_keys(plan: Plan, kubernetes: Kubernetes, fabric: str) -> tuple[str, ...]:
    """Keys of the fabric's localities, from the leaves up; a scheme may have fewer than there are levels."""
    own = tuple(f"{kubernetes.label_prefix}/{level.tier}" for level in near_levels(plan, fabric))
    return SCHEMES[kubernetes.labels][1:] if kubernetes.labels in SCHEMES else own


def levels(plan: Plan, kubernetes: Kubernetes, group: int) -> tuple[LabelLevel, ...]:
    """Levels of a group, widest first, each whole inside the one before; the last is the node.

    A leaf group that would cut an NVLink domain or a unit, or be cut by one, is no level: a scheduler reads
    levels as a tree.
    """
    compute = plan.spec.compute[group]
    rack = plan.catalog.racks[compute.rack]
    unit = compute.unit_racks * rack.nodes
    found = [LabelLevel("unit", f"{kubernetes.label_prefix}/unit", unit)]
    if rack.nvlink:
        found.append(LabelLevel("domain", domain_key(kubernetes), rack.nodes, -2))
    fabric = fabric_of(plan, group)
    if fabric is not None:
        near = zip(near_levels(plan, fabric), _tier_keys(plan, kubernetes, fabric), strict=False)
        tiers = [
            LabelLevel(level.tier, key, level.places, at or -1, at, level.word) for at, (level, key) in enumerate(near)
        ]
        found += [tier for tier in tiers if all(_nested(tier.nodes, other.nodes) for other in found)]
    found.sort(key=lambda level: (-level.nodes, -level.rank))
    return (*found, LabelLevel("node", HOSTNAME, 1))


def _nested(one: int, other: int) -> bool:
    return max(one, other) % min(one, other) == 0


def node_labels(plan: Plan, kubernetes: Kubernetes, nodes: pl.DataFrame, group: int) -> pl.DataFrame:
    """Labels of those of `nodes`, as `names.node_places` gives them, that a group has: a column per key, in order.

    The columns `node` and `host`, the node's name, stand before them.
    """
    compute, prefix = plan.spec.compute[group], kubernetes.label_prefix
    rack, host = names.rack_template(plan.spec.names), names.node_template(plan.spec.names)
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
        labels[domain_key(kubernetes)] = names.spell(rack)
    fabric = fabric_of(plan, group)
    if fabric is not None:
        mine = with_localities(plan, mine, fabric)
        near = zip(near_levels(plan, fabric), _tier_keys(plan, kubernetes, fabric), strict=False)
        labels |= {key: name_of(plan, at) for at, (_, key) in enumerate(near)}
    return mine.select("node", host=names.spell(host), **labels)
