"""Folded Mermaid diagrams of the fabric and the power path, with what changed marked.

GitHub draws at most 500 edges and 50,000 characters; these stay far below, by folding one level more
where a site is large.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from topology.artifacts.power import diagram
from topology.plan import Plan
from topology.review.amounts import both, count
from topology.review.document import Fold, Note, Picture
from topology.review.review import Review

MOST_EDGES = 200
MOST_CHARACTERS = 20_000
MOST_SOURCES = 12  # drawn one by one; more are one box for each kind
MOST_FABRICS = 24
_SAFE = re.compile(r"[^A-Za-z0-9 ,.:()+/%−→–-]")
_CLASSES = (
    "classDef new fill:#d2f4d3,stroke:#1a7f37,color:#1f2328",
    "classDef changed fill:#fff3c4,stroke:#9a6700,color:#1f2328",
    "classDef gone fill:#ffdcd7,stroke:#cf222e,color:#1f2328,stroke-dasharray:4 3",
)


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """A box: what it stands for on either side, as lines; None where it does not stand."""

    key: str
    base: tuple[str, ...] | None
    head: tuple[str, ...] | None

    @property
    def mark(self) -> str:
        """Class of the box; empty where nothing changed."""
        if self.base is None or self.head is None:
            return "new" if self.base is None else "gone"
        return "" if self.base == self.head else "changed"

    @property
    def lines(self) -> list[str]:
        """Lines to show; a changed one as `base → head`."""
        if self.base is None or self.head is None or len(self.base) != len(self.head):
            return list(self.head or self.base or ())
        return [now if was == now else f"{was} → {now}" for was, now in zip(self.base, self.head, strict=True)]


Edges = Mapping[tuple[str, str], tuple[str | None, str | None]]  # label before and after by key of both boxes


def folds(review: Review) -> Iterator[Fold]:
    """A fold for each of the two pictures that something changed in."""
    for title, (boxes, edges) in (("The fabric", fabric(review)), ("The power path", power(review))):
        if boxes and (any(box.mark for box in boxes) or any(a != b for a, b in edges.values())):
            text = mermaid(boxes, edges)
            legend = "Green is new, yellow changed, red removed."
            inside = (Picture(text), Note((legend,))) if text else (Note(("too large to be drawn",)),)
            yield Fold((f"Picture: {title[0].lower()}{title[1:]}",), inside)


def mermaid(boxes: Sequence[DrawnBox], edges: Edges) -> str:
    """Text of the diagram; empty when it would pass the limits."""
    lines = ["flowchart TB", *(f"  {line}" for line in _CLASSES)]
    for box in boxes:
        mark = f":::{box.mark}" if box.mark else ""
        lines.append(f'  {box.key}["{"<br/>".join(map(label, box.lines))}"]{mark}')
    for (start, end), (was, now) in edges.items():
        words = now if was == now else f"{was or '0'} → {now or '0'}"
        arrow = "-.->" if now is None else "==>" if was is None or was != now else "-->"
        lines.append(f'  {start} {arrow}|"{label(words)}"| {end}' if words else f"  {start} {arrow} {end}")
    text = "\n".join(lines) + "\n"
    return text if len(edges) <= MOST_EDGES and len(text) <= MOST_CHARACTERS else ""


def label(text: str) -> str:
    """Text of a label: whatever Mermaid could read as more than text as its character number."""
    return _SAFE.sub(lambda found: f"#{ord(found[0])};", text)


def fabric(review: Review) -> tuple[list[DrawnBox], Edges]:
    """Groups and tiers of each fabric, and cables between them; of many fabrics only those that change."""
    base, head = review.plans
    renames = review.delta.renames
    new = _Fabrics(head, {}, {})
    boxes, edges = _compared(_Fabrics(base, renames.groups.renamed, renames.fabrics.renamed).drawn(), new.drawn())
    if len(new.names) > MOST_FABRICS:
        kept = {box.key for box in boxes if box.mark}
        boxes = [box for box in boxes if box.key in kept]
        edges = {ends: labels for ends, labels in edges.items() if set(ends) <= kept}
    return boxes, edges


Drawn = tuple[Mapping[str, tuple[str, ...]], Mapping[tuple[str, str], str]]  # lines by title, labels by both titles


def _compared(base: Drawn, head: Drawn) -> tuple[list[DrawnBox], Edges]:
    """Boxes and edges of two sides as one picture."""
    boxes, edges = both(head[0], base[0]), both(head[1], base[1])
    keys = {title: f"n{at}" for at, title in enumerate(boxes)}
    drawn = [DrawnBox(keys[title], was, now) for title, (now, was) in boxes.items()]
    return drawn, {(keys[a], keys[b]): (was, now) for (a, b), (now, was) in edges.items()}


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


def power(review: Review) -> tuple[list[DrawnBox], Edges]:
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
