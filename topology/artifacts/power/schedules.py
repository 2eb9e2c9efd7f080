"""Schedules as an electrician reads them: which breaker feeds which rack, and what each level carries."""

import polars as pl

from topology.plan import Plan, names
from topology.plan.tables import PHASES
from topology.views import failures
from topology.views.phases import on_phase_w


def feed_schedule(plan: Plan) -> pl.DataFrame:
    """One row per rack and side, racks in order of their places."""
    panels = names.labels(plan, "power_nodes")
    racks = names.labels(plan, "racks")
    return plan.feeds.select(
        rack=pl.lit(racks).gather("rack"),
        side="side",
        panel=pl.lit(panels).gather("panel"),
        breaker="breaker",
        circuits="circuits",
        breaker_a="breaker_a",
        phase="phase",
        capacity_kw=_kw("capacity_w"),
        load_kw=_kw("load_w"),
        stage=_stage(plan),
    )


def panel_schedule(plan: Plan) -> pl.DataFrame:
    """The same by panel and breaker, with the load of each phase of the panel behind its first breaker.

    A three-phase feed loads all phases alike; a phase's load is what the panel carries in
    normal running, half of each rack.
    """
    shares = plan.feeds.select(
        "panel",
        *(on_phase_w(phase).sum().over("panel").round().alias(f"{phase.lower()}_w") for phase in PHASES),
    )
    made = plan.feeds.hstack(shares.drop("panel")).sort("panel", "breaker")
    return made.select(
        panel=pl.lit(names.labels(plan, "power_nodes")).gather("panel"),
        breaker="breaker",
        circuits="circuits",
        breaker_a="breaker_a",
        phase="phase",
        rack=pl.lit(names.labels(plan, "racks")).gather("rack"),
        side="side",
        load_kw=_kw("load_w"),
        panel_l1_kw=_kw("l1_w"),
        panel_l2_kw=_kw("l2_w"),
        panel_l3_kw=_kw("l3_w"),
    )


def level_loads(plan: Plan) -> pl.DataFrame:
    """One row per level and side: devices, what they are rated, carry and use at most."""
    levels = plan.spec.power.levels if plan.spec.power else ()
    redundancy = pl.Series([level.redundancy for level in levels], dtype=pl.String)
    return (
        plan.power_nodes.group_by("level", "kind", "side", maintain_order=True)
        .agg(
            devices=pl.len(),
            pools=pl.col("pool").n_unique(),
            rating_kw=_kw(pl.col("rating_w").first()),
            load_mw=(pl.col("load_w").sum() / 1e6).round(3),
            use_most=(pl.col("load_w") / pl.col("rating_w")).max().round(4),
        )
        .with_columns(redundancy=pl.lit(redundancy).gather("level"))
    )


def failure_table(plan: Plan) -> pl.DataFrame:
    """One row per pool: what one failed device of it loses, moves and overloads."""
    pools = plan.power_nodes.with_columns(name=names.labels(plan, "power_nodes")).group_by("pool", maintain_order=True)
    named = pools.agg(pl.col("name", "kind").first(), devices=pl.len())
    result = failures.single_failures(plan).with_columns(pl.col("pool", "worst_pool").cast(pl.UInt32))
    worst = named.select(worst_pool="pool", worst="name")
    return (
        result.join(named, on="pool", maintain_order="left")
        .join(worst, on="worst_pool", how="left", maintain_order="left")
        .select(
            device="name",
            kind="kind",
            devices_of_pool="devices",
            lost_racks="lost_racks",
            lost_kw=_kw("lost_w"),
            moved_kw=_kw("moved_w"),
            overloaded="overloaded",
            worst=pl.col("worst").fill_null(""),
            over_kw=_kw("over_w"),
        )
    )


def _kw(watts: str | pl.Expr) -> pl.Expr:
    return ((pl.col(watts) if isinstance(watts, str) else watts) / 1000).round(3)


def _stage(plan: Plan) -> pl.Expr:
    stages = pl.Series([stage.name for stage in plan.spec.stages])
    return pl.lit(stages).gather("stage").fill_null("")
