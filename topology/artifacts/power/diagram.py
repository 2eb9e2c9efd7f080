"""The one-line diagram, folded: one box per level and side, so that it fits a page at any size."""

from dataclasses import dataclass

import polars as pl

from topology.artifacts.power.schedules import level_loads
from topology.plan import Plan


@dataclass(frozen=True, slots=True)
class DiagramBox:
    """A box of the diagram."""

    key: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiagramLine:
    """A line between two boxes."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Diagram:
    """Boxes from the sources down to the racks, and what feeds what."""

    boxes: tuple[DiagramBox, ...]
    lines: tuple[DiagramLine, ...]


def one_line(plan: Plan) -> Diagram:
    """Sources, levels by side, banks and racks; lines follow the pools' own supply."""
    boxes = [
        DiagramBox(
            f"source{row['source']}", (row["name"], f"{row['kind']} {row['capacity_w'] / 1e6:g} MW", _permit(row))
        )
        for row in plan.sources.iter_rows(named=True)
    ]
    keys: dict[tuple[int, str], str] = {}
    for row in level_loads(plan).iter_rows(named=True):
        key = f"level{row['level']}{row['side']}"
        keys[row["level"], row["side"]] = key
        side = f" side {row['side']}" if row["side"] else ""
        count = f"{row['devices']:,} x {row['rating_kw']:,.0f} kW, {row['redundancy']}"
        boxes.append(
            DiagramBox(key, (f"{row['kind']}{side}", count, f"{row['load_mw']:,.1f} MW, {row['use_most']:.0%} at most"))
        )
    top = [key for (level, _), key in keys.items() if level == 0]
    lines = [DiagramLine(f"source{row}", key) for row in plan.sources["source"] for key in top]
    supply = plan.power_nodes.select("level", "side", "supply", "pool")
    above = supply.select(supply="pool", upper="side").unique()
    pairs = (
        supply.filter(pl.col("supply").is_not_null()).join(above, on="supply").select("level", "side", "upper").unique()
    )
    lines += [
        DiagramLine(keys[level - 1, upper], keys[level, side])
        for level, side, upper in pairs.sort(pl.all()).iter_rows()
    ]
    for row in (
        plan.batteries.group_by("name", maintain_order=True)
        .agg(pl.col("product", "level").first(), pl.col("units", "power_w", "energy_wh").sum(), banks=pl.len())
        .iter_rows(named=True)
    ):
        key = f"bank{len(boxes)}"
        size = f"{row['power_w'] / 1e6:,.1f} MW, {row['energy_wh'] / 1e6:,.1f} MWh"
        boxes.append(DiagramBox(key, (row["name"], f"{row['banks']} x {row['product']}, {row['units']:,} units", size)))
        lines += [DiagramLine(key, box) for (level, _), box in keys.items() if level == row["level"]]
    if plan.feeds.height:
        load = float(plan.racks["power_w"].cast(pl.UInt64).sum()) / 1e6
        boxes.append(
            DiagramBox(
                "racks", (f"{plan.racks.height:,} racks", f"{load:,.1f} MW at catalogue maximum", "two feeds each")
            )
        )
        lowest = max(level for level, _ in keys)
        lines += [DiagramLine(box, "racks") for (level, _), box in keys.items() if level == lowest]
    return Diagram(tuple(boxes), tuple(lines))


def _permit(row: dict[str, object]) -> str:
    words = "permit granted" if row["permitted"] else "permit pending"
    return f"{words}, from {row['in_service']}" if row["in_service"] else words
