"""Which deployed resource each row of a plan belongs to.

A site is registered and deployed in coarse pieces that people name: a scalable unit, a pod of a
fabric, its core, one hall's side of the power tree, a battery bank. Every rack, node, switch,
cable, feed and device belongs to exactly one of them, and to the stage that brings it. A cable
belongs to the end nearer the nodes, so that the other end is always there before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import polars as pl

Tables = Mapping[str, pl.LazyFrame]  # of a plan, with the names that `plan.store` adds


def _numbered(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.zfill(4)


@dataclass(frozen=True, slots=True)
class Owners:
    """Owner of each row of the small tables; columns: the row number, what cables need, `owner`."""

    units: pl.DataFrame  # unit, owner
    switches: pl.DataFrame  # switch, owner
    appliances: pl.DataFrame  # appliance, owner
    racks: pl.DataFrame  # rack, owner
    power_nodes: pl.DataFrame  # power_node, owner
    batteries: pl.DataFrame  # battery, owner

    @classmethod
    def of(cls, tables: Tables) -> Self:
        """Owners in a whole plan, every stage of it; the same whichever stages exist."""
        units = tables["units"].select("unit", owner=pl.format("unit-{}", "name")).collect()
        switches = _switches(tables)
        appliances = _appliances(tables, switches)
        return cls(
            units=units,
            switches=switches,
            appliances=appliances,
            racks=_racks(tables, units, switches, appliances),
            power_nodes=_power_nodes(tables),
            batteries=tables["batteries"].select("battery", owner=pl.format("bank-{}-{}", "name", "bank")).collect(),
        )


def _switches(tables: Tables) -> pl.DataFrame:
    """Pod of every switch below a core, core of the others."""
    fabrics = tables["fabrics"].select("fabric", fabric_name="name")
    return (
        tables["switches"]
        .join(fabrics, on="fabric")
        .select("switch", owner=pl.format("{}-{}-p{}-{}", "piece", "fabric_name", "plane", _numbered("piece_number")))
        .sort("switch")
        .collect()
    )


def _appliances(tables: Tables, switches: pl.DataFrame) -> pl.DataFrame:
    """An appliance belongs to the pod of the first leaf it is cabled to."""
    return (
        tables["cables"]
        .filter(pl.col("a_table") == "appliances")
        .group_by("a")
        .agg(switch=pl.col("b").min())
        .join(switches.lazy(), on="switch")
        .select(appliance=pl.col("a"), owner="owner")
        .sort("appliance")
        .collect()
    )


def _racks(tables: Tables, units: pl.DataFrame, switches: pl.DataFrame, appliances: pl.DataFrame) -> pl.DataFrame:
    """A compute rack belongs to its unit; a network rack to the first, cores before pods, that has a box in it.

    The others are made after that one: an inventory server takes no switch into a rack that is not there yet.
    """
    seated = [
        tables[name].join(owners.lazy(), on=key).select("rack", "owner")
        for name, key, owners in (("switches", "switch", switches), ("appliances", "appliance", appliances))
    ]
    first = pl.concat(seated).group_by("rack").agg(seated=pl.col("owner").min())
    return (
        tables["racks"]
        .select("rack", "unit")
        .join(units.lazy(), on="unit", how="left")
        .join(first, on="rack", how="left")
        .select("rack", owner=pl.coalesce("owner", "seated"))
        .sort("rack")
        .collect()
    )


def _power_nodes(tables: Tables) -> pl.DataFrame:
    """A device belongs to its hall and side, or to the site."""
    halls = tables["halls"].select("hall", hall_name="name")
    side = pl.when(pl.col("side") == "").then(pl.lit("")).otherwise(pl.format("-{}", "side"))
    return (
        tables["power_nodes"]
        .join(halls, on="hall", how="left")
        .select("power_node", owner=pl.format("power-{}{}", pl.col("hall_name").fill_null("site"), side))
        .sort("power_node")
        .collect()
    )


def sizes(tables: Tables) -> pl.DataFrame:
    """Resources that each stage adds; columns stage, resources, sorted by stage."""
    owners = Owners.of(tables)
    upward = tables["cables"].filter(pl.col("a_table") == "switches").select("stage", switch="a").unique()
    rows = [
        tables[name].select("stage", key).join(owned.lazy(), on=key).select("stage", "owner")
        for name, key, owned in (
            ("units", "unit", owners.units),
            ("switches", "switch", owners.switches),
            ("racks", "rack", owners.racks),
            ("power_nodes", "power_node", owners.power_nodes),
            ("batteries", "battery", owners.batteries),
        )
    ]
    rows.append(upward.join(owners.switches.lazy(), on="switch").select("stage", "owner"))
    whole = pl.concat(rows).filter(pl.col("stage").is_not_null())
    return whole.group_by("stage").agg(resources=pl.col("owner").n_unique()).sort("stage").collect()
