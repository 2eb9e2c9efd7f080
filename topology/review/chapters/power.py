"""Power: load against supply by stage, sources, feed levels, redundancy and batteries."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from topology.artifacts.power.schedules import level_loads
from topology.plan import Plan
from topology.review.amounts import both, count, megawatts, plural, row, signed_mw
from topology.review.chapters.power_facts import PowerFacts
from topology.review.document import (
    Block,
    Decision,
    Figure,
    Mark,
    Name,
    TextTable,
    Verdict,
    Words,
    fault,
    listed,
    look,
    some,
)
from topology.views.banks import Ride
from topology.views.supply import StagePower

Figures = Mapping[str, tuple[str, ...]]  # what a table shows of each name
TABLES = ("sources", "power_levels", "power_nodes", "feeds", "batteries")
AREAS = ("P", "B")  # letters of the findings that are about power
MINUTES_FROM_S, HOURS_FROM_S = 120, 7200  # shorter times are told in seconds, longer ones in hours


class PowerPart(PowerFacts):
    """What the power engineer approves."""

    title = "Power"
    paths = re.compile(r"power/")

    def figures(self) -> Iterator[Figure]:
        """Rows of the first table."""
        if megawatts(self.it_w[0]) != megawatts(self.it_w[1]):
            yield _mw("IT load", *self.it_w)
        draws = [[*side.values()][-1].load_w if side else 0.0 for side in self.stages]
        if megawatts(draws[0]) != megawatts(draws[1]):
            yield _mw("Draw of the site, cooling included", *draws)
        if (name := self.tightest) is not None:
            was = self.delta.renames.under("stages", self.stages[0]).get(name)
            now, left = self.stages[1][name], self.headroom_w[name]
            had = was.headroom_w if was else None
            if _ratio(was) != _ratio(now):
                change = signed_mw(left - had) if had is not None else megawatts(left)
                yield Figure(("Load / supply at ", Name(name)), _ratio(was), _ratio(now), (f"{change} MW of headroom",))

    def measures(self) -> Mapping[str, float]:
        """What --fail-on compares."""
        replaced = sum(many for _, many, *_ in self.replaced)
        return {
            "feeds-moved": self.refed,
            "feeds-rewired": self.rewired,
            "power-devices-removed": len(self.delta.table("power_nodes").removed),
            "power-devices-replaced": replaced,
            "short-mw": max(self.short.values(), default=0.0) / 1e6,
            "overload": sum(weak.over_w > 0 for weak in self.lost.values())
            + self.review.head.faulty("P201", "P202", "P205", "P206", "P208"),
            "redundancy-lost": len({*self.lost, *(kind for kind, _, _ in self.weakened)}),
            "feeds-removed": len(self.feeds_lost),
            **({"headroom-mw": self.headroom_w[self.tightest] / 1e6} if self.tightest else {}),
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
        for name in self.delta.renames.sources.removed:
            yield ("source ", Name(name), " is removed")
        if self.base.sources.height and (added := self.delta.renames.sources.added):
            yield ("new source " if len(added) == 1 else "new sources ", *some(added))
        for name in self.withdrawn:
            yield ("the permit of ", Name(name), " is withdrawn")
        yield from self._banks()
        yield from self._devices()
        if self.it_w[0] != self.it_w[1] and self.other_draw:
            yield (f"IT load {signed_mw(self.it_w[1] - self.it_w[0])} MW",)

    def _banks(self) -> Iterator[Words]:
        """Battery banks that shrink, go, or get other units."""
        for name, was_ride, now_ride in self.shrunk():
            yield ("banks ", Name(name), f" shrink from {count(was_ride.units)} to {plural(now_ride.units, 'unit')}")
        for name, now in self.rides[1].items():
            was = self.old_rides.get(name)
            if was and now.units > was.units:
                yield ("banks ", Name(name), f" grow from {count(was.units)} to {plural(now.units, 'unit')}")
        if removed := [name for name in self.old_rides if name not in self.rides[1]]:
            yield ("battery banks ", *some(removed), " are removed")
        added = [name for name in self.rides[1] if name not in self.old_rides]
        if added and self.base.power_nodes.height:
            yield ("new battery banks ", *some(added))
        for name in self.without_spare:
            yield ("redundancy of battery banks ", Name(name), " is lost")
        for name, many, old, new in self.other_units:
            yield (f"{plural(many, 'bank')} of ", Name(name), " get other units (", Name(old), " → ", Name(new), ")")

    def _devices(self) -> Iterator[Words]:
        """Devices and feeds that are replaced, removed or moved."""
        for kind, many, was, now in self.replaced:
            yield (f"{count(many)} ", Name(kind), f" devices are replaced ({was} → {now})")
        gone = len(self.delta.table("power_nodes").removed)
        if gone and self.head.power_nodes.height:
            yield (f"{plural(gone, 'power device is', 'power devices are')} removed",)
        if len(self.feeds_lost):
            yield (f"{plural(len(self.feeds_lost), 'feed is', 'feeds are')} removed",)
        if self.refed:
            yield (f"{plural(self.refed, 'feed moves', 'feeds move')} to another device",)
        if self.rewired:
            yield (f"{plural(self.rewired, 'feed gets', 'feeds get')} other breakers",)

    def decisions(self) -> Iterator[Decision]:
        """Sources, feeds, redundancy and banks that are taken away."""
        yield from self._source_decisions()
        for kind, weak in self.lost.items():
            takes = f"takes up to {plural(weak.racks, 'rack')}" if weak.racks else ""
            over = f"overloads another by up to {count(weak.over_w / 1000)} kW" if weak.over_w else ""
            said = " and ".join(part for part in (takes, over) if part)
            yield fault("redundancy lost", ": one failed ", Name(kind), f" {said}, such as ", *some(weak.devices))
        for kind, was, now in self.weakened:
            yield look("redundancy given up", ": ", Name(kind), f" is built {now}, it was {was}")
        if len(self.feeds_lost):
            feeds = self.base.feeds[self.feeds_lost]
            sides = " and ".join(feeds["side"].unique().sort())
            on = plural(feeds["rack"].n_unique(), f"rack loses its feed {sides}", f"racks lose their feed {sides}")
            yield fault("feed removed", f": {on}")
        if self.refed:
            yield look("re-fed", f": {plural(self.refed, 'feed moves', 'feeds move')} to another device")
        if self.rewired:
            gets = plural(self.rewired, "feed gets", "feeds get")
            yield look("other circuits", f": {gets} other breakers, circuits or breaker positions")
        for kind, many, old, new in self.replaced:
            yield look("replaced", f": {count(many)} ", Name(kind), f" devices, {old} → {new}")
        for design, many, was_w, now_w in self.other_draw:
            watts = f", {was_w / 1000:,.1f} → {now_w / 1000:,.1f} kW each at most"
            yield look("other draw", f": {plural(many, 'rack')} ", Name(design), watts, *self._written(design))
        removed = self.delta.table("power_nodes").removed
        kinds = self.base.power_nodes["kind"].gather(removed)
        gone = kinds.value_counts().sort("count", "kind", descending=[True, False])
        if gone.height and self.head.power_nodes.height:
            parts: list[Words] = [(f"{count(number)} ", Name(kind)) for kind, number in gone.iter_rows()]
            yield look("destroyed", ": devices of the power tree: ", *listed(parts))
        elif gone.height:
            yield fault("destroyed", f": the power tree, {plural(len(removed), 'device')}")
        yield from self._bank_decisions()

    def _written(self, design: str) -> Words:
        """Where the user's own catalogue says it of a rack design, if it does."""
        file = f"racks/{design}.yaml"
        lines = [hunk.head_line for hunk in self.review.hunks if hunk.file == file]
        return (", by ", Name(f"{file}:{lines[0]}"), " of the catalogue") if lines else ()

    def _source_decisions(self) -> Iterator[Decision]:
        before, after = self.review.rows("sources")
        for name in self.delta.renames.sources.removed:
            yield look("source removed", ": ", Name(name), f", {megawatts(before[name]['capacity_w'])} MW")
        for name, (was, now) in both(before, after).items():
            if was is None or now is None:
                continue
            if now["capacity_w"] < was["capacity_w"]:
                words = f" gives {megawatts(was['capacity_w'])} → {megawatts(now['capacity_w'])} MW"
                yield look("source reduced", ": ", Name(name), words)
        for name in self.withdrawn:
            stages = [each.name for each in self.head.spec.stages if each.needs and name in each.needs.permits]
            rests: Words = (", and it rests on: ", *some(stages)) if stages else ()
            yield look("permit withdrawn", ": ", Name(name), " is pending now", *rests)

    def _bank_decisions(self) -> Iterator[Decision]:
        for name, many, old, new in self.other_units:
            banks = f": {plural(many, 'battery bank')} of "
            yield look("replaced", banks, Name(name), ", ", Name(old), " → ", Name(new))
        for name in self.without_spare:
            yield fault("redundancy lost", ": battery banks ", Name(name), " carry nothing with one unit or bank out")
        for name, was in self.old_rides.items():
            if name not in self.rides[1]:
                yield look("destroyed", ": battery banks ", Name(name), f", {plural(was.units, 'unit')}")
        for name, was, now in self.shrunk():
            size = f": {count(was.units)} → {count(now.units)} units, {_times(was)} → {_times(now)} of ride-through"
            yield look("banks shrink", ": ", Name(name), size)

    def blocks(self) -> Iterator[Block]:
        """Sources and feed levels that change."""
        before, after = ({name: _source(each) for name, each in side.items()} for side in self.review.rows("sources"))
        if rows := _rows(before, after, ("–",) * 3):
            yield TextTable(("source", "kind", "MW", "permit"), rows, (False, False, True, False))
        if rows := _rows(_levels(self.base), _levels(self.head), ("–",) * 5):
            heads = ("feed level", "devices", "rated each, kW", "load, MW", "load, MVA", "fullest")
            yield TextTable(heads, rows, (False, True, True, True, True, True))
        had, have = ({name: _bank(each) for name, each in side.items()} for side in (self.old_rides, self.rides[1]))
        if rows := _rows(had, have, ("–",) * 4):
            heads_of_banks = ("battery banks", "units", "MW", "MWh", "ride-through, all / one unit out / one bank out")
            yield TextTable(heads_of_banks, rows, (False, True, True, True, True))

    def verdict(self) -> Verdict | None:
        """Whether it holds, in one sentence; None where neither side says anything of power."""
        if not any(plan.spec.power for plan in (self.base, self.head)):
            return None
        if self.head.spec.power is None:
            return Verdict(Mark.LOOK, ("— the spec says nothing of it any more",))
        return self._fault() or Verdict(Mark.FINE, self._holds())

    def _fault(self) -> Verdict | None:
        """Why it does not hold; None when it does."""
        errors = self.review.head.faulty(*AREAS)
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
        same = not any(self.delta.table(name) for name in TABLES) and self.stages[0] == self.stages[1]
        if same and self.rides[0] == self.rides[1]:
            return (*self._left(), *self.unchanged("nothing changes"))
        return self._left()

    def _left(self) -> Words:
        gained = (", and survives the failure of any ", *some(self.gained), " now") if self.gained else ()
        if self.tightest is None:
            return ("— holds", *gained)
        left = self.headroom_w[self.tightest]
        return (f"— holds, {megawatts(left)} MW of headroom in ", Name(self.tightest), *gained)


def _rows(base: Figures, head: Figures, none: tuple[str, ...]) -> list[tuple[Words, ...]]:
    """Rows of what differs; `none` where a side has nothing under the name."""
    every = both(base, head).items()
    return [row(name, was or none, now or none) for name, (was, now) in every if was != now]


def _source(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Kind, megawatts and permit of a source."""
    permit = "granted" if facts["permitted"] else "pending"
    since = f", from {facts['in_service']}" if facts["in_service"] else ""
    return (facts["kind"], megawatts(facts["capacity_w"]), f"{permit}{since}")


def _levels(plan: Plan) -> Figures:
    """Figures of each level and side, every stage built, as they are shown."""
    if not plan.power_nodes.height or plan.spec.power is None:
        return {}
    made = {}
    for level in level_loads(plan).iter_rows(named=True):
        factor = plan.spec.power.levels[level["level"]].apparent_factor
        apparent = "–" if factor is None else f"{level['load_mw'] / factor:,.1f}"
        side = f" {level['side']}" if level["side"] else ""
        devices = f"{count(level['devices'])}, {level['redundancy']}"
        figures = devices, count(level["rating_kw"]), f"{level['load_mw']:,.1f}", apparent, f"{level['use_most']:.0%}"
        made[f"{level['kind']}{side}"] = figures
    return made


def _mw(label: str, base: float, head: float) -> Figure:
    words = (f"{megawatts(base)} MW",), (f"{megawatts(head)} MW",)
    return Figure((label,), *words, (f"{signed_mw(head - base)} MW" if head != base else "0",))


def _ratio(stage: StagePower | None) -> Words:
    if stage is None:
        return ("–",)
    return (f"{megawatts(stage.load_w)} / {'–' if stage.supply_w is None else megawatts(stage.supply_w)} MW",)


def _bank(ride: Ride) -> tuple[str, ...]:
    """Units, megawatts, megawatt hours and ride-through of an entry's banks."""
    return count(ride.units), megawatts(ride.power_w), f"{ride.energy_wh / 1e6:,.1f}", _times(ride)


def _times(ride: Ride) -> str:
    every = (ride.all_s, ride.without_unit_s, ride.without_bank_s)
    per, unit, digits = _unit(every[0])
    return f"{' / '.join(f'{seconds / per:,.{digits}f}' for seconds in every)} {unit}"


def _unit(seconds: float) -> tuple[int, str, int]:
    """Seconds of the unit that a time is told in, its name, and digits behind the point."""
    if seconds >= HOURS_FROM_S:
        return 3600, "h", 1
    return (60, "min", 1) if seconds >= MINUTES_FROM_S else (1, "s", 0)
