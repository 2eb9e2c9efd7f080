"""A plan in a few dozen numbers: the body of plan.json, and what people read at the end of a build."""

from typing import Any

import polars as pl

from topology.plan.plan import Plan
from topology.views import banks, supply

FIXED_TIERS = ("leaf", "spine", "core")  # keys of plan.json that every fabric has
FIXED_HOPS = ("node-leaf", "leaf-spine", "spine-core")


def counts(plan: Plan) -> dict[str, Any]:
    """Counts of the whole design, every stage of it.

    Figures of a fabric are totals over its planes and islands, never over fabrics.
    """
    return {
        "gpus": plan.gpus.height,
        "nodes": plan.nodes.height,
        "racks": plan.racks.filter(pl.col("role") == "compute").height,
        "network_racks": plan.racks.filter(pl.col("role") == "network").height,
        "units": plan.units.height,
        "nvlink_domains": plan.nvlink_domains.height,
        "switches": plan.switches.height,
        "cables": plan.cables.height,
        "batteries": int(plan.batteries["units"].sum()),
        "fabrics": {row["name"]: _fabric(plan, row) for row in plan.fabrics.iter_rows(named=True)},
    }


def _fabric(plan: Plan, row: dict[str, Any]) -> dict[str, Any]:
    mine = pl.col("fabric") == row["fabric"]
    tiers = dict(plan.switches.filter(mine)["tier"].value_counts().iter_rows())
    hops = dict(plan.cables.filter(mine)["hop"].value_counts().iter_rows())
    own = (
        {"switches": {tier: tiers[tier] for tier in plan.tiers.filter(mine)["word"]}}
        if {*tiers, *hops} - {*FIXED_TIERS, *FIXED_HOPS}
        else {}
    )
    return {
        "planes": row["planes"],
        "tiers": row["tiers"],
        "islands": row["islands"],
        **{tier: tiers.get(tier, 0) for tier in FIXED_TIERS},
        **own,
        "links": dict.fromkeys(FIXED_HOPS, 0) | dict(sorted(hops.items())),
    }


def power(plan: Plan) -> dict[str, float | None]:
    """Load of the whole design and what feeds it; null where the spec says nothing of it."""
    it_w = int(plan.racks["power_w"].cast(pl.UInt64).sum())
    ride_through_s = banks.shortest_ride_through_s(plan)
    return {
        "it_mw": megawatts(it_w),
        "facility_mw": megawatts(supply.facility_w(plan, it_w)),
        "source_mw": megawatts(int(plan.sources["capacity_w"].sum())) if plan.sources.height else None,
        "battery_mw": megawatts(int(plan.batteries["power_w"].sum())) if plan.batteries.height else None,
        "battery_mwh": megawatts(int(plan.batteries["energy_wh"].sum())) if plan.batteries.height else None,
        "ride_through_s": None if ride_through_s is None else round(ride_through_s, 1),
    }


def stages(plan: Plan) -> list[dict[str, Any]]:
    """Each stage with everything of the stages before it."""
    return [
        {
            "name": row["name"],
            "gpus": row["gpus"],
            "nodes": row["nodes"],
            "racks": row["racks"],
            "units": row["units"],
            "cables": row["cables"],
            "it_mw": megawatts(row["it_w"]),
        }
        for row in plan.stages.iter_rows(named=True)
    ]


def cells(plan: Plan) -> list[dict[str, Any]]:
    """Each Kubernetes cell with all that is built in it, its halls, and the stages that add to it."""
    halls, names = plan.halls["name"], [stage.name for stage in plan.spec.stages]
    held = plan.units.group_by("cell").agg(pl.col("hall").unique().sort(), pl.col("stage").unique().drop_nulls().sort())
    return [
        {
            "name": row["name"],
            "pool": row["pool"],
            "units": row["units"],
            "nodes": row["nodes"],
            "gpus": row["gpus"],
            "halls": [halls[hall] for hall in row["hall"]],
            "stages": [names[stage] for stage in row["stages"]],
        }
        for row in plan.cells.join(held.rename({"stage": "stages"}), on="cell", maintain_order="left").iter_rows(
            named=True
        )
    ]


def megawatts(watts: float) -> float:
    """Watts as MW, to the watt."""
    return round(watts / 1e6, 6)
