"""Volcano's HyperNodes: racks by a label of their nodes, then leaf groups, pods and islands by the names below them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from topology.artifacts.kubernetes.cell import CellView
from topology.artifacts.kubernetes.groups import GroupView
from topology.plan import Plan
from topology.plan.node_labels import fabric_of, node_labels
from topology.spec.kubernetes import Kubernetes

TIERS = {"rack": (1, "rack"), "leaf": (2, "leaf-group"), "spine": (3, "pod"), "core": (4, "island")}  # of every site


@dataclass(frozen=True, slots=True)
class HyperNode:
    """A group of nodes, or of smaller HyperNodes."""

    name: str
    tier: int  # from 1, the smallest
    kind: str  # of the tier, in words
    label: str  # that its nodes have with its name; empty above the first tier
    members: tuple[str, ...]  # HyperNodes; empty in the first tier


def hypernodes(plan: Plan, kubernetes: Kubernetes, cell: CellView) -> Iterator[HyperNode]:
    """HyperNodes over the nodes of a cell, fabric by fabric and tier by tier.

    Groups on one fabric share its leaf groups and pods. Only levels that hold several racks and cut none,
    in every group, have a tier.
    """
    fabrics: dict[str, list[GroupView]] = {}
    for group in cell.groups:
        fabrics.setdefault(fabric_of(plan, group.index) or f"{group.index}", []).append(group)
    for groups in fabrics.values():
        yield from _of_fabric(plan, kubernetes, cell, groups)


def _of_fabric(plan: Plan, kubernetes: Kubernetes, cell: CellView, groups: Sequence[GroupView]) -> Iterator[HyperNode]:
    label = f"{kubernetes.label_prefix}/rack"
    wide = [_wide(plan, group) for group in groups]
    tiers = [("rack", label), *(one for one in wide[0] if all(one in other for other in wide))]
    labels = [key for _, key in tiers]
    frames = [node_labels(plan, kubernetes, cell.nodes, group.index).select(labels) for group in groups]
    labelled = pl.concat(frames).unique()
    for name in labelled[label].unique().sort():
        yield HyperNode(name, *TIERS["rack"], label, ())
    for (_, below), (word, own) in pairwise(tiers):
        held = labelled.group_by(own).agg(pl.col(below).unique().sort()).sort(own)
        for name, members in held.iter_rows():
            yield HyperNode(name, *TIERS[word], "", tuple(members))


def _wide(plan: Plan, group: GroupView) -> list[tuple[str, str]]:
    """Word and label of the levels that hold several whole racks of a group, the smallest first."""
    slots = plan.catalog.racks[plan.spec.compute[group.index].rack].nodes
    levels = [level for level in reversed(group.levels) if level.word in TIERS]
    return [(level.word, level.label) for level in levels if level.nodes > slots and level.nodes % slots == 0]
