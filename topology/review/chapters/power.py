"""Power: load against supply by stage, sources, feed levels, redundancy and batteries."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from topology.artifacts.power.schedules import level_loads
from topology.expand.batteries import carried
from topology.expand.power.banks import banked
from topology.plan import Plan, failures, names, supply
from topology.review.amounts import arrow, count, megawatts, plural, signed, signed_mw
from topology.review.chapters.faults import faulty
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
STRENGTH = ("N", "N+1", "4N/3", "2N")  # redundancies of a level, the weakest first
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


@dataclass(frozen=True, slots=True)
class Stage:
    """Load and supply of a stage, watts; without sources there is no supply to speak of."""

    load_w: float
    supply_w: float | None

    @property
    def headroom_w(self) -> float | None:
        """What is left; negative when too much is drawn."""
        return None if self.supply_w is None else self.supply_w - self.load_w


def by_stage(plan: Plan) -> dict[str, Stage]:
    """Every stage by name, in order."""
    if plan.sources.height:
        rows = supply.stages(plan).select("name", "load_w", "supply_w")
        return {name: Stage(load, given) for name, load, given in rows.iter_rows()}
    rows = plan.stages.select("name", "it_w")
    return {name: Stage(supply.facility_w(plan, it_w), None) for name, it_w in rows.iter_rows()}


@dataclass(frozen=True, slots=True)
class Ride:
    """Seconds that an entry's banks carry their load."""

    power_w: float
    energy_wh: float
    units: int
    all_s: float
    without_unit_s: float
    without_bank_s: float


def rides(plan: Plan) -> dict[str, Ride]:
    """Every entry of batteries by name."""
    made: dict[str, Ride] = {}
    if not plan.batteries.height:
        return made
    for each in banked(plan.spec, plan.catalog, plan.power_nodes, plan.racks):
        mine = plan.batteries.filter(pl.col("name") == each.entry.name)
        seconds = carried(each.sized, each.product, each.window, each.load_w)
        power_w, energy_wh = float(mine["power_w"].sum()), float(mine["energy_wh"].sum())
        times = (seconds.all_s, seconds.without_unit_s, seconds.without_bank_s)
        made[each.entry.name] = Ride(power_w, energy_wh, int(mine["units"].sum()), *times)
    return made


@dataclass(frozen=True, slots=True)
class Weak:
    """Devices of a kind whose single failure takes racks or overloads others."""

    devices: tuple[str, ...]  # names of the first device of each pool
    racks: int  # most racks that one of them takes
    over_w: float  # most that one of them puts on another above its rating


def weak_points(plan: Plan) -> dict[str, Weak]:
    """By kind of device; a kind that survives every single failure has none. Empty without a power tree."""
    if not plan.feeds.height:
        return {}
    first = plan.power_nodes.with_columns(name=names.power_node_names(plan)).group_by("pool", maintain_order=True)
    named = first.agg(pl.col("name", "kind").first())
    result = failures.single_failures(plan).with_columns(pl.col("pool").cast(pl.UInt32))
    bad = result.filter((pl.col("lost_racks") > 0) | (pl.col("overloaded") > 0)).join(named, on="pool")
    held = bad.sort("pool").group_by("kind", maintain_order=True)
    rows = held.agg(pl.col("name"), racks=pl.col("lost_racks").max(), over=pl.col("over_w").max())
    return {kind: Weak(tuple(devices), racks, over) for kind, devices, racks, over in rows.iter_rows()}


class _Power:
    """The chapter's facts, each worked out once."""

    def __init__(self, review: Review) -> None:
        self.review = review
        self.base, self.head = review.plans
        self.stages = by_stage(self.base), by_stage(self.head)
        self.rides = rides(self.base), rides(self.head)

    @cached_property
    def weak(self) -> tuple[dict[str, Weak], dict[str, Weak]]:
        """Weak points of both sides."""
        same = not any(self.review.changes.table(name) for name in ("power_nodes", "feeds"))
        before = weak_points(self.base)
        return before, before if same else weak_points(self.head)

    @cached_property
    def lost(self) -> dict[str, Weak]:
        """Kinds that survived every single failure, or overloaded nothing, and no longer do."""
        before, after = self.weak
        if not self.base.feeds.height:
            return {}
        worse = {}
        for kind, now in after.items():
            was = before.get(kind, Weak((), 0, 0.0))
            if not was.devices or (now.over_w > 0 and was.over_w == 0):
                worse[kind] = now
        return worse

    @cached_property
    def weakened(self) -> list[tuple[str, str, str]]:
        """Kinds of level that the spec builds with less redundancy than before: kind, before, after."""
        before, after = (
            {level.kind: level.redundancy for level in plan.spec.power.levels} if plan.spec.power else {}
            for plan in (self.base, self.head)
        )
        both = [(kind, before[kind], now) for kind, now in after.items() if kind in before]
        return [each for each in both if STRENGTH.index(each[2]) < STRENGTH.index(each[1])]

    @property
    def gained(self) -> list[str]:
        """Kinds whose single failures are all survived now."""
        before, after = self.weak
        return [kind for kind in before if kind not in after and self.head.feeds.height]

    @property
    def tightest(self) -> str | None:
        """Stage of head with the least headroom; None without sources."""
        known = {name: each.headroom_w for name, each in self.stages[1].items() if each.headroom_w is not None}
        return min(known, key=lambda name: known[name]) if known else None

    @property
    def short(self) -> dict[str, float]:
        """Stages of head that draw more than their supply, with what is missing in watts."""
        every = {name: each.headroom_w for name, each in self.stages[1].items() if each.headroom_w is not None}
        return {name: -left for name, left in every.items() if left < 0}

    def old(self, stage: str) -> Stage | None:
        """A stage of head as base has it, under its old name where it was renamed."""
        back = {new: was for was, new in self.review.changes.renames.stages.renamed.items()}
        return self.stages[0].get(back.get(stage, stage))

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

    @cached_property
    def feeds_lost(self) -> "np.typing.NDArray[np.int64]":
        """Feeds of base that are gone although their rack is still there."""
        removed = self.review.changes.table("feeds").removed
        racks = self.review.changes.identity.racks
        mine = racks[0][self.base.feeds["rack"].to_numpy()[removed]]
        return removed[np.isin(mine, racks[1])]

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
        for name, was_ride, now_ride in self._shrunk():
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
        for name, was, now in self._shrunk():
            size = f": {count(was.units)} → {count(now.units)} units, {_times(was)} → {_times(now)} of ride-through"
            yield Decision(Mark.LOOK, (strong("banks shrink"), ": ", Name(name), size))

    def _shrunk(self) -> Iterator[tuple[str, Ride, Ride]]:
        """Entries of batteries that have less than before, under the new name."""
        renamed = self.review.changes.renames.batteries.renamed
        for name, was in self.rides[0].items():
            now = self.rides[1].get(renamed.get(name, name))
            if now and (now.units < was.units or now.power_w < was.power_w or now.energy_wh < was.energy_wh):
                yield renamed.get(name, name), was, now

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
            facts = [_source(each.get(name)) for each in (before, after)]
            if facts[0] != facts[1]:
                yield ((Name(name),), *(arrow(*pair) for pair in zip(*facts, strict=True)))

    def _level_rows(self) -> Iterator[tuple[Words, ...]]:
        before, after = _levels(self.base), _levels(self.head)
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


def _source(row: Mapping[str, object] | None) -> tuple[str, str, str]:
    if row is None:
        return ("–", "–", "–")
    permit = "granted" if row["permitted"] else "pending"
    since = f", from {row['in_service']}" if row["in_service"] else ""
    return (str(row["kind"]), megawatts(float(str(row["capacity_w"]))), f"{permit}{since}")


def _levels(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Figures of each level and side, every stage built, as they are shown."""
    if not plan.power_nodes.height or plan.spec.power is None:
        return {}
    made: dict[str, tuple[str, ...]] = {}
    for row in level_loads(plan).iter_rows(named=True):
        factor = plan.spec.power.levels[row["level"]].power_factor
        apparent = "–" if factor is None else f"{row['load_mw'] / factor:,.1f}"
        side = f" {row['side']}" if row["side"] else ""
        devices = f"{count(row['devices'])}, {row['redundancy']}"
        load = f"{row['load_mw']:,.1f}"
        made[f"{row['kind']}{side}"] = (devices, count(row["rating_kw"]), load, apparent, f"{row['use_most']:.0%}")
    return made
