"""Kubernetes: cells, the nodes that change theirs, and what each queue may hand out."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

import polars as pl

from topology.plan import Plan
from topology.review.amounts import count, plural, signed
from topology.review.document import Block, Chapter, Decision, Figure, Mark, Name, TextTable, Verdict, Words, look, some
from topology.review.review import ReviewPart
from topology.views.quotas import handed_out

NOWHERE = ""  # cell of a unit that is in none


class CellsPart(ReviewPart):
    """What the administrator of the Kubernetes cells approves; nothing where neither side has cells."""

    title = "Kubernetes"
    paths = re.compile(r"stages/[^/]+/kubernetes/")

    def chapter(self) -> Chapter:
        """All of it; nothing where neither side has cells."""
        has = any(plan.cells.height for plan in self.review.plans)
        return super().chapter() if has else Chapter(self.title)

    def measures(self) -> Mapping[str, float]:
        """What --fail-on compares."""
        return {"cells-removed": len(self.removed), "nodes-moved-cell": self.moved_nodes}

    @cached_property
    def pairs(self) -> pl.DataFrame:
        """Nodes that are on both sides by the cell they were and are in: was, now, nodes."""
        was, now = self.delta.matched("nodes")
        both = pl.DataFrame({"was": _named(self.base)[was], "now": _named(self.head)[now]})
        return both.group_by("was", "now").agg(pl.len().alias("nodes")).sort("was", "now")

    @cached_property
    def renamed(self) -> dict[str, str]:
        """New name by old one of cells that hold the very nodes under another name."""
        old, new = set(self.base.cells["name"]), set(self.head.cells["name"])
        gone = self.pairs.filter(pl.col("was").is_in(list(old - new)) & pl.col("now").is_in(list(new - old)))
        alone = gone.filter((pl.len().over("was") == 1) & (pl.len().over("now") == 1))
        return dict(alone.select("was", "now").iter_rows())

    @property
    def removed(self) -> list[str]:
        """Cells that are gone, renamed ones left out."""
        kept = {*self.head.cells["name"], *self.renamed}
        return [name for name in self.base.cells["name"] if name not in kept]

    @property
    def added(self) -> list[str]:
        """Cells that are new, renamed ones left out."""
        kept = {*self.base.cells["name"], *self.renamed.values()}
        return [name for name in self.head.cells["name"] if name not in kept]

    @cached_property
    def moves(self) -> pl.DataFrame:
        """Rows of `pairs` whose nodes are in another cell now."""
        under = pl.col("was").replace(self.renamed) if self.renamed else pl.col("was")
        return self.pairs.filter((under != pl.col("now")) & (pl.col("was") != NOWHERE))

    @property
    def moved_nodes(self) -> int:
        """Nodes that leave one cell for another, or for none."""
        return int(self.moves["nodes"].sum())

    @cached_property
    def queues(self) -> list[tuple[str, int, int]]:
        """Queues whose GPUs change: name, before, after."""
        base, head = (dict(handed_out(plan).select("queue", "gpus").iter_rows()) for plan in (self.base, self.head))
        every = dict.fromkeys([*head, *base])
        return [(name, base.get(name, 0), head.get(name, 0)) for name in every if base.get(name) != head.get(name)]

    def figures(self) -> Iterator[Figure]:
        """The row of cells."""
        parts = [f"+{count(len(self.added))} new"] if self.added else []
        parts += [f"{count(len(self.removed))} removed"] if self.removed else []
        parts += [f"{count(len(self.renamed))} renamed"] if self.renamed else []
        parts += [f"{plural(self.moved_nodes, 'node changes', 'nodes change')} cell"] if self.moved_nodes else []
        heights = (count(self.base.cells.height),), (count(self.head.cells.height),)
        if parts:
            yield Figure(("Kubernetes cells",), *heights, (", ".join(parts),))

    def phrases(self) -> Iterator[Words]:
        """Parts of the first sentence."""
        if self.moved_nodes:
            yield (plural(self.moved_nodes, "node changes its Kubernetes cell", "nodes change their Kubernetes cell"),)
        for name, before, after in self.queues:
            if after < before:
                yield ("queue ", Name(name), f" hands out {plural(before - after, 'GPU')} less")

    def decisions(self) -> Iterator[Decision]:
        """Cells that go, nodes that leave theirs, queues that may hand out less."""
        for old, new in self.renamed.items():
            yield look("cell renamed", ": ", Name(old), " → ", Name(new))
        if self.removed:
            yield look("destroyed", ": Kubernetes cells ", *some(self.removed, 8))
        for was, now, nodes in self.moves.iter_rows():
            to: Words = (
                (" to ", Name(now)) if now != NOWHERE else (" and is in none" if nodes == 1 else " and are in none",)
            )
            leaves = plural(nodes, "node leaves cell", "nodes leave cell")
            yield look("other cell", f": {leaves} ", Name(was), *to, "; drain first")
        for name, before, after in self.queues:
            if after < before:
                less = f" hands out {count(before)} → {plural(after, 'GPU')}"
                yield look("quota reduced", ": queue ", Name(name), less)

    def blocks(self) -> Iterator[Block]:
        """Queues whose quota changes."""
        rows = [
            ((Name(name),), (count(before),), (count(after),), (signed(after - before),))
            for name, before, after in self.queues
        ]
        if rows:
            yield TextTable(("queue, GPUs over all cells", "base", "head", "change"), rows, (False, True, True, True))

    def verdict(self) -> Verdict:
        """Whether it holds, in one sentence."""
        cells = plural(self.head.cells.height, "cell")
        if not (self.added or self.removed or self.renamed or self.moved_nodes or self.queues):
            return Verdict(Mark.FINE, ("— holds", *self.unchanged(f"nothing changes in {cells}")))
        mark = Mark.LOOK if self.removed or self.renamed or self.moved_nodes else Mark.FINE
        moved = plural(self.moved_nodes, "node changes its", "nodes change their")
        moved = moved if self.moved_nodes else "no node changes its"
        return Verdict(mark, (f"— holds in {cells}; {moved} cell",))


def _named(plan: Plan) -> pl.Series:
    """Cell of every node by name; empty for none."""
    cells = plan.units["cell"].gather(plan.nodes["unit"])
    if not plan.cells.height or cells.null_count() == len(cells):
        return pl.Series([NOWHERE] * len(cells), dtype=pl.String)
    return plan.cells["name"].gather(cells).fill_null(NOWHERE)
