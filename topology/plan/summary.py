"""A plan in a few dozen numbers: the body of plan.json, and what people read at the end of a build."""

from typing import Any

import polars as pl

from topology.plan.plan import Plan


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
        "batteries": 0,
        "fabrics": {row["name"]: _fabric(plan, row) for row in plan.fabrics.iter_rows(named=True)},
    }


def _fabric(plan: Plan, row: dict[str, Any]) -> dict[str, Any]:
    mine = pl.col("fabric") == row["fabric"]
    tiers = dict(plan.switches.filter(mine)["tier"].value_counts().iter_rows())
    hops = dict(plan.cables.filter(mine)["hop"].value_counts().iter_rows())
    return {
        "planes": row["planes"],
        "tiers": row["tiers"],
        "islands": row["islands"],
        **{tier: tiers.get(tier, 0) for tier in ("leaf", "spine", "core")},
        "links": {hop: hops.get(hop, 0) for hop in ("node-leaf", "leaf-spine", "spine-core")},
    }


def power(plan: Plan) -> dict[str, float | None]:
    """Load of the whole design; what feeds it is null until the spec's power keys have an effect."""
    it_mw = megawatts(int(plan.racks["power_w"].cast(pl.UInt64).sum()))
    return {
        "it_mw": it_mw,
        "facility_mw": round(it_mw * plan.spec.site.pue, 6),
        "source_mw": None,
        "battery_mw": None,
        "battery_mwh": None,
        "ride_through_s": None,
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


def megawatts(watts: int) -> float:
    """Watts as MW, to the watt."""
    return round(watts / 1e6, 6)
