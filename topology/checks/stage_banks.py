"""Rules of the banks of each stage: what is in service carries what stands."""

import polars as pl

from topology.catalog.battery_units import enough, ride_through_s
from topology.checks import BREACH, check
from topology.plan import Plan
from topology.views.banks import planned_banks


@check(
    "B306",
    "the banks in service in a stage carry it for as long as the spec asks",
    "each stage is a valid cluster: its load over the units of the banks that it counts",
    keys={"stages": "needs"},
)
def stages_ride_through(plan: Plan) -> pl.DataFrame:
    """Stages whose needs.banks, and those of the stages before, fall short of an entry's ride_through_s."""
    total_w = float(plan.stages["it_w"].max() or 1)  # type: ignore[arg-type]
    rows = []
    for each in planned_banks(plan):
        asked, counted = each.entry.ride_through_s, 0
        for stage, row in zip(plan.spec.stages, plan.stages.iter_rows(named=True), strict=True):
            counted = max(counted, stage.needs.banks if stage.needs else 0)
            if asked is None or not counted:
                continue
            load_w = each.load_w * row["it_w"] / total_w
            has = ride_through_s(sum(each.sizing.per_bank[:counted]), each.product, each.window, load_w)
            if not enough(has, asked):
                message = (
                    f"stage {stage.name} draws {load_w / 1e6:,.1f} MW behind {each.entry.name}; the {counted} banks it "
                    f"needs carry that for {has:,.0f} s, not the {asked:,.0f} s asked for"
                )
                rows.append((row["origin"], stage.name, message, f"write banks: {counted + 1} or more under needs"))
    return pl.DataFrame(rows, schema=BREACH, orient="row")
