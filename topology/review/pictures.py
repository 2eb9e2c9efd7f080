"""Folded diagrams of the fabric and the power path, of both sides at once.

They stay far below what GitHub draws, by folding one level more where a site is large.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from topology.artifacts.power import diagram
from topology.plan import Plan
from topology.review.amounts import both, count
from topology.review.document import DrawnBox, DrawnEdge, Fold, Note, Picture
from topology.review.review import Review

MOST_SOURCES = 12  # drawn one by one; more are one box for each kind
MOST_FABRICS = 24
Drawn = tuple[Mapping[str, tuple[str, ...]], Mapping[tuple[str, str], str]]  # lines by title, labels by both titles


def folds(review: Review) -> Iterator[Fold]:
    """A fold for each of the two pictures that something changed in."""
    for title, picture in (("The fabric", fabric(review)), ("The power path", power(review))):
        pairs = [(each.base, each.head) for each in picture.boxes], [(each.base, each.head) for each in picture.edges]
        if any(base != head for kind in pairs for base, head in kind):
            legend = Note(("Green is new, yellow changed, red removed.",))
            yield Fold((f"Picture: {title[0].lower()}{title[1:]}",), (picture, legend))


def fabric(review: Review) -> Picture:
    """Groups and tiers of each fabric, and cables between them; of many fabrics only those that change."""
    base, head = review.plans
    renames = review.delta.renames
    before, after = (
        _Fabrics(base, renames.groups.renamed, renames.fabrics.renamed).drawn(),
        _Fabrics(head, {}, {}).drawn(),
    )
    if head.fabrics.height > MOST_FABRICS:
        changed = {title for title, (now, was) in both(after[0], before[0]).items() if now != was}
        before, after = _only(changed, before), _only(changed, after)
    return _compared(before, after)


def _only(titles: set[str], drawn: Drawn) -> Drawn:
    boxes, labels = drawn
    return (
        {title: lines for title, lines in boxes.items() if title in titles},
        {ends: label for ends, label in labels.items() if titles.issuperset(ends)},
    )


def _compared(base: Drawn, head: Drawn) -> Picture:
    """Boxes and edges of two sides as one picture."""
    boxes, edges = both(head[0], base[0]), both(head[1], base[1])
    at = {title: position for position, title in enumerate(boxes)}
    return Picture(
        tuple(DrawnBox(was, now) for now, was in boxes.values()),
        tuple(DrawnEdge(at[start], at[end], was, now) for (start, end), (now, was) in edges.items()),
    )


class _Fabrics:
    """One side's fabrics under the new names."""

    def __init__(self, plan: Plan, groups: Mapping[str, str], fabrics: Mapping[str, str]) -> None:
        self.plan = plan
        self.groups = [groups.get(group.name, group.name) for group in plan.spec.compute]
        self.names = [fabrics.get(name, name) for name in plan.fabrics["name"]]

    def boxes(self) -> dict[str, tuple[str, ...]]:
        """Lines of each box by its title."""
        gpus = self.plan.nodes.group_by("group").len()
        held = dict(gpus.iter_rows())
        made: dict[str, tuple[str, ...]] = {
            f"group {name}": (name, f"{count(held.get(at, 0))} nodes") for at, name in enumerate(self.groups)
        }
        tiers = self.plan.switches.group_by("fabric", "tier").len().sort("fabric", "tier")
        products = self.plan.fabrics["switch"]
        for at, tier, number in tiers.iter_rows():
            made[f"{self.names[at]} {tier}"] = (f"{self.names[at]} {tier}", f"{count(number)} {products[at]}")
        return made

    def drawn(self) -> Drawn:
        """Boxes, and cables between groups and tiers."""
        switch = self.plan.switches.select("switch", "fabric", "tier")
        cables = (
            self.plan.cables.lazy()
            .select("fabric", "hop", "a_table", "a", "b")
            .filter(pl.col("a_table") != "appliances")
        )
        nodes = self.plan.nodes["group"].gather(self.plan.nics["node"])
        labels: dict[tuple[str, str], str] = {}
        lower = cables.filter(pl.col("a_table") == "nics").select(
            group=pl.lit(nodes).gather("a"), upper=pl.lit(switch["tier"]).gather("b"), fabric="fabric"
        )
        for group, tier, fabric, number in _counted(lower, ["group", "upper", "fabric"]):
            labels[f"group {self.groups[group]}", f"{self.names[fabric]} {tier}"] = count(number)
        upper = cables.filter(pl.col("a_table") == "switches").select(
            below=pl.lit(switch["fabric"]).gather("a"),
            tier=pl.lit(switch["tier"]).gather("a"),
            over=pl.lit(switch["fabric"]).gather("b"),
            top=pl.lit(switch["tier"]).gather("b"),
        )
        for below, tier, over, top, number in _counted(upper, ["below", "tier", "over", "top"]):
            labels[f"{self.names[below]} {tier}", f"{self.names[over]} {top}"] = count(number)
        return self.boxes(), labels


def _counted(cables: pl.LazyFrame, by: list[str]) -> Iterator[tuple[Any, ...]]:
    """Numbers of cables by some columns, sorted."""
    return cables.group_by(by).agg(pl.len()).sort(by).collect().iter_rows()


def power(review: Review) -> Picture:
    """Sources, levels by side, banks and racks."""
    base, head = review.plans
    return _compared(_path(base), _path(head))


def _path(plan: Plan) -> Drawn:
    """Boxes by title, and the lines between them."""
    if not plan.sources.height and not plan.power_nodes.height:
        return {}, {}
    drawn = diagram.one_line(plan)
    titles = {box.key: f"{box.key.rstrip('0123456789AB')} {box.lines[0]}" for box in drawn.boxes}
    titles |= {box.key: "racks" for box in drawn.boxes if box.key == "racks"}
    boxes = {titles[box.key]: box.lines for box in drawn.boxes}
    labels = {(titles[line.start], titles[line.end]): "" for line in drawn.lines}
    if plan.sources.height > MOST_SOURCES:
        kinds = dict(zip(plan.sources["name"], plan.sources["kind"], strict=True))
        folded = {f"source {name}": f"source {kind}" for name, kind in kinds.items()}
        sums = plan.sources.group_by("kind", maintain_order=True).agg(pl.len(), mw=pl.col("capacity_w").sum() / 1e6)
        of_kind = {f"source {kind}": (f"{count(n)} x {kind}", f"{mw:g} MW") for kind, n, mw in sums.iter_rows()}
        boxes = of_kind | {title: lines for title, lines in boxes.items() if title not in folded}
        labels = {(folded.get(a, a), b): "" for a, b in labels}
    return boxes, labels
