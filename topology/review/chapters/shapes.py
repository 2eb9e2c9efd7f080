"""What each fabric is and carries, as it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from topology.plan import Plan
from topology.review.amounts import count, plural
from topology.spec.model import Fabric


@dataclass(frozen=True, slots=True)
class Shape:
    """What a fabric is and carries, as it is shown."""

    switch: str
    port: str
    tree: str  # planes, tiers and islands
    switches: str
    taper: str  # oversubscription by tier
    bisection: str


def shapes(plan: Plan) -> dict[str, Shape]:
    """Every fabric by name, in the order of the spec."""
    every = plan.cables.group_by("fabric", "hop").agg(rate=pl.col("rate_gbps").cast(pl.UInt64).sum())
    rates = {(fabric, str(hop)): rate for fabric, hop, rate in every.iter_rows()}
    tiers = plan.switches.group_by("fabric", "tier").len()
    boxes = {(fabric, str(tier)): number for fabric, tier, number in tiers.iter_rows()}
    specs = {fabric.name: fabric for fabric in plan.spec.fabrics}
    made = {}
    for row in plan.fabrics.iter_rows(named=True):
        spec, at = specs[row["name"]], row["fabric"]
        hops = [rates[at, hop] for hop in ("node-leaf", "leaf-spine", "spine-core") if (at, hop) in rates]
        counted = [f"{count(boxes[at, tier])} {tier}" for tier in ("leaf", "spine", "core") if (at, tier) in boxes]
        made[row["name"]] = Shape(
            row["switch"],
            f"{spec.port_gbps}G" + (f", uplinks {spec.uplink_gbps}G" if spec.uplink_gbps != spec.port_gbps else ""),
            _tree(row),
            " + ".join(counted) or "–",
            _taper(row, spec),
            f"{min(hops) / 2000:,.1f}" if hops else "–",
        )
    return made


def _tree(row: Mapping[str, object]) -> str:
    words = (("planes", "plane"), ("tiers", "tier"), ("islands", "island"))
    return ", ".join(plural(int(str(row[key])), one) for key, one in words if key == "tiers" or row[key] != 1)


def _taper(row: Mapping[str, int], spec: Fabric) -> str:
    """Bandwidth into a switch over bandwidth out of it, tier by tier, when the fabric is full."""
    if spec.kind == "core":
        return f"{spec.oversubscription.core:g}:1"
    ratios = []
    if row["leaf_up"]:
        ratios.append(row["leaf_down"] * spec.port_gbps / (row["leaf_up"] * spec.uplink_gbps))
    if row["spine_up"] and row["tiers"] > 2:  # noqa: PLR2004 - tiers
        ratios.append(row["spine_down"] / row["spine_up"])
    if not ratios:
        return "1:1"
    rounded = [f"{max(1.0, ratio):.3g}:1" for ratio in ratios]
    return rounded[0] if len(set(rounded)) == 1 else ", ".join(rounded)
