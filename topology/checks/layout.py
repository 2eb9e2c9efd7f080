"""Rules of the floor: what a rack holds against what it and its position can carry."""

import polars as pl

from topology.checks import check
from topology.plan import Plan, names

_KEYS = {"compute": "rack", "fabrics": "place"}
_FLOOR = "the hall's rack_limit: what one position of this floor carries"


def _racks(plan: Plan) -> pl.DataFrame:
    """Racks with their names, their halls' limits and what stands in them."""
    limits = plan.halls.select("hall", "limit_u", "limit_power_w", "limit_weight_kg")
    racks = plan.racks.with_columns(example=names.labels(plan, "racks")).join(limits, on="hall", maintain_order="left")
    return racks.with_columns(holds=pl.col("design").replace_strict(_contents(plan), default="switches"))


def _contents(plan: Plan) -> dict[str, str]:
    """What each rack design holds, in words."""
    words = {}
    for slug in plan.racks["design"].unique():
        if slug:
            design = plan.catalog.racks[slug]
            node = plan.catalog.nodes[design.node]
            parts = [f"{design.nodes} x {node.slug} {node.height_u} U"]
            parts += [f"{part.count} x {part.model} {part.height_u} U" for part in design.parts]
            words[slug] = " + ".join(parts)
    return words


def _plain(figure: pl.Expr) -> pl.Expr:
    """A figure as people write it: 40.8, and 30 rather than 30.0."""
    return figure.round(3).cast(pl.String).str.strip_suffix(".0")


def _breach(racks: pl.DataFrame, message: pl.Expr, help_: pl.Expr) -> pl.DataFrame:
    return racks.select("origin", "example", message=message, help=help_)


@check("L201", "a rack is no taller than its hall allows", _FLOOR, keys=_KEYS)
def rack_fits_its_hall(plan: Plan) -> pl.DataFrame:
    """Racks taller than their hall's limit."""
    over = _racks(plan).filter(pl.col("height_u") > pl.col("limit_u"))
    return _breach(
        over,
        pl.format("rack {} is {} U tall; its hall takes {} U", "example", "height_u", "limit_u"),
        pl.format("write height_u: {} in rack_limit if the hall has the room, or take a lower rack", "height_u"),
    )


@check("L202", "a rack draws no more than its position carries", _FLOOR, keys=_KEYS)
def rack_within_power(plan: Plan) -> pl.DataFrame:
    """Racks whose catalogue maximum is over their hall's limit."""
    over = _racks(plan).filter(pl.col("power_w") > pl.col("limit_power_w"))
    draw, limit = _plain(pl.col("power_w") / 1000), _plain(pl.col("limit_power_w") / 1000)
    return _breach(
        over,
        pl.format("rack {} draws up to {} kW; its position carries {} kW: {}", "example", draw, limit, "holds"),
        pl.format(
            "write power_kw: {} in rack_limit if the feeds carry it, or fewer nodes_per_rack",
            (pl.col("power_w") / 1000).ceil().cast(pl.Int64),
        ),
    )


@check("L203", "a rack weighs no more than its position carries", _FLOOR, keys=_KEYS)
def rack_within_weight(plan: Plan) -> pl.DataFrame:
    """Racks heavier than their hall's limit."""
    over = _racks(plan).filter(pl.col("weight_kg") > pl.col("limit_weight_kg"))
    return _breach(
        over,
        pl.format(
            "rack {} weighs {} kg; its position carries {} kg: {}",
            "example",
            _plain(pl.col("weight_kg")),
            _plain(pl.col("limit_weight_kg")),
            "holds",
        ),
        pl.lit("stand it on a stronger floor, or fewer nodes_per_rack"),
    )


@check("L204", "one rack stands at a position", "a rack is its place")
def positions_hold_one_rack(plan: Plan) -> pl.DataFrame:
    """Positions that two racks claim: a compute rack and a network rack, or two groups."""
    place = ("hall", "row", "position")
    over = _racks(plan).filter(pl.struct(place).is_duplicated())
    return _breach(
        over,
        pl.format("two racks stand at {}", "example"),
        pl.lit("this is a fault of expansion: please report it"),
    )
