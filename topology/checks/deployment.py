"""Rules of what a stage's stack may hold."""

import polars as pl

from topology.checks import check
from topology.plan import Plan, names
from topology.views import owners

MOST_RESOURCES = 2_000  # Pulumi's own largest performance test (tests/performance); state is written whole each time


@check(
    "D401",
    "a stage has no more resources than a stack holds well",
    "a stack's whole state is written again for each resource; Pulumi tests no more than 2,000",
    keys={"stages": "add"},
)
def stacks_are_bounded(plan: Plan) -> pl.DataFrame:
    """Stages that add more units, pods, banks and feed groups than one stack may have."""
    tables = {name: frame.lazy() for name, frame in plan.tables().items()}
    tables["units"] = plan.units.with_columns(names.labels(plan, "units")).lazy()
    over = owners.sizes(tables).filter(pl.col("resources") > MOST_RESOURCES)
    return over.join(plan.stages.select("stage", "name", "origin"), on="stage").select(
        "origin",
        example="name",
        message=pl.format("stage {} adds {} resources to its stack; 2000 are the most", "name", "resources"),
        help=pl.lit("split the stage in two, or make units larger with unit_racks"),
    )
