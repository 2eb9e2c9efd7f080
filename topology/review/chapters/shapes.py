"""What each fabric is and carries, as it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from topology.plan import Plan
from topology.review.amounts import count, plural


@dataclass(frozen=True, slots=True)
class FabricFacts:
    """What a fabric is and carries, as it is shown."""

    kind: str
    protocol: str
    switch: str
    port: str
    tree: str  # planes, tiers and islands
    switches: str
    taper: str  # oversubscription by tier
    bisection: str
    sized_for: int | None  # scalable units that it has room for, where the spec says so

    @property
    def design(self) -> tuple[str, ...]:
        """What two fabrics share that differ in size alone."""
        return self.kind, self.protocol, self.switch, self.port, self.taper


def shapes(plan: Plan) -> dict[str, FabricFacts]:
    """Every fabric by name, in the order of the spec."""
    every = plan.cables.group_by("fabric", "hop").agg(rate=pl.col("rate_gbps").cast(pl.UInt64).sum())
    rates = {(fabric, str(hop)): rate for fabric, hop, rate in every.iter_rows()}
    each = plan.switches.group_by("fabric", "tier").len()
    boxes = {(fabric, str(tier)): number for fabric, tier, number in each.iter_rows()}
    specs = {fabric.name: fabric for fabric in plan.spec.fabrics}
    made = {}
    for row in plan.fabrics.iter_rows(named=True):
        spec, at = specs[row["name"]], row["fabric"]
        hops = [rate for (fabric, _), rate in rates.items() if fabric == at]
        tiers = plan.tiers.filter(pl.col("fabric") == at)
        counted = [f"{count(boxes[at, tier])} {tier}" for tier in tiers["word"] if (at, tier) in boxes]
        made[row["name"]] = FabricFacts(
            row["kind"],
            row["protocol"],
            row["switch"],
            f"{spec.port_gbps}G" + (f", uplinks {spec.uplink_gbps}G" if spec.uplink_gbps != spec.port_gbps else ""),
            _tree(row),
            " + ".join(counted) or "–",
            _taper(tiers["taper"]),
            f"{min(hops) / 2000:,.1f}" if hops else "–",
            spec.sized_for_units,
        )
    return made


def _tree(row: Mapping[str, object]) -> str:
    words = (("planes", "plane"), ("tiers", "tier"), ("islands", "island"))
    return ", ".join(plural(int(str(row[key])), one) for key, one in words if key == "tiers" or row[key] != 1)


def _taper(tapers: pl.Series) -> str:
    """Bandwidth into a switch over bandwidth out of it, tier by tier, when the fabric is full."""
    rounded = [f"{max(1.0, ratio):.3g}:1" for ratio in tapers.drop_nulls()] or ["1:1"]
    return rounded[0] if len(set(rounded)) == 1 else ", ".join(rounded)
