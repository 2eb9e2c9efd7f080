"""Power: load against supply by stage, sources, feed levels, redundancy and batteries."""

from collections.abc import Iterator, Mapping

from topology.review.amounts import arrow, count, megawatts, plural, signed, signed_mw
from topology.review.chapters.faults import faulty
from topology.review.chapters.power_facts import PowerFacts, Ride, Stage
from topology.review.chapters.power_rows import level_facts, source_facts
from topology.review.document import (
    Block,
    Chapter,
    Decision,
    Figure,
    Mark,
    Name,
    Table,
    Verdict,
    Words,
    strong,
)
from topology.review.document import names as some
from topology.review.review import Review

AREAS = ("P", "B")  # letters of the findings that are about power
MINUTES_FROM_S, HOURS_FROM_S = 120, 7200  # shorter times are told in seconds, longer ones in hours


def chapter(review: Review) -> Chapter:
    """What the power engineer approves."""
    power = _Power(review)
    return Chapter(
        title="Power",
        figures=tuple(power.figures()),
        decisions=tuple(power.decisions()),
        phrases=tuple(power.phrases()),
        blocks=tuple(power.blocks()),
        verdict=power.verdict(),
        measures=power.measures(),
    )


class _Power(PowerFacts):
    """The same facts in words."""

    def figures(self) -> Iterator[Figure]:
        """Rows of the first table."""
        base, head = (float(plan.stages["it_w"][-1]) if plan.stages.height else 0.0 for plan in (self.base, self.head))
        yield _mw("IT load", base, head)
        if (name := self.tightest) is not None:
            was, now = self.old(name), self.stages[1][name]
            left = now.headroom_w or 0.0
            change = signed_mw(left) if left >= 0 else strong(f"{signed_mw(left)} MW")
            words: Words = (f"{change} MW headroom",) if isinstance(change, str) else (change, " headroom")
            yield Figure(("Load / supply at ", Name(name)), _ratio(was), _ratio(now), words)
        for name in dict.fromkeys([*self.rides[0], *self.rides[1]]):
            old = self.review.changes.renames.batteries.renamed
            if name in old:
                continue
            back = {new: was for was, new in old.items()}
            was_ride, now_ride = self.rides[0].get(back.get(name, name)), self.rides[1].get(name)
            if was_ride != now_ride:
                yield _ride(name, was_ride, now_ride)

    def measures(self) -> Mapping[str, float]:
        """What --fail-on compares."""
        left = self.stages[1][self.tightest].headroom_w if self.tightest else None
        return {
            "short-mw": max(self.short.values(), default=0.0) / 1e6,
            "overload": sum(weak.over_w > 0 for weak in self.lost.values())
            + faulty(self.review.head, ("P201", "P202", "P205", "P206", "P208")),
            "redundancy-lost": len({*self.lost, *(kind for kind, _, _ in self.weakened)}),
            "feeds-removed": len(self.feeds_lost),
            **({} if left is None else {"headroom-mw": left / 1e6}),
        }

    def phrases(self) -> Iterator[Words]:
        """Parts of the first sentence."""
        if self.short:
            name, missing = max(self.short.items(), key=lambda pair: pair[1])
            yield (f"supply falls {megawatts(missing)} MW short in stage ", Name(name))
        for kind in self.lost:
            yield ("redundancy of ", Name(kind), " is lost")
        for kind, was, now in self.weakened:
            if kind not in self.lost:
                yield ("redundancy of ", Name(kind), f" goes from {was} to {now}")
        for name in self.review.changes.renames.sources.removed:
            yield ("source ", Name(name), " is removed")
        for name, was_ride, now_ride in self.shrunk():
            yield ("banks ", Name(name), f" shrink from {count(was_ride.units)} to {plural(now_ride.units, 'unit')}")
        gone = len(self.review.changes.table("power_nodes").removed)
        if gone and not self.lost and self.head.power_nodes.height:
            yield (f"{plural(gone, 'power device is', 'power devices are')} removed",)
        if len(self.feeds_lost):
            yield (f"{plural(len(self.feeds_lost), 'feed is', 'feeds are')} removed",)

    def decisions(self) -> Iterator[Decision]:
        """Sources, feeds, redundancy and banks that are taken away."""
        yield from self._source_decisions()
        for kind, weak in self.lost.items():
            takes = f"takes up to {plural(weak.racks, 'rack')}" if weak.racks else ""
            over = f"overloads another by up to {count(weak.over_w / 1000)} kW" if weak.over_w else ""
            said = " and ".join(part for part in (takes, over) if part)
            yield Decision(
                Mark.FAULT,
                (strong("redundancy lost"), ": one failed ", Name(kind), f" {said}, such as ", *some(weak.devices)),
            )
        for kind, was, now in self.weakened:
            words: Words = (strong("redundancy given up"), ": ", Name(kind), f" is built {now}, it was {was}")
            yield Decision(Mark.LOOK, words)
        if len(self.feeds_lost):
            feeds = self.base.feeds[self.feeds_lost]
            sides = " and ".join(feeds["side"].unique().sort())
            on = plural(feeds["rack"].n_unique(), f"rack loses its feed {sides}", f"racks lose their feed {sides}")
            yield Decision(Mark.FAULT, (strong("feed removed"), f": {on}"))
        diff = self.review.changes.table("feeds")
        moved = diff.columns.get("panel")
        if moved is not None and moved.any():
            yield Decision(
                Mark.LOOK,
                (strong("re-fed"), f": {plural(int(moved.sum()), 'feed moves', 'feeds move')} to another device"),
            )
        gone = (
            self.base.power_nodes["kind"]
            .gather(self.review.changes.table("power_nodes").removed)
            .value_counts(sort=True)
        )
        if gone.height and self.head.power_nodes.height:
            parts: Words = ()
            for at, (kind, number) in enumerate(gone.sort("count", "kind", descending=[True, False]).iter_rows()):
                parts += ((", " if at else "") + f"{count(number)} ", Name(kind))
            yield Decision(Mark.LOOK, (strong("destroyed"), ": devices of the power tree: ", *parts))
        elif gone.height:
            yield Decision(
                Mark.FAULT, (strong("destroyed"), f": the power tree, {plural(float(gone['count'].sum()), 'device')}")
            )
        yield from self._bank_decisions()

    def _source_decisions(self) -> Iterator[Decision]:
        renames = self.review.changes.renames.sources
        before = {row["name"]: row for row in self.base.sources.iter_rows(named=True)}
        after = {row["name"]: row for row in self.head.sources.iter_rows(named=True)}
        for name in renames.removed:
            was = before[name]
            yield Decision(
                Mark.LOOK, (strong("source removed"), ": ", Name(name), f", {megawatts(was['capacity_w'])} MW")
            )
        for name, was in before.items():
            now = after.get(renames.renamed.get(name, name))
            if now is None:
                continue
            if now["capacity_w"] < was["capacity_w"]:
                words = f" gives {megawatts(was['capacity_w'])} → {megawatts(now['capacity_w'])} MW"
                yield Decision(Mark.LOOK, (strong("source reduced"), ": ", Name(now["name"]), words))
            if was["permitted"] and not now["permitted"]:
                yield Decision(Mark.LOOK, (strong("permit withdrawn"), ": ", Name(now["name"]), " is pending now"))

    def _bank_decisions(self) -> Iterator[Decision]:
        renamed = self.review.changes.renames.batteries.renamed
        for name, was in self.rides[0].items():
            if renamed.get(name, name) not in self.rides[1]:
                words: Words = (strong("destroyed"), ": battery banks ", Name(name), f", {plural(was.units, 'unit')}")
                yield Decision(Mark.LOOK, words)
        for name, was, now in self.shrunk():
            size = f": {count(was.units)} → {count(now.units)} units, {_times(was)} → {_times(now)} of ride-through"
            yield Decision(Mark.LOOK, (strong("banks shrink"), ": ", Name(name), size))

    def blocks(self) -> Iterator[Block]:
        """Sources and feed levels that change."""
        rows = [row for row in self._source_rows() if row]
        if rows:
            yield Table(("source", "kind", "MW", "permit"), rows, (False, False, True, False))
        levels = list(self._level_rows())
        if levels:
            heads = ("feed level", "devices", "rated each, kW", "load, MW", "load, MVA", "fullest")
            yield Table(heads, levels, (False, True, True, True, True, True))

    def _source_rows(self) -> Iterator[tuple[Words, ...]]:
        renamed = self.review.changes.renames.sources.renamed
        before = {renamed.get(row["name"], row["name"]): row for row in self.base.sources.iter_rows(named=True)}
        after = {row["name"]: row for row in self.head.sources.iter_rows(named=True)}
        for name in dict.fromkeys([*before, *after]):
            facts = [source_facts(each.get(name)) for each in (before, after)]
            if facts[0] != facts[1]:
                yield ((Name(name),), *(arrow(*pair) for pair in zip(*facts, strict=True)))

    def _level_rows(self) -> Iterator[tuple[Words, ...]]:
        before, after = level_facts(self.base), level_facts(self.head)
        for key in dict.fromkeys([*before, *after]):
            facts = [each.get(key, ("–",) * 5) for each in (before, after)]
            if facts[0] != facts[1]:
                yield ((Name(key),), *(arrow(*pair) for pair in zip(*facts, strict=True)))

    def verdict(self) -> Verdict | None:
        """Whether it holds, in one sentence; None where neither side says anything of power."""
        if not any(plan.spec.power for plan in (self.base, self.head)):
            return None
        if self.head.spec.power is None:
            return Verdict(Mark.LOOK, ("— the spec says nothing of it any more",))
        return self._fault() or Verdict(Mark.FINE, self._holds())

    def _fault(self) -> Verdict | None:
        """Why it does not hold; None when it does."""
        errors = faulty(self.review.head, AREAS)
        if self.short:
            name, missing = max(self.short.items(), key=lambda pair: pair[1])
            return Verdict(Mark.FAULT, ("— does not hold in ", Name(name), f": {megawatts(missing)} MW short"))
        if errors:
            return Verdict(Mark.FAULT, (f"— does not hold: {plural(errors, 'error')}",))
        if len(self.feeds_lost):
            racks = self.base.feeds["rack"].gather(self.feeds_lost).n_unique()
            return Verdict(Mark.FAULT, (f"— does not hold: {plural(racks, 'rack loses', 'racks lose')} a feed",))
        if self.lost:
            return Verdict(Mark.FAULT, ("— holds no longer when one ", *some(tuple(self.lost)), " fails"))
        return None

    def _holds(self) -> Words:
        gained = (", and survives the failure of any ", *some(self.gained), " now") if self.gained else ()
        if self.tightest is None:
            return ("— holds", *gained)
        left = self.stages[1][self.tightest].headroom_w or 0.0
        return (f"— holds, {megawatts(left)} MW of headroom in ", Name(self.tightest), *gained)


def _mw(label: str, base: float, head: float) -> Figure:
    words = (f"{megawatts(base)} MW",), (f"{megawatts(head)} MW",)
    return Figure((label,), *words, (f"{signed_mw(head - base)} MW" if head != base else "0",))


def _ratio(stage: Stage | None) -> Words:
    if stage is None:
        return ("–",)
    return (f"{megawatts(stage.load_w)} / {'–' if stage.supply_w is None else megawatts(stage.supply_w)} MW",)


def _ride(name: str, was: Ride | None, now: Ride | None) -> Figure:
    label: Words = ("Ride-through of ", Name(name), ", all / one unit out / one bank out")
    delta = (now.all_s if now else 0.0) - (was.all_s if was else 0.0)
    return Figure(label, (_times(was),), (_times(now),), (_seconds_change(delta),))


def _times(ride: Ride | None) -> str:
    if ride is None:
        return "–"
    every = (ride.all_s, ride.without_unit_s, ride.without_bank_s)
    per, unit, digits = _unit(every[0])
    return f"{' / '.join(f'{seconds / per:,.{digits}f}' for seconds in every)} {unit}"


def _seconds_change(delta: float) -> str:
    per, unit, digits = _unit(abs(delta))
    return f"{signed(delta / per, digits)} {unit}"


def _unit(seconds: float) -> tuple[int, str, int]:
    """Seconds of the unit that a time is told in, its name, and digits behind the point."""
    if seconds >= HOURS_FROM_S:
        return 3600, "h", 1
    return (60, "min", 1) if seconds >= MINUTES_FROM_S else (1, "s", 0)
