"""Localities of nodes: those on the same leaves, and the wider ones around them.

A node of a rail-optimized fabric has a leaf per rail, but schedulers want it under one switch;
its lowest locality is that switch. Slurm's topologies and Kubernetes' labels both come from here.
"""

from dataclasses import dataclass

import polars as pl

from topology.plan.names import Part, Template
from topology.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class NearLevel:
    """Localities of one level of a fabric."""

    word: str  # what people call one: leaf-group, pod, island
    tier: str  # of the switches that join its nodes
    places: int  # node places of one when it is full


def fabric_of(plan: Plan, group: int) -> str | None:
    """Name of the compute fabric of a group; None when it has none."""
    mine = plan.fabrics.filter(pl.col("groups").list.contains(group))["name"]
    return next((each.name for each in plan.spec.fabrics if each.connects == "compute" and each.name in mine), None)


def near_levels(plan: Plan, fabric: str) -> tuple[NearLevel, ...]:
    """Levels of a fabric from the nodes up."""
    rows = _of_fabric(plan, fabric).group_by("level").agg(pl.col("word", "tier").first(), pl.col("places").max())
    return tuple(NearLevel(*row) for row in rows.sort("level").select("word", "tier", "places").iter_rows())


def with_localities(plan: Plan, nodes: pl.DataFrame, fabric: str) -> pl.DataFrame:
    """Those of `nodes` that the fabric connects, with the columns `near0`, `near1`, …: their localities by level."""
    mine = _of_fabric(plan, fabric)
    at, parent = pl.col("near0"), pl.lit(plan.localities["parent"])
    found = nodes.rename({"locality": "near0"}).filter(at.is_in(mine["locality"].implode()))
    for level in range(1, mine["level"].n_unique()):
        found = found.with_columns(parent.gather(pl.col(f"near{level - 1}")).alias(f"near{level}"))
    return found


def name_of(plan: Plan, level: int) -> pl.Expr:
    """Name of the locality of a level, in what `with_localities` gives."""
    return pl.lit(plan.localities["name"]).gather(pl.col(f"near{level}"))


def listed(plan: Plan, localities: pl.Series) -> tuple[pl.DataFrame, Template]:
    """Rows of some localities, with the parts of their names to fold them by."""
    fabrics = pl.lit(plan.fabrics["name"])
    rows = plan.localities[localities.unique().sort()].with_columns(fabric_name=fabrics.gather("fabric"))
    template = (Part(column="fabric_name"), Part("-"), Part(column="tier"), Part("-"), Part(column="number", width=4))
    within = (Part("-"), Part(column="within", width=1))
    return rows, (*template, *within) if rows["within"].is_not_null().any() else template


def _of_fabric(plan: Plan, fabric: str) -> pl.DataFrame:
    return plan.localities.filter(pl.col("fabric") == plan.fabrics["name"].to_list().index(fabric))
