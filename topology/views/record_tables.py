"""The data dictionary of records: what a site inventory is told, table by table.

A record says what stands where in words of the label only: natural keys, no row numbers of a plan. Every record
has one owner, such as `colossus/s1/unit-h100-0001`, which writes and removes all of its records together.
"""

from collections.abc import Mapping

import polars as pl

from topology.plan.tables import BY_NAME, Column, Table

Records = Mapping[str, pl.DataFrame]  # by table name

_STAGE = Column("stage", pl.String, "Stage that brings it.")
_FIRST_STAGE = Column("stage", pl.String, "First stage that rests on it; null: not said.", null=True)
_NAME = Column("name", pl.String, "Name on the label.")


def _as_told(column: Column) -> Column:
    """A column of the plan as records have it: labels for row numbers, texts for words, 64 bits for whole numbers."""
    if column.to or not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        return Column(column.name, pl.String, column.doc, null=column.null)
    dtype = pl.Int64 if column.dtype.is_integer() else column.dtype
    return Column(column.name, dtype, column.doc, null=column.null)


def _record(name: str, key: tuple[str, ...], columns: tuple[Column | str, ...], stage: Column = _STAGE) -> Table:
    """A table of records: columns of the plan's table by name, those that only records have, and the stage."""
    known = {column.name: _as_told(column) for column in BY_NAME[name].columns}
    told = tuple(known[column] if isinstance(column, str) else column for column in columns)
    return Table(name, BY_NAME[name].doc, key, (*told, stage))


_ROW = Column("row", pl.Int64, "Row in the hall, from 1.")
_LEVEL = Column("level", pl.Int64, "Level of the power tree, from 0 at the sources down.")
_ENDS = tuple(
    Column(f"{end}_{part}", pl.String, doc)
    for end, device in (("a", "Node, appliance or lower switch."), ("b", "Upper switch."))
    for part, doc in (("device", device), ("port", "Its port, as on the label."))
)
_FEED = ("rack", "side", "panel", "breaker", "circuits", "breaker_a", "phase", "capacity_w", "load_w")
_RECORDS = (  # in the order in which they are written: what a record refers to comes before it
    _record("sources", ("name",), ("name", "kind", "capacity_w", "units", "permitted"), _FIRST_STAGE),
    _record("power_nodes", ("name",), (_NAME, "kind", "side", "hall", _LEVEL, "rating_w")),
    _record("batteries", ("name", "bank"), ("name", "bank", "product", "units", "power_w", "energy_wh"), _FIRST_STAGE),
    _record("racks", ("name",), (_NAME, "hall", _ROW, "position", "role", "design", "height_u", "power_w")),
    _record("feeds", ("rack", "side"), _FEED),
    _record("switches", ("name",), (_NAME, "fabric", "plane", "tier", "product", "rack", "u")),
    _record("appliances", ("name",), (_NAME, "fabric", "product", "rack", "u")),
    _record("nodes", ("name",), (_NAME, "rack", "slot", "product", Column("gpus", pl.Int64, "GPUs in it."), "domain")),
    _record("cables", ("a_device", "a_port"), (*_ENDS, "fabric", "plane", "hop", "rate_gbps")),
)
TABLES: Mapping[str, Table] = {table.name: table for table in _RECORDS}
# Keys beside the natural one: two cables do not share a port at their upper end either.
ALSO_UNIQUE: Mapping[str, tuple[tuple[str, ...], ...]] = {"cables": (("b_device", "b_port"),)}


def unique_keys(table: Table) -> tuple[tuple[str, ...], ...]:
    """The sets of columns that name a record, the natural key first."""
    return (table.key, *ALSO_UNIQUE.get(table.name, ()))
