"""The data dictionary of records: what a site inventory is told, table by table.

A record says what stands where in words of the label only: natural keys, no row numbers of a plan. Every record
has one owner, such as `colossus/s1/unit-h100-0001`, which writes and removes all of its records together.
"""

from collections.abc import Mapping

import polars as pl

from topology.plan.tables import Column, Table

Records = Mapping[str, pl.DataFrame]  # by table name

_STAGE = Column("stage", pl.String, "Stage that brings it.")
_FIRST_STAGE = Column("stage", pl.String, "First stage that rests on it; null: not said.", null=True)
_RACK = Column("rack", pl.String, "Rack it stands in.", "racks")
_U = Column("u", pl.Int64, "Lowest rack unit it takes, from 1.")
_PRODUCT = Column("product", pl.String, "Catalogue slug.")
_FABRIC = Column("fabric", pl.String, "Fabric it belongs to.")

RACKS = Table(
    "racks",
    "A rack at its place.",
    ("name",),
    (
        Column("name", pl.String, "Name on the label."),
        Column("hall", pl.String, "Hall it stands in."),
        Column("row", pl.Int64, "Row in the hall, from 1."),
        Column("position", pl.Int64, "Position in the row, from 1."),
        Column("role", pl.String, "compute or network."),
        Column("design", pl.String, "Catalogue slug of the rack design; empty for a network rack."),
        Column("height_u", pl.Int64, "Rack units it has."),
        Column("power_w", pl.Int64, "Catalogue maximum of everything in it."),
        _STAGE,
    ),
)

NODES = Table(
    "nodes",
    "A server or compute tray.",
    ("name",),
    (
        Column("name", pl.String, "Host name."),
        _RACK,
        Column("slot", pl.Int64, "Slot in the rack, from 1, bottom up."),
        _PRODUCT,
        Column("gpus", pl.Int64, "GPUs in it."),
        Column("domain", pl.String, "Name of its NVLink domain."),
        _STAGE,
    ),
)

SWITCHES = Table(
    "switches",
    "A fabric switch.",
    ("name",),
    (
        Column("name", pl.String, "Name on the label."),
        _FABRIC,
        Column("plane", pl.Int64, "Plane, from 1."),
        Column("tier", pl.String, "leaf, spine or core."),
        _PRODUCT,
        _RACK,
        _U,
        _STAGE,
    ),
)

APPLIANCES = Table(
    "appliances",
    "A box on a fabric that is neither node nor switch, such as a subnet manager.",
    ("name",),
    (Column("name", pl.String, "Name on the label."), _FABRIC, _PRODUCT, _RACK, _U, _STAGE),
)

CABLES = Table(
    "cables",
    "A cable and its two ends; `a` is the end nearer the nodes. A port takes one cable.",
    ("a_device", "a_port"),
    (
        Column("a_device", pl.String, "Node, appliance or lower switch."),
        Column("a_port", pl.String, "Its port, as on the label."),
        Column("b_device", pl.String, "Upper switch."),
        Column("b_port", pl.String, "Its port, as on the label."),
        _FABRIC,
        Column("plane", pl.Int64, "Plane, from 1."),
        Column("hop", pl.String, "Tiers it joins."),
        Column("rate_gbps", pl.Int64, "Line rate."),
        _STAGE,
    ),
)

FEEDS = Table(
    "feeds",
    "One side of a rack's supply.",
    ("rack", "side"),
    (
        _RACK,
        Column("side", pl.String, "A or B."),
        Column("panel", pl.String, "Device of the power tree whose breakers it uses.", "power_nodes"),
        Column("breaker", pl.Int64, "First breaker position on the panel, from 1."),
        Column("circuits", pl.Int64, "Circuits, alike."),
        Column("breaker_a", pl.Float64, "Rating of each breaker, amperes."),
        Column("phase", pl.String, "Phases of its circuits, such as L1-L2-L3."),
        Column("capacity_w", pl.Int64, "Power all circuits carry all day."),
        Column("load_w", pl.Int64, "Power when the other side is down."),
        _STAGE,
    ),
)

POWER_NODES = Table(
    "power_nodes",
    "A device of the power tree.",
    ("name",),
    (
        Column("name", pl.String, "Name on the label."),
        Column("kind", pl.String, "substation, transformer, ups, busway and so on."),
        Column("side", pl.String, "A or B; empty where one device serves both."),
        Column("hall", pl.String, "Hall it stands in; null for the whole site.", null=True),
        Column("level", pl.Int64, "Level, from 0 at the sources down."),
        Column("rating_w", pl.Int64, "Power it may carry all day."),
        _STAGE,
    ),
)

SOURCES = Table(
    "sources",
    "A utility connection or a power plant.",
    ("name",),
    (
        Column("name", pl.String, "Name in the spec."),
        Column("kind", pl.String, "utility, turbine, generator, fuel-cell or solar."),
        Column("capacity_w", pl.Int64, "Power it gives, all units together."),
        Column("units", pl.Int64, "Machines that fail one by one."),
        Column("permitted", pl.Boolean, "Its permit is granted."),
        _FIRST_STAGE,
    ),
)

BATTERIES = Table(
    "batteries",
    "A bank of batteries.",
    ("name", "bank"),
    (
        Column("name", pl.String, "Name in the spec."),
        Column("bank", pl.Int64, "Number of the bank, from 1."),
        _PRODUCT,
        Column("units", pl.Int64, "Units."),
        Column("power_w", pl.Int64, "Power of all units."),
        Column("energy_wh", pl.Int64, "Energy of all units."),
        _FIRST_STAGE,
    ),
)

# In the order in which they are written: what a record refers to comes before it.
TABLES: Mapping[str, Table] = {
    table.name: table for table in (SOURCES, POWER_NODES, BATTERIES, RACKS, FEEDS, SWITCHES, APPLIANCES, NODES, CABLES)
}
# Keys beside the natural one: two cables do not share a port at their upper end either.
ALSO_UNIQUE: Mapping[str, tuple[tuple[str, ...], ...]] = {"cables": (("b_device", "b_port"),)}


def unique_keys(table: Table) -> tuple[tuple[str, ...], ...]:
    """The sets of columns that name a record, the natural key first."""
    return (table.key, *ALSO_UNIQUE.get(table.name, ()))
