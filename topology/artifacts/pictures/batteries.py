"""Battery pads of the floor plan: the ground of each bank, with its units as they stand in rows."""

from collections.abc import Iterator
from dataclasses import dataclass

from topology.artifacts.pictures.drawing import plural, shorten, units
from topology.artifacts.pictures.places import Rectangle
from topology.plan import Plan


@dataclass(frozen=True, slots=True)
class Pad:
    """The ground of a battery bank; `units` are the rows of units on it: x, y, width, height."""

    x: str
    y: str
    width: str
    height: str
    pattern: str
    units: tuple[tuple[str, str, str, str], ...]
    caption: str
    caption_x: str
    caption_y: str
    tip: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A battery unit of a product, as the tile of a pattern: with the ground around it."""

    name: str
    width: str
    height: str
    unit_width: str
    unit_height: str


def battery_units(plan: Plan) -> Iterator[Unit]:
    """Each product of the plan, sorted."""
    for slug in sorted(plan.batteries["product"].unique()):
        unit = plan.catalog.batteries[slug]
        wide, deep = unit.width_m + unit.spacing_m, unit.length_m + unit.spacing_m
        yield Unit(f"unit-{slug}", units(wide), units(deep), units(unit.width_m), units(unit.length_m))


def battery_pads(plan: Plan, pads: tuple[Rectangle, ...], font: float) -> Iterator[Pad]:
    """The pad of each bank, in the table's order."""
    for row, pad in zip(plan.batteries.iter_rows(named=True), pads, strict=True):
        product = plan.catalog.batteries[row["product"]]
        wide, deep = product.width_m + product.spacing_m, product.length_m + product.spacing_m
        per_line = max(round(pad.width / wide), 1)
        lines, rest = divmod(row["units"], per_line)
        clear = product.spacing_m  # beyond the last unit there is no other, nor a sliver of its tile
        full = ((units(0), units(0), units(pad.width - clear), units(lines * deep - clear)),) if lines else ()
        last = ((units(0), units(lines * deep), units(rest * wide - clear), units(deep - clear)),) if rest else ()
        size = f"{row['power_w'] / 1e6:,.1f} MW, {row['energy_wh'] / 1e6:,.1f} MWh"
        caption = f"{row['name']} {row['bank']} · {row['units']:,} {plural('unit', row['units'])} · {size}"
        yield Pad(
            x=units(pad.x),
            y=units(-pad.y - pad.height),
            width=units(pad.width),
            height=units(pad.height),
            pattern=f"unit-{row['product']}",
            units=full + last,
            caption=shorten(caption, pad.width - font, font),
            caption_x=units(0.5 * font),
            caption_y=units(deep - product.spacing_m / 2 + 0.35 * font),
            tip=f"bank {row['bank']} of {row['name']}: {row['units']:,} x {row['product']}, {size}",
        )
