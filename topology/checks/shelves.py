"""Rules of the power shelves inside a rack."""

import polars as pl

from topology.catalog.model import POWER_SHELF
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
    designs = [plan.catalog.racks[slug] for slug in plan.racks["design"].unique() if slug]
    parts = [(design.slug, part) for design in designs for part in design.parts if part.kind == POWER_SHELF]
    if not parts:
        return nothing()
    products = [plan.catalog.power[part.product] for _, part in parts]
    shelves = pl.DataFrame(
        {
            "design": [design for design, _ in parts],
            "shelves": [part.count for _, part in parts],
            "shelf_w": [shelf.rating_w or shelf.rating_va for shelf in products],  # they correct their power factor
        }
    )
    racks = plan.racks.with_columns(example=names.labels(plan, "racks")).join(
        shelves, on="design", maintain_order="left"
    )
    carries = (pl.col("shelves") - spare) * pl.col("shelf_w")
    return racks.filter(pl.col("power_w") > carries).select(
        "origin",
        "example",
        message=pl.format(
            "rack {} draws up to {} kW; {} of its {} shelves carry {} kW",
            "example", pl.col("power_w") / 1000, pl.col("shelves") - spare, "shelves", carries / 1000,
        ),
        help=pl.lit("write shelves: N under power, or take a rack with more shelves"),
    )  # fmt: skip
