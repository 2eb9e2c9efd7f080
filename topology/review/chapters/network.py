"""Network: cables that are new, removed or re-plugged, and what each fabric carries."""

from collections.abc import Iterator
from functools import cached_property

import polars as pl

from topology.plan import Plan
from topology.review.amounts import arrow, count, plural, renamed
from topology.review.chapters.faults import faulty
from topology.review.chapters.shapes import FabricFacts, shapes
from topology.review.chapters.wires import plugs, pod_lines, switch_lines
from topology.review.document import (
    Block,
    Bullets,
    Chapter,
    Decision,
    Figure,
    Fold,
    Mark,
    Name,
    TextTable,
    Verdict,
    Words,
    strong,
)
from topology.review.document import names as some
from topology.review.matching import Rows
from topology.review.review import Review

EXAMPLES = 2  # re-plugged cables that are written out per fabric and hop
KINDS = ("new", "removed", "re-plugged", "re-laid", "other rate")


def chapter(review: Review) -> Chapter:
    """What the network engineer approves."""
    network = _Network(review)
    cabling = network.cabling
    return Chapter(
        title="Network",
        figures=tuple(network.figures()),
        decisions=tuple(network.decisions()),
        phrases=tuple(network.phrases()),
        blocks=tuple(network.blocks()),
        verdict=network.verdict(),
        folds=tuple(network.folds()),
        measures={
            "cables-new": len(cabling.new),
            "cables-removed": len(cabling.removed),
            "replug": len(cabling.replugged[0]),
            "relaid": len(cabling.relaid[0]),
            "rerated": len(cabling.rerated[0]),
        },
    )


class _Network:
    """The chapter's facts, each worked out once."""

    def __init__(self, review: Review) -> None:
        self.review = review
        self.base, self.head = review.plans
        self.cabling = review.changes.cabling

    @cached_property
    def shapes(self) -> tuple[dict[str, FabricFacts], dict[str, FabricFacts]]:
        """Shapes of both sides."""
        return shapes(self.base), shapes(self.head)

    @cached_property
    def pairs(self) -> dict[str, tuple[FabricFacts | None, FabricFacts | None]]:
        """FabricFacts before and after of every fabric, under its new name."""
        renamed = self.review.changes.renames.fabrics.renamed
        before = {renamed.get(name, name): shape for name, shape in self.shapes[0].items()}
        every = dict.fromkeys([*self.shapes[1], *before])
        return {name: (before.get(name), self.shapes[1].get(name)) for name in every}

    @cached_property
    def counts(self) -> pl.DataFrame:
        """Cables by fabric and hop, a column for each kind of change."""
        cabling = self.cabling
        parts = [
            (self.head, cabling.new),
            (self.base, cabling.removed),
            (self.head, cabling.replugged[1]),
            (self.head, cabling.relaid[1]),
            (self.head, cabling.rerated[1]),
        ]
        every = [
            _by_hop(plan, rows, self._new_names(plan)).with_columns(kind=pl.lit(kind))
            for kind, (plan, rows) in zip(KINDS, parts, strict=True)
        ]
        long = pl.concat(every)
        columns = [pl.col("cables").filter(pl.col("kind") == kind).sum().alias(kind) for kind in KINDS]
        order = pl.Enum(list(self.pairs) or [""])
        return long.group_by("fabric", "hop").agg(columns).sort(pl.col("fabric").cast(order), "hop")

    def _new_names(self, plan: Plan) -> list[str]:
        renamed = self.review.changes.renames.fabrics.renamed if plan is self.base else {}
        return [renamed.get(name, name) for name in plan.fabrics["name"]]

    def figures(self) -> Iterator[Figure]:
        """The row of cables, and one for each fabric whose shape changes."""
        cabling = self.cabling
        parts: list[str | object] = []
        if len(cabling.new):
            parts.append(f"+{count(len(cabling.new))} new, ")
        replugged = f"{count(len(cabling.replugged[0]))} re-plugged"
        parts += [strong(replugged), f", {count(len(cabling.removed))} removed"]
        for rows, word in ((cabling.relaid[0], "re-laid"), (cabling.rerated[0], "at another rate")):
            parts += [f", {count(len(rows))} {word}"] if len(rows) else []
        heights = (count(self.base.cables.height),), (count(self.head.cables.height),)
        yield Figure(("Cables",), *heights, tuple(parts))  # type: ignore[arg-type]
        for name, (was, now) in self.pairs.items():
            if was and now and (was.taper, was.bisection) != (now.taper, now.bisection):
                label: Words = ("Bisection of ", Name(name), ", Tb/s")
                yield Figure(
                    label, (was.bisection,), (now.bisection,), ("oversubscription ", *arrow(was.taper, now.taper))
                )

    def phrases(self) -> Iterator[Words]:
        """Parts of the first sentence."""
        for name, (was, now) in self.pairs.items():
            if was and now and was.switch != now.switch:
                yield ("fabric ", Name(name), " changes its switch to ", Name(now.switch))
            elif was and now and was.taper != now.taper:
                yield ("oversubscription of ", Name(name), f" goes from {was.taper} to {now.taper}")
            elif was and now and was.port != now.port:
                yield ("ports of ", Name(name), f" go from {was.port} to {now.port}")
            elif was and now and was.tree != now.tree:
                yield ("fabric ", Name(name), f" becomes {now.tree}")
        added, removed = (getattr(self.review.changes.renames.fabrics, word) for word in ("added", "removed"))
        if added and self.base.fabrics.height:
            yield ("new fabric ", *some(added))
        if removed and self.head.fabrics.height:
            yield ("fabric ", *some(removed), " is removed")
        cabling = self.cabling
        if cabling.new.size or cabling.removed.size or cabling.replugged[0].size or self.review.changes.every():
            yield (_replugged(len(cabling.replugged[0])),)

    def decisions(self) -> Iterator[Decision]:
        """Cables that are pulled or moved, planes and rates that are given up."""
        for row in self.counts.filter(pl.col("re-plugged") > 0).iter_rows(named=True):
            where: Words = (f": {plural(row['re-plugged'], 'cable')} of ", Name(row["fabric"]), f", {row['hop']}: ")
            yield Decision(Mark.LOOK, (strong("re-plugged"), *where, *self._examples(row["fabric"], row["hop"])))
        for row in self.counts.filter(pl.col("removed") > 0).iter_rows(named=True):
            words = f": {plural(row['removed'], 'cable')} of "
            yield Decision(Mark.LOOK, (strong("destroyed"), words, Name(row["fabric"]), f", {row['hop']}"))
        for row in self.counts.filter(pl.col("other rate") > 0).iter_rows(named=True):
            words = f": {plural(row['other rate'], 'cable')} of "
            yield Decision(Mark.LOOK, (strong("other rate"), words, Name(row["fabric"]), f", {row['hop']}"))
        relaid = len(self.cabling.relaid[0])
        if relaid:
            boxes = int(self.review.changes.moves.switches.sum())
            moved = f"; {plural(boxes, 'switch stands', 'switches stand')} elsewhere" if boxes else ""
            keep = plural(
                relaid,
                "cable keeps its plugs while a device at an end",
                "cables keep their plugs while a device at an end",
            )
            yield Decision(Mark.LOOK, (strong("re-laid"), f": {keep} moves{moved}"))
        for name, planes, rails in self._given_up():
            if planes:
                yield Decision(Mark.LOOK, (strong("redundancy lost"), ": ", Name(name), f" has {planes} planes fewer"))
            if rails:
                yield Decision(Mark.LOOK, (strong("rail lost"), ": ", Name(name), f" has {rails} rails fewer"))

    def _given_up(self) -> Iterator[tuple[str, int, int]]:
        """Fabrics on both sides with the planes and rails they lose."""
        renamed = self.review.changes.renames.fabrics.renamed
        before = {renamed.get(row["name"], row["name"]): row for row in self.base.fabrics.iter_rows(named=True)}
        for row in self.head.fabrics.iter_rows(named=True):
            was = before.get(row["name"])
            if was is not None:
                rails = bool(was["groups"]) and _rails(self.base, was["fabric"]) - _rails(self.head, row["fabric"])
                yield row["name"], max(0, was["planes"] - row["planes"]), max(0, rails)

    def _examples(self, fabric: str, hop: str) -> Words:
        """Some re-plugged cables, end by end."""
        was, now = self.cabling.replugged
        spelled = pl.Series(self._new_names(self.head)).gather(self.head.cables["fabric"].gather(now))
        mine = (spelled == fabric) & (self.head.cables["hop"].gather(now).cast(pl.String) == hop)
        at = mine.arg_true().head(EXAMPLES).to_numpy()
        ends = zip(plugs(self.base, was[at]), plugs(self.head, now[at]), strict=True)
        words: Words = ()
        for number, ((a, b), (new_a, new_b)) in enumerate(ends):
            fixed, old, new = (a, b, new_b) if b != new_b else (b, a, new_a)
            words += (("; " if number else "") + "", Name(fixed), " from ", Name(old), " to ", Name(new))
        more = int(mine.sum()) - len(at)
        return (*words, f" and {count(more)} more") if more else words

    def blocks(self) -> Iterator[Block]:
        """Fabrics whose shape changes, and cables by fabric and hop."""
        rows = []
        for name, (was, now) in self.pairs.items():
            if was != now:
                facts = [_facts(shape) for shape in (was, now)]
                switch = renamed(*(shape.switch if shape else "–" for shape in (was, now)))
                rows.append(((Name(name),), switch, *(arrow(*pair) for pair in zip(*facts, strict=True))))
        if rows:
            heads = ("fabric", "switch", "ports", "tree", "switches", "oversubscription", "bisection, Tb/s")
            yield TextTable(heads, rows, (False, False, True, False, False, True, True))
        cables = [
            ((Name(row["fabric"]),), (row["hop"],), *((count(row[kind]),) for kind in KINDS))
            for row in self.counts.iter_rows(named=True)
        ]
        if cables:
            yield TextTable(("cables of", "hop", *KINDS), cables, (False, False, True, True, True, True, True))

    def verdict(self) -> Verdict:
        """Whether it holds, in one sentence."""
        errors = faulty(self.review.head, ("N", "L"))
        if errors:
            return Verdict(Mark.FAULT, (f"— does not hold: {plural(errors, 'error')}",))
        tapers = {now.taper for _, now in self.pairs.values() if now}
        shape = f"{tapers.pop()} at every tier" if len(tapers) == 1 else "oversubscribed as the spec says"
        replugged = len(self.cabling.replugged[0])
        pulled = len(self.cabling.removed)
        mark = Mark.LOOK if replugged or pulled or len(self.cabling.relaid[0]) else Mark.FINE
        return Verdict(mark, (f"— holds, {shape}; {_replugged(replugged)}",))

    def folds(self) -> Iterator[Fold]:
        """Switches and cables by fabric and pod."""
        lines = [*switch_lines(self.review), *pod_lines(self.review, self.cabling)]
        if lines:
            yield Fold(("By fabric, tier and pod",), (Bullets(lines),))


def _replugged(number: int) -> str:
    return "no cable is re-plugged" if not number else f"{plural(number, 'cable is', 'cables are')} re-plugged"


def _facts(shape: FabricFacts | None) -> tuple[str, ...]:
    if shape is None:
        return ("–",) * 5
    return (shape.port, shape.tree, shape.switches, shape.taper, shape.bisection)


def _rails(plan: Plan, fabric: int) -> int:
    """Cards per node that the fabric connects."""
    cables = plan.cables.lazy().filter((pl.col("fabric") == fabric) & (pl.col("a_table") == "nics")).select(nic="a")
    cards = plan.nics.lazy().select("nic", "index").join(cables, on="nic", how="semi")
    return int(cards.select(pl.col("index").n_unique()).collect().item())


def _by_hop(plan: Plan, rows: Rows, spelled: list[str]) -> pl.DataFrame:
    cables = plan.cables.select("fabric", "hop")[rows].group_by("fabric", "hop").agg(cables=pl.len())
    return cables.with_columns(pl.lit(pl.Series(spelled, dtype=pl.String)).gather("fabric").alias("fabric"))
