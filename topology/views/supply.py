"""What each stage draws from its sources, and what they give it."""

from dataclasses import dataclass

import polars as pl

from topology.plan.plan import Plan


def facility_w(plan: Plan, it_w: float) -> float:
    """Draw of the site for an IT load: by its PUE, or with the cooling load the spec gives.

    With an explicit cooling load the losses of the power tree are added; a PUE holds them already.
    """
    power = plan.spec.power
    if power is None or power.cooling_mw is None:
        return it_w * plan.spec.site.pue
    share = it_w / max(float(plan.stages["it_w"][-1]), 1.0)
    loss = 1.0
    for level in power.levels:
        loss /= level.efficiency
    return it_w * loss + power.cooling_mw * 1e6 * share


def stages(plan: Plan) -> pl.DataFrame:
    """One row per stage: name, load_w, supply_w, short_w, waiting, rests_on, origin; none without sources.

    Supply is the sources whose permit is granted and that give power now, and those that this
    stage or one before it names under needs.permits: it rests on them, and may not be
    energised without. `waiting` and `rests_on` name the others, with what they wait for.
    """
    schema = {
        "name": pl.String,
        "load_w": pl.Float64,
        "supply_w": pl.Float64,
        "short_w": pl.Float64,
        "waiting": pl.String,
        "rests_on": pl.String,
        "origin": pl.UInt16,
    }
    if not plan.sources.height:
        return pl.DataFrame(schema=schema)
    named: set[str] = set()
    rows = []
    for stage, row in zip(plan.spec.stages, plan.stages.iter_rows(named=True), strict=True):
        named |= set(stage.needs.permits) if stage.needs else set()
        counted, waiting, rests = 0.0, [], []
        for source in plan.sources.iter_rows(named=True):
            ready = source["permitted"] and source["in_service"] is None
            lacks = "its permit is pending" if not source["permitted"] else f"in service from {source['in_service']}"
            words = f"{source['name']} ({source['capacity_w'] / 1e6:g} MW, {lacks})"
            if ready or source["name"] in named:
                counted += source["capacity_w"]
                rests += [] if ready else [words]
            else:
                waiting.append(words)
        load = facility_w(plan, row["it_w"])
        rows.append(
            {
                "name": row["name"],
                "load_w": load,
                "supply_w": counted,
                "short_w": max(load - counted, 0.0),
                "waiting": ", ".join(waiting),
                "rests_on": ", ".join(rests),
                "origin": row["origin"],
            }
        )
    return pl.DataFrame(rows, schema=schema)


@dataclass(frozen=True, slots=True)
class StagePower:
    """Load and supply of a stage, watts; without sources there is no supply to speak of."""

    load_w: float
    supply_w: float | None

    @property
    def headroom_w(self) -> float | None:
        """What is left; negative when too much is drawn."""
        return None if self.supply_w is None else self.supply_w - self.load_w


def by_stage(plan: Plan) -> dict[str, StagePower]:
    """Every stage by name, in order."""
    if plan.sources.height:
        rows = stages(plan).select("name", "load_w", "supply_w")
        return {name: StagePower(load, given) for name, load, given in rows.iter_rows()}
    rows = plan.stages.select("name", "it_w")
    return {name: StagePower(facility_w(plan, it_w), None) for name, it_w in rows.iter_rows()}
