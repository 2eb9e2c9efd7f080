"""What differs in the power of two plans."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.review.review import Review, ReviewPart
from topology.views.banks import Ride, rides
from topology.views.failures import Weak, weak_points
from topology.views.supply import by_stage

STRENGTH = ("N", "N+1", "4N/3", "2N")  # redundancies of a level, the weakest first


class PowerFacts(ReviewPart):
    """What differs in the power of a review, each fact worked out once."""

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self.stages = by_stage(self.base), by_stage(self.head)
        self.rides = rides(self.base), rides(self.head)
        self.it_w = [float(plan.stages["it_w"][-1]) if plan.stages.height else 0.0 for plan in review.plans]

    @cached_property
    def weak(self) -> tuple[dict[str, Weak], dict[str, Weak]]:
        """Weak points of both sides."""
        same = not any(self.delta.table(name) for name in ("power_nodes", "feeds"))
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

    @cached_property
    def headroom_w(self) -> dict[str, float]:
        """What is left in each stage of head; empty without sources."""
        return {name: each.headroom_w for name, each in self.stages[1].items() if each.headroom_w is not None}

    @property
    def tightest(self) -> str | None:
        """Stage of head with the least headroom; None without sources."""
        return min(self.headroom_w, key=self.headroom_w.__getitem__, default=None)

    @property
    def short(self) -> dict[str, float]:
        """Stages of head that draw more than their supply, with what is missing in watts."""
        return {name: -left for name, left in self.headroom_w.items() if left < 0}

    @cached_property
    def old_rides(self) -> dict[str, Ride]:
        """Entries of base under the names that they have now."""
        return self.delta.renames.under("batteries", self.rides[0])

    @cached_property
    def feeds_lost(self) -> NDArray[np.int64]:
        """Feeds of base that are gone although their rack is still there."""
        removed = self.delta.table("feeds").removed
        racks = self.delta.identity.rows("racks")
        mine = racks[0][self.base.feeds["rack"].to_numpy()[removed]]
        return removed[np.isin(mine, racks[1])]

    @property
    def refed(self) -> int:
        """Feeds that hang on another device than before."""
        return int(self._feeds_that_differ("panel").sum())

    @property
    def rewired(self) -> int:
        """Feeds that stay on their device with other breakers, circuits or breaker positions."""
        other = self._feeds_that_differ("breaker_a", "circuits", "breaker")
        return int((other & ~self._feeds_that_differ("panel")).sum())

    def _feeds_that_differ(self, *columns: str) -> NDArray[np.bool_]:
        """Of the feeds that differ: whether one of some columns does."""
        diff = self.delta.table("feeds")
        differ = np.zeros(diff.changed, bool)
        for name in columns:
            differ |= diff.columns.get(name, False)
        return differ

    @cached_property
    def replaced(self) -> list[tuple[str, int, str, str]]:
        """Devices of the tree that stay by name with another rating on their plate: kind, how many, before, after."""
        was, now = self.delta.matched("power_nodes")
        unit = pl.when("apparent").then(pl.lit("VA")).otherwise(pl.lit("W"))
        kva = pl.format("{} k{}", (pl.col("plate_va") / 1000).round(1), unit)
        before, after = (
            plan.power_levels.select("kind", plate=kva)[plan.power_nodes["level"].gather(rows)]
            for plan, rows in ((self.base, was), (self.head, now))
        )
        other = before.with_columns(now=after["plate"]).filter(pl.col("plate") != pl.col("now"))
        counted = other.group_by("kind", "plate", "now", maintain_order=True).len()
        return list(counted.select("kind", "len", "plate", "now").iter_rows())

    @cached_property
    def other_draw(self) -> list[tuple[str, int, int, int]]:
        """Racks that stay and may draw other watts: design, how many, watts before and after; the most racks first."""
        was, now = self.delta.matched("racks")
        before, after = self.base.racks[was], self.head.racks[now]
        rows = after.select("design", now="power_w").with_columns(was=before["power_w"], old=before["design"])
        compute = (pl.col("old") == pl.col("design")) & (pl.col("design") != "")
        same = rows.filter(compute & (pl.col("was") != pl.col("now"))).group_by("design", "was", "now").len()
        counted = same.sort("len", "design", "was", "now", descending=[True, False, False, False])
        return list(counted.select("design", "len", "was", "now").iter_rows())

    @cached_property
    def other_units(self) -> list[tuple[str, int, str, str]]:
        """Battery banks that stay with other units in them: entry, how many banks, product before and after."""
        was, now = self.delta.matched("batteries")
        both = self.head.batteries.select("name", now="product")[now]
        both = both.with_columns(was=self.base.batteries["product"].gather(was)).filter(pl.col("was") != pl.col("now"))
        counted = both.group_by("name", "was", "now", maintain_order=True).len()
        return list(counted.select("name", "len", "was", "now").iter_rows())

    @property
    def without_spare(self) -> list[str]:
        """Entries of batteries that carried their load with a unit or a bank out, and carry it no longer."""
        pairs = ((name, self.old_rides.get(name), now) for name, now in self.rides[1].items())
        return [
            name
            for name, was, now in pairs
            if was and any(had > 0 >= have for had, have in zip(was.spare_s, now.spare_s, strict=True))
        ]

    @property
    def withdrawn(self) -> list[str]:
        """Sources of both sides whose permit is pending now and was granted."""
        before, after = self.review.rows("sources")
        return [name for name, now in after.items() if name in before and before[name]["permitted"] > now["permitted"]]

    def shrunk(self) -> Iterator[tuple[str, Ride, Ride]]:
        """Entries of batteries that have less than before, under the new name."""
        for name, was in self.old_rides.items():
            now = self.rides[1].get(name)
            if now and (now.units < was.units or now.power_w < was.power_w or now.energy_wh < was.energy_wh):
                yield name, was, now
