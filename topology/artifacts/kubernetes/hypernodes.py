"""Volcano's HyperNodes: racks by a label of their nodes, then leaf groups, pods and islands by the names below them.

A site has one per rack, so their documents are columns of text, as those of nodes are.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import polars as pl

from topology.artifacts.kubernetes.cell import CellView
from topology.artifacts.kubernetes.groups import GroupView
from topology.plan import Plan
from topology.spec.kubernetes import Kubernetes
from topology.views.localities import fabric_of
from topology.views.node_labels import node_labels

HEAD = "# HyperNodes of {}, {} at stage {}; Volcano must not discover them as well\n"


def hypernodes(plan: Plan, kubernetes: Kubernetes, cell: CellView) -> bytes:
    """Text of the HyperNodes over the nodes of a cell, fabric by fabric and tier by tier.

    Groups on one fabric share its leaf groups and pods. Only levels that hold several racks and cut none,
    in every group, have a tier.
    """
    fabrics: dict[str, list[GroupView]] = {}
    for group in cell.groups:
        fabrics.setdefault(fabric_of(plan, group.index) or f"{group.index}", []).append(group)
    texts = [text for groups in fabrics.values() for text in _of_fabric(plan, kubernetes, cell, groups)]
    return "".join([HEAD.format(cell.name, cell.cluster, cell.stage), *texts]).encode()


def _of_fabric(plan: Plan, kubernetes: Kubernetes, cell: CellView, groups: Sequence[GroupView]) -> Iterator[str]:
    """Text of each tier."""
    label = f"{kubernetes.label_prefix}/rack"
    wide = [_wide(plan, group) for group in groups]
    tiers = [(1, "rack", label), *(one for one in wide[0] if all(one in other for other in wide))]
    keys = [key for *_, key in tiers]
    frames = [node_labels(plan, kubernetes, cell.nodes, group.index).select(keys) for group in groups]
    labelled = pl.concat(frames).unique()
    racks = labelled.select(name=pl.col(label).unique().sort())
    begin, end = f'{{type: Node, selector: {{labelMatch: {{matchLabels: {{{label}: "', '"}}}}'
    member = pl.concat_str([pl.lit(begin), "name", pl.lit(end)])
    yield _documents(racks.select("name", members=member), *tiers[0][:2])
    for (*_, below), (tier, kind, own) in pairwise(tiers):
        member = pl.concat_str([pl.lit('{type: HyperNode, selector: {exactMatch: {name: "'), below, pl.lit('"}}}')])
        pairs = labelled.select(own, below).unique().sort(own, below)
        held = pairs.group_by(name=own, maintain_order=True).agg(members=member.str.join("\n    - "))
        yield _documents(held, tier, kind)


def _documents(made: pl.DataFrame, tier: int, kind: str) -> str:
    """Documents of a tier, from the columns name and members."""
    head = "---\napiVersion: topology.volcano.sh/v1alpha1\nkind: HyperNode\nmetadata:\n  name: "
    parts = [pl.lit(f'{head}"'), "name", pl.lit(f'"\nspec:\n  tier: {tier}\n  tierName: {kind}\n  members:\n    - ')]
    return str(made.select(pl.concat_str([*parts, "members", pl.lit("\n")]).str.join("")).item())


def _wide(plan: Plan, group: GroupView) -> list[tuple[int, str, str]]:
    """Tier, kind and label of the levels that hold several whole racks of a group, the smallest first.

    A locality has the same tier number on every site, whatever levels there are.
    """
    slots = plan.catalog.racks[plan.spec.compute[group.index].rack].nodes
    return [
        (level.near + 2, level.called, level.label)
        for level in reversed(group.levels)
        if level.near is not None and level.nodes > slots and level.nodes % slots == 0
    ]
