"""Volcano's HyperNodes: racks by a label of their nodes, then leaf groups, pods and islands by the names below them."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from topology.artifacts.kubernetes.groups import GroupView
from topology.plan import Plan
from topology.plan.node_labels import node_labels
from topology.spec.kubernetes import Kubernetes

TIERS = {"rack": "rack", "leaf": "leaf-group", "spine": "pod", "core": "island"}


@dataclass(frozen=True, slots=True)
class HyperNode:
    """A group of nodes, or of smaller HyperNodes."""

    name: str
    tier: int  # from 1, the smallest
    kind: str  # of the tier, in words
    label: str  # that its nodes have with its name; empty above the first tier
    members: tuple[str, ...]  # HyperNodes; empty in the first tier


def hypernodes(plan: Plan, kubernetes: Kubernetes, group: GroupView, nodes: pl.DataFrame) -> Iterator[HyperNode]:
    """HyperNodes over those of a cell's `nodes` that a group has, tier by tier.

    Only levels of the fabric that hold several racks and cut none have a tier.
    """
    rack_label = f"{kubernetes.label_prefix}/rack"
    slots = plan.catalog.racks[plan.spec.compute[group.index].rack].nodes
    wide = [level for level in reversed(group.levels) if level.word in TIERS and level.nodes > slots]
    tiers = [("rack", rack_label), *((level.word, level.label) for level in wide if level.nodes % slots == 0)]
    labelled = node_labels(plan, kubernetes, nodes, group.index)
    below = ""
    for tier, (word, label) in enumerate(tiers, start=1):
        if tier == 1:
            for name in labelled[label].unique().sort():
                yield HyperNode(name, tier, TIERS[word], label, ())
        else:
            held = labelled.group_by(label).agg(pl.col(below).unique().sort()).sort(label)
            for name, members in held.iter_rows():
                yield HyperNode(name, tier, TIERS[word], "", tuple(members))
        below = label
