"""Network: cables that are new, removed or re-plugged, and what each fabric carries."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

import polars as pl

from topology.diff.matching import Rows
from topology.plan import Plan, names
from topology.review.amounts import both, count, plural, renamed, row
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

TABLES = ("fabrics", "tiers", "switches", "appliances", "cables")
EXAMPLES = 2  # re-plugged cables that are written out per fabric and hop


class NetworkPart(ReviewPart):
    """What the network engineer approves."""

    title = "Network"
    paths = re.compile(r"fabric/|cabling/")

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self.cabling = self.delta.cabling

    def measures(self) -> Mapping[str, float]:
        """What --fail-on compares."""
        words = ("cables-new", "cables-removed", "replug", "cables-out", "relaid", "rerated")
        counted = zip(words, self.cabling.by_change().values(), strict=True)
        return {word: len(rows) for word, (_, rows) in counted} | {"switches-replaced": len(self.replaced)}

    @cached_property
    def replaced(self) -> pl.DataFrame:
        """A row per box of a fabric that is replaced: fabric, noun, and the product before and after."""
        parts = []
        for table, noun in (("switches", "switch"), ("appliances", "appliance")):
            was, now = self.delta.replaced[table]
            before, after = self.base.tables()[table][was], self.head.tables()[table][now]
            fabric = pl.lit(self.head.fabrics["name"]).gather("fabric")
            parts.append(after.select(fabric=fabric, noun=pl.lit(noun), before=before["product"], after="product"))
        return pl.concat(parts)

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
        columns = [pl.col("cables").filter(kind=kind).sum().alias(kind) for kind in self.cabling.by_change()]
        order = pl.Enum(list(self.pairs) or [""])
        return pl.concat(every).group_by("fabric", "hop").agg(columns).sort(pl.col("fabric").cast(order), "hop")

    def _new_names(self, plan: Plan) -> list[str]:
        renamed = self.delta.renames.fabrics.renamed if plan is self.base else {}
        return [renamed.get(name, name) for name in plan.fabrics["name"]]

    def figures(self) -> Iterator[Figure]:
        """The row of cables, and one for each fabric whose shape changes."""
        counted = [(word, len(rows)) for word, (_, rows) in self.cabling.by_change().items()]
        strongly = {"re-plugged", "taken out"}
        parts: list[Words] = [
            (strong(f"{count(number)} {word}"),) if word in strongly else (f"{count(number)} {word}",)
            for word, number in counted
            if number
        ]
        heights = (count(self.base.cables.height),), (count(self.head.cables.height),)
        if parts:
            yield Figure(("Cables",), *heights, listed(parts))
        for name, (now, was) in self.pairs.items():
            if was and now and (was.taper, was.bisection) != (now.taper, now.bisection):
                label: Words = ("Bisection of ", Name(name), ", Tb/s")
                change: Words = (f"oversubscription {was.taper} → {now.taper}",) if was.taper != now.taper else ("",)
                yield Figure(label, (was.bisection,), (now.bisection,), change)

    def phrases(self) -> Iterator[Words]:
        """Parts of the first sentence."""
        for number, what, by in self._replacements():
            yield (*what, " is" if number == 1 else " are", " replaced (", *by, ")")
        yield from self._shapes()
        added, removed = (getattr(self.delta.renames.fabrics, word) for word in ("added", "removed"))
        if added and self.base.fabrics.height:
            yield ("new fabric ", *some(added))
        if removed and self.head.fabrics.height:
            yield ("fabric ", *some(removed), " is removed")
        if words := self._handled():
            yield (words,)

    def _shapes(self) -> Iterator[Words]:
        """The most important of what changes in the shape of each fabric."""
        for name, (now, was) in self.pairs.items():
            if was is None or now is None:
                continue
            if was.kind != now.kind:
                yield ("fabric ", Name(name), f" is {now.kind}, it was {was.kind}")
            elif was.taper != now.taper:
                yield ("oversubscription of ", Name(name), f" goes from {was.taper} to {now.taper}")
            elif was.port != now.port:
                yield ("ports of ", Name(name), f" go from {was.port} to {now.port}")
            elif was.tree != now.tree:
                yield ("fabric ", Name(name), f" goes from {was.tree} to {now.tree}")

    def _replacements(self) -> Iterator[tuple[int, Words, Words]]:
        """Boxes of fabrics in whose place others come, the most first: how many, of what, by what."""
        columns = ("fabric", "noun", "before", "after")
        counted = self.replaced.group_by(columns).len().sort("len", *columns, descending=[True, *[False] * 4])
        for fabric, noun, before, after, number in counted.iter_rows():
            now, was = self.pairs[fabric]
            parts: list[Words] = [(Name(before), " → ", Name(after))] if before != after else []
            parts += [(f"{was.protocol} → {now.protocol}",)] if was and now and was.protocol != now.protocol else []
            many = plural(number, noun, f"{noun}es" if noun.endswith("h") else "")
            yield number, (f"{many} of ", Name(fabric)), listed(parts)

    def _handled(self) -> str:
        """What hands do with cables that stand; that none is re-plugged only where one could have been."""
        moved, out, laid = (len(getattr(self.cabling, word)[0]) for word in ("replugged", "taken_out", "relaid"))
        parts = [f"{plural(moved, 'cable is', 'cables are')} re-plugged"] if moved else []
        if out:
            parts.append(plural(out, "cable comes out and goes in again", "cables come out and go in again"))
        if laid:
            parts.append(f"{plural(laid, 'cable is', 'cables are')} laid anew")
        gone = len(self.cabling.removed)
        if gone and self.head.cables.height:
            parts.append(f"{plural(gone, 'cable is', 'cables are')} removed")
        could = self.base.cables.height and self.head.cables.height
        if not parts and could and any(self.delta.table(name) for name in ("cables", "switches", "fabrics")):
            return "no cable is re-plugged"
        return ", ".join(parts)

    def decisions(self) -> Iterator[Decision]:
        """Boxes that are replaced, cables that are pulled or moved, planes and rates that are given up."""
        for _, what, by in self._replacements():
            yield look("replaced", ": ", *what, ", ", *by)
        yield from self._cables("taken out", "taken out", " whose device is replaced; they go in again")
        replugged = self.counts.filter(pl.col("re-plugged") > 0).select("fabric", "hop", "re-plugged")
        for fabric in replugged["fabric"].unique(maintain_order=True):
            if words := self._room(fabric):
                yield Decision(Mark.LOOK, words)
        for fabric, hop, number in replugged.iter_rows():
            where = (f": {plural(number, 'cable')} of ", Name(fabric), f", {hop}: ")
            yield look("re-plugged", *where, *self._examples(fabric, hop), *self._standing(fabric, hop))
        yield from self._cables("removed", "destroyed", "")
        yield from self._removed_switches()
        yield from self._cables("other rate", "other rate", "")
        yield from self._moved()
        was, now = self.renamed_switches
        if len(was):
            old, new = (names.labels(plan, "switches") for plan in (self.base, self.head))
            example = (Name(old[int(was[0])]), " → ", Name(new[int(now[0])]))
            said = plural(len(was), "switch stays where it is", "switches stay where they are")
            yield look("other name", f": {said} under another name, such as ", *example)
        for name, planes, rails in self._given_up():
            if planes:
                yield look("redundancy lost", ": ", Name(name), f" has {planes} planes fewer")
            if rails:
                yield look("rail lost", ": ", Name(name), f" has {rails} rails fewer")

    def _removed_switches(self) -> Iterator[Decision]:
        """A decision for each tier of a fabric that loses switches."""
        gone = self.base.switches[self.delta.table("switches").removed]
        for fabric, tier, number in gone.group_by("fabric", "tier", maintain_order=True).len().iter_rows():
            boxes = plural(number, f"{tier} switch", f"{tier} switches")
            yield look("destroyed", f": {boxes} of ", Name(self.base.fabrics["name"][fabric]))

    def _moved(self) -> Iterator[Decision]:
        """What is laid anew because a device stands elsewhere."""
        relaid = len(self.cabling.relaid[0])
        if relaid:
            boxes = int(self.delta.moves.switches.sum())
            moved = f"; {plural(boxes, 'switch stands', 'switches stand')} elsewhere" if boxes else ""
            keep = plural(relaid, "cable is laid anew, as a device", "cables are laid anew, as a device")
            yield look("re-laid", f": {keep} at an end moves{moved}")

    def _cables(self, kind: str, title: str, more: str) -> Iterator[Decision]:
        """A decision for each fabric that has cables of a kind of change."""
        mine = self.counts.filter(pl.col(kind) > 0).select("fabric", "hop", kind)
        for (fabric,), rows in mine.group_by(["fabric"], maintain_order=True):
            hops = ", ".join(f"{count(number)} {hop}" for _, hop, number in rows.iter_rows())
            where = f" ({hops})" if rows.height > 1 else f", {rows['hop'][0]}"
            yield look(title, f": {plural(int(rows[kind].sum()), 'cable')} of ", Name(str(fabric)), f"{where}{more}")

    @cached_property
    def renamed_switches(self) -> tuple[Rows, Rows]:
        """Switches that stay and have another name, though nothing in it was renamed in the spec."""
        was, now = self.delta.relabelled("switches")
        fabrics = self.head.fabrics["name"].gather(self.head.switches["fabric"].gather(now))
        other = ~fabrics.is_in([*self._old_names]).to_numpy()
        return was[other], now[other]

    def _standing(self, fabric: str, hop: str) -> Words:
        """In which stages of base the re-plugged cables of a fabric and hop stand."""
        rows = self.cabling.replugged[0][self._of(fabric, hop).to_numpy()]
        stages = self.base.cables["stage"].gather(rows).drop_nulls()
        counted = stages.value_counts().sort("stage").iter_rows()
        told: list[Words] = [(Name(self.base.stages["name"][stage]), f" {count(many)}") for stage, many in counted]
        return ("; they stand in ", *listed(told)) if told else ()

    def _room(self, fabric: str) -> Words:
        """The room that would have kept every plug of a fabric that outgrew what it had; nothing of another."""
        now, was = self.pairs[fabric]
        if was is None or now is None or was.design != now.design:
            return ()
        units = _units(self.head, fabric)
        if units <= _units(self.base, self._old_names.get(fabric, fabric)):
            return ()
        room = f"sized_for: {{units: {max(units, now.sized_for or 0)}}}"
        keeps = ": with ", Name(room), " from the start, ", Name(fabric), f" keeps every plug; it fits {now.tree} of "
        return (strong("room for growth"), *keeps, Name(now.switch))

    @property
    def _old_names(self) -> Mapping[str, str]:
        return {new: old for old, new in self.delta.renames.fabrics.renamed.items()}

    def _given_up(self) -> Iterator[tuple[str, int, int]]:
        """Fabrics on both sides with the planes and rails they lose."""
        before, after = self.review.rows("fabrics")
        for name, now in after.items():
            if was := before.get(name):
                rails = bool(was["groups"]) and _rails(self.base, was["fabric"]) - _rails(self.head, now["fabric"])
                yield name, max(0, was["planes"] - now["planes"]), max(0, rails)

    def _of(self, fabric: str, hop: str) -> pl.Series:
        """Of the re-plugged cables: whether each is of a fabric and hop."""
        now = self.cabling.replugged[1]
        spelled = pl.Series(self._new_names(self.head)).gather(self.head.cables["fabric"].gather(now))
        return (spelled == fabric) & (self.head.cables["hop"].gather(now).cast(pl.String) == hop)

    def _examples(self, fabric: str, hop: str) -> Words:
        """Some re-plugged cables, end by end."""
        was, now = self.cabling.replugged
        mine = self._of(fabric, hop)
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
        kinds = [kind for kind in self.counts.columns[2:] if self.counts[kind].sum()]
        cables = [
            ((Name(fabric),), (hop,), *((count(number),) for number in numbers))
            for fabric, hop, *numbers in self.counts.select("fabric", "hop", *kinds).iter_rows()
        ]
        if cables:
            yield TextTable(("cables of", "hop", *kinds), cables, (False, False, *[True] * len(kinds)))

    def verdict(self) -> Verdict:
        """Whether it holds, in one sentence."""
        errors = self.review.head.faulty("N", "L")
        if errors:
            return Verdict(Mark.FAULT, (f"— does not hold: {plural(errors, 'error')}",))
        tapers = {now.taper for now, _ in self.pairs.values() if now}
        shape = f"{tapers.pop()} at every tier" if len(tapers) == 1 else "oversubscribed as the spec says"
        touched = (self.cabling.replugged[0], self.cabling.taken_out[0], self.cabling.removed, self.cabling.relaid[0])
        mark = Mark.LOOK if any(map(len, touched)) or self.replaced.height else Mark.FINE
        handled = self._handled()
        if handled or any(self.delta.table(name) for name in TABLES):
            return Verdict(mark, (f"— holds, {shape}" + (f"; {handled}" if handled else ""),))
        return Verdict(mark, (f"— holds, {shape}", *self.unchanged("nothing changes")))

    def folds(self) -> Iterator[Fold]:
        """Switches and cables by fabric and pod."""
        lines = [*switch_lines(self.review), *pod_lines(self.cabling)]
        if lines:
            yield Fold(("By fabric, tier and pod",), (Bullets(lines),))


def _units(plan: Plan, fabric: str) -> int:
    """Scalable units of all groups on a fabric."""
    groups = plan.fabrics.filter(pl.col("name") == fabric)["groups"].explode().drop_nulls()
    return int(plan.groups["units"].gather(groups).sum())


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
