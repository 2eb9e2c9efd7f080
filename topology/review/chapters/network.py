"""Network: cables that are new, removed or re-plugged, and what each fabric carries."""

from collections.abc import Iterator, Mapping
from functools import cached_property

import polars as pl

from topology.diff.matching import Rows
from topology.plan import Plan
from topology.review.amounts import arrow, both, count, plural, renamed, row
from topology.review.chapters.shapes import FabricFacts, shapes
from topology.review.chapters.wires import plugs, pod_lines, switch_lines
from topology.review.document import (
    Block,
    Bullets,
    Decision,
    Figure,
    Fold,
    Mark,
    Name,
    TextTable,
    Verdict,
    Words,
    listed,
    look,
    some,
    strong,
)
from topology.review.review import Review, ReviewPart

EXAMPLES = 2  # re-plugged cables that are written out per fabric and hop


class NetworkPart(ReviewPart):
    """What the network engineer approves."""

    title = "Network"

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self.cabling = self.delta.cabling

    def measures(self) -> Mapping[str, float]:
        """What --fail-on compares."""
        words = ("cables-new", "cables-removed", "replug", "relaid", "rerated")
        return {word: len(rows) for word, (_, rows) in zip(words, self.cabling.by_change().values(), strict=True)}

    @cached_property
    def pairs(self) -> dict[str, tuple[FabricFacts | None, FabricFacts | None]]:
        """What every fabric is after and before, under its new name."""
        return both(shapes(self.head), self.delta.renames.under("fabrics", shapes(self.base)))

    @cached_property
    def counts(self) -> pl.DataFrame:
        """Cables by fabric and hop, a column for each kind of change."""
        every = [
            _by_hop(plan, rows, self._new_names(plan)).with_columns(kind=pl.lit(kind))
            for kind, (plan, rows) in self.cabling.by_change().items()
        ]
        long = pl.concat(every)
        kinds = self.cabling.by_change()
        columns = [pl.col("cables").filter(pl.col("kind") == kind).sum().alias(kind) for kind in kinds]
        order = pl.Enum(list(self.pairs) or [""])
        return long.group_by("fabric", "hop").agg(columns).sort(pl.col("fabric").cast(order), "hop")

    def _new_names(self, plan: Plan) -> list[str]:
        renamed = self.delta.renames.fabrics.renamed if plan is self.base else {}
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
        for name, (now, was) in self.pairs.items():
            if was and now and (was.taper, was.bisection) != (now.taper, now.bisection):
                label: Words = ("Bisection of ", Name(name), ", Tb/s")
                yield Figure(
                    label, (was.bisection,), (now.bisection,), ("oversubscription ", *arrow(was.taper, now.taper))
                )

    def phrases(self) -> Iterator[Words]:
        """Parts of the first sentence."""
        for name, (now, was) in self.pairs.items():
            if was and now and was.switch != now.switch:
                yield ("fabric ", Name(name), " changes its switch to ", Name(now.switch))
            elif was and now and was.taper != now.taper:
                yield ("oversubscription of ", Name(name), f" goes from {was.taper} to {now.taper}")
            elif was and now and was.port != now.port:
                yield ("ports of ", Name(name), f" go from {was.port} to {now.port}")
            elif was and now and was.tree != now.tree:
                yield ("fabric ", Name(name), f" becomes {now.tree}")
        added, removed = (getattr(self.delta.renames.fabrics, word) for word in ("added", "removed"))
        if added and self.base.fabrics.height:
            yield ("new fabric ", *some(added))
        if removed and self.head.fabrics.height:
            yield ("fabric ", *some(removed), " is removed")
        cabling = self.cabling
        if cabling.new.size or cabling.removed.size or cabling.replugged[0].size or self.delta.every():
            yield (_replugged(len(cabling.replugged[0])),)

    def decisions(self) -> Iterator[Decision]:
        """Cables that are pulled or moved, planes and rates that are given up."""
        replugged = self.counts.filter(pl.col("re-plugged") > 0).select("fabric", "hop", "re-plugged")
        for fabric, hop, number in replugged.iter_rows():
            where = (f": {plural(number, 'cable')} of ", Name(fabric), f", {hop}: ")
            yield look("re-plugged", *where, *self._examples(fabric, hop))
        for kind, title in (("removed", "destroyed"), ("other rate", "other rate")):
            for fabric, hop, number in self.counts.filter(pl.col(kind) > 0).select("fabric", "hop", kind).iter_rows():
                yield look(title, f": {plural(number, 'cable')} of ", Name(fabric), f", {hop}")
        relaid = len(self.cabling.relaid[0])
        if relaid:
            boxes = int(self.delta.moves.switches.sum())
            moved = f"; {plural(boxes, 'switch stands', 'switches stand')} elsewhere" if boxes else ""
            keep = plural(
                relaid,
                "cable keeps its plugs while a device at an end",
                "cables keep their plugs while a device at an end",
            )
            yield look("re-laid", f": {keep} moves{moved}")
        for name, planes, rails in self._given_up():
            if planes:
                yield look("redundancy lost", ": ", Name(name), f" has {planes} planes fewer")
            if rails:
                yield look("rail lost", ": ", Name(name), f" has {rails} rails fewer")

    def _given_up(self) -> Iterator[tuple[str, int, int]]:
        """Fabrics on both sides with the planes and rails they lose."""
        before, after = self.review.rows("fabrics")
        for name, now in after.items():
            if was := before.get(name):
                rails = bool(was["groups"]) and _rails(self.base, was["fabric"]) - _rails(self.head, now["fabric"])
                yield name, max(0, was["planes"] - now["planes"]), max(0, rails)

    def _examples(self, fabric: str, hop: str) -> Words:
        """Some re-plugged cables, end by end."""
        was, now = self.cabling.replugged
        spelled = pl.Series(self._new_names(self.head)).gather(self.head.cables["fabric"].gather(now))
        mine = (spelled == fabric) & (self.head.cables["hop"].gather(now).cast(pl.String) == hop)
        at = mine.arg_true().head(EXAMPLES).to_numpy()
        ends = zip(plugs(self.base, was[at]), plugs(self.head, now[at]), strict=True)
        told: list[Words] = []
        for (a, b), (new_a, new_b) in ends:
            fixed, old, new = (a, b, new_b) if b != new_b else (b, a, new_a)
            told.append((Name(fixed), " from ", Name(old), " to ", Name(new)))
        words = listed(told, "; ")
        more = int(mine.sum()) - len(at)
        return (*words, f" and {count(more)} more") if more else words

    def blocks(self) -> Iterator[Block]:
        """Fabrics whose shape changes, and cables by fabric and hop."""
        rows = []
        for name, (now, was) in self.pairs.items():
            if was != now:
                switch = renamed(*(shape.switch if shape else "–" for shape in (was, now)))
                label, *facts = row(name, _facts(was), _facts(now))
                rows.append((label, switch, *facts))
        if rows:
            heads = ("fabric", "switch", "ports", "tree", "switches", "oversubscription", "bisection, Tb/s")
            yield TextTable(heads, rows, (False, False, True, False, False, True, True))
        cables = [
            ((Name(fabric),), (hop,), *((count(number),) for number in numbers))
            for fabric, hop, *numbers in self.counts.iter_rows()
        ]
        if cables:
            yield TextTable(
                ("cables of", "hop", *self.counts.columns[2:]), cables, (False, False, True, True, True, True, True)
            )

    def verdict(self) -> Verdict:
        """Whether it holds, in one sentence."""
        errors = self.review.head.faulty("N", "L")
        if errors:
            return Verdict(Mark.FAULT, (f"— does not hold: {plural(errors, 'error')}",))
        tapers = {now.taper for now, _ in self.pairs.values() if now}
        shape = f"{tapers.pop()} at every tier" if len(tapers) == 1 else "oversubscribed as the spec says"
        replugged = len(self.cabling.replugged[0])
        pulled = len(self.cabling.removed)
        mark = Mark.LOOK if replugged or pulled or len(self.cabling.relaid[0]) else Mark.FINE
        return Verdict(mark, (f"— holds, {shape}; {_replugged(replugged)}",))

    def folds(self) -> Iterator[Fold]:
        """Switches and cables by fabric and pod."""
        lines = [*switch_lines(self.review), *pod_lines(self.cabling)]
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
