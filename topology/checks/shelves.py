"""Rules of the power shelves inside a rack."""

import polars as pl

from topology.checks import check, nothing
from topology.plan import Plan, names

SPARE = {"N": 0, "N+1": 1, "N+2": 2}


@check(
    "P208",
    "the power shelves of a rack carry it with their spares out",
    "a shelf that fails leaves its load to the others; GB200 NVL72 has eight of 33 kW",
    keys={"compute": "rack"},
)
def shelves_carry_their_rack(plan: Plan) -> pl.DataFrame:
    """Racks that draw more than their shelves carry, less the spares that the spec asks for."""
    spare = SPARE[plan.spec.power.shelves] if plan.spec.power else 0
    rating = max(
        (each.rating_w or 0 for each in plan.catalog.power.values() if each.device == "power-shelf"), default=0
    )
    shelves = {
        slug: sum(part.count for part in plan.catalog.racks[slug].parts if part.kind == "power-shelf")
        for slug in plan.racks["design"].unique()
        if slug
    }
    have = {slug: count for slug, count in shelves.items() if count}
    if not have:
        return nothing()
    racks = plan.racks.with_columns(example=names.rack_names(plan)).filter(pl.col("design").is_in(list(have)))
    racks = racks.with_columns(shelves=pl.col("design").replace_strict(have, return_dtype=pl.Int64))
    carries = (pl.col("shelves") - spare) * rating
    return racks.filter(pl.col("power_w") > carries).select(
        "origin",
        "example",
        message=pl.format(
            "rack {} draws up to {} kW; {} of its {} shelves carry {} kW",
            "example", pl.col("power_w") / 1000, pl.col("shelves") - spare, "shelves", carries / 1000,
        ),
        help=pl.lit("write shelves: N under power, or take a rack with more shelves"),
    )  # fmt: skip
