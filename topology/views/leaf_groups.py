"""Leaf groups: nodes that hang on the same leaves, and the pod and island above them.

A node of a rail-optimized fabric has a leaf per rail, but schedulers want it under one switch;
the leaves of a group are that switch. Slurm's topologies and Kubernetes' labels both come from here.
"""

from typing import Any

import polars as pl

from topology.plan.names import Part, Template
from topology.plan.plan import Plan

LEVELS = {  # words and columns from the leaves up, by tiers of the fabric
    1: (("leaf", "run"),),
    2: (("leaf", "run"), ("spine", "island")),
    3: (("leaf", "run"), ("spine", "pod"), ("core", "island")),
}


def shape(plan: Plan, fabric: str) -> dict[str, Any]:
    """The fabric's row of the table of fabrics."""
    return plan.fabrics.row(plan.fabrics["name"].to_list().index(fabric), named=True)


def leaf_groups(plan: Plan, nodes: pl.DataFrame, fabric: str) -> pl.DataFrame:
    """Those of `nodes` that the fabric connects, with numbers from 1 of their groups.

    Columns `run` (of units that share leaves), `seat` (leaf group within the run), `pod`
    and `island`, counted through the whole fabric so that a stage or a split renames none.
    """
    row = shape(plan, fabric)
    units = plan.units.filter(pl.col("group").is_in(row["groups"]))
    units = units.select("unit", at=pl.int_range(pl.len(), dtype=pl.UInt32))
    island_pods = -(-row["island_units"] // row["pod_units"])
    seat = pl.col("at") % row["group_units"] * row["unit_slots"] + pl.col("place")
    island, within = pl.col("at") // row["island_units"], pl.col("at") % row["island_units"]
    return nodes.join(units, on="unit", how="inner", maintain_order="left").select(
        pl.exclude("at"),
        fabric_name=pl.lit(fabric),
        run=pl.col("at") // row["group_units"] + 1,
        seat=seat // row["group_nodes"] + 1,
        pod=island * island_pods + within // row["pod_units"] + 1,
        island=island + 1,
    )


def template(word: str, column: str) -> Template:
    """Name of a group: fabric, tier, number."""
    return (Part(column="fabric_name"), Part(f"-{word}-"), Part(column=column, width=4))


def leaf_template(plan: Plan, fabric: str) -> Template:
    """Name of a leaf group; its number within the unit only where a unit has several."""
    name = template("leaf", "run")
    return (*name, Part("-"), Part(column="seat", width=1)) if shape(plan, fabric)["leaf_groups"] > 1 else name
