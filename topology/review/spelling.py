"""Rows with the names people use in place of row numbers: what leaves a plan for another program."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from topology.plan import Plan, names, tables
from topology.plan.store import pointer
from topology.review.changes import GROUPED, POOLED, TABLES
from topology.review.matching import Rows


@dataclass(frozen=True)
class Spelling:
    """Names of every row of a plan, table by table, made when asked for."""

    plan: Plan

    def rows(self, table: str, rows: Rows) -> pl.DataFrame:
        """Some rows of a table: its name first where it has one, foreign keys as names, the origin as JSON Pointer.

        Row numbers are left out: they mean nothing outside a plan.
        """
        meant = TABLES[table]
        frame = self.plan.tables()[table][rows]
        columns = {}
        if table in self.names and "name" not in frame.columns:
            columns["name"] = self.names[table]().gather(pl.Series(rows))
        for column in meant.columns[0 if meant.columns[0].name in meant.key else 1 :]:
            columns[column.name] = self._column(table, column, frame)
        return pl.DataFrame([series.alias(name) for name, series in columns.items()])

    def _column(self, table: str, column: tables.Column, frame: pl.DataFrame) -> pl.Series:
        values, at = frame[column.name], (table, column.name)
        if at == ("cables", "a"):
            return self._lower(frame)
        if isinstance(column.dtype, pl.List):
            return values.list.eval(pl.lit(self.groups).gather(pl.element()))
        meant = self._meant(table, column)
        if meant is not None:
            return _gathered(meant, values)
        return values.cast(pl.String) if isinstance(values.dtype, pl.Enum) else values

    def _meant(self, table: str, column: tables.Column) -> pl.Series | None:
        """Names that a column of positions points into; None for a column of values."""
        if column.name == "origin":
            return pl.Series([pointer(path) for path in self.plan.origins], dtype=pl.String)
        if (table, column.name) in GROUPED:
            return self.groups
        if (table, column.name) in POOLED:
            return self.pools
        return self.of(column.to) if column.to else None

    def of(self, table: str) -> pl.Series:
        """Names of every row of a table that others point at, in row order."""
        made = self.names.get(table)
        return self.plan.tables()[table]["name"] if made is None else made()

    def _lower(self, cables: pl.DataFrame) -> pl.Series:
        """Device at the a end of cables: a card, an appliance or a switch."""
        parts = cables.select("a_table", "a").with_row_index("at").partition_by("a_table", as_dict=True)
        spelled = [part.select("at", name=_gathered(self.of(str(word)), part["a"])) for (word,), part in parts.items()]
        return pl.concat(spelled).sort("at")["name"] if spelled else pl.Series(dtype=pl.String)

    @cached_property
    def names(self) -> dict[str, Callable[[], pl.Series]]:
        """Maker of the names of each table that has no column of them."""
        return {
            "rows": lambda: self.floor_rows,
            "units": lambda: self.units,
            "cells": lambda: self.plan.cells["name"],
            "racks": lambda: self.racks,
            "nodes": lambda: self.nodes,
            "nics": lambda: self.nics,
            "nvlink_domains": lambda: self.domains,
            "switches": lambda: self.switches,
            "appliances": lambda: self.appliances,
            "power_nodes": lambda: self.power_nodes,
        }

    @cached_property
    def groups(self) -> pl.Series:
        """Compute groups by position in the spec."""
        return pl.Series([group.name for group in self.plan.spec.compute], dtype=pl.String)

    @cached_property
    def floor_rows(self) -> pl.Series:
        """Rows as `hall-row05`."""
        halls = _gathered(self.plan.halls["name"], self.plan.rows["hall"])
        number = self.plan.rows["number"].cast(pl.String).str.zfill(2)
        return pl.select(pl.format("{}-row{}", halls, number)).to_series()

    @cached_property
    def units(self) -> pl.Series:
        """Units as `group-unit0012`."""
        group = _gathered(self.groups, self.plan.units["group"])
        return pl.select(
            pl.format("{}-unit{}", group, self.plan.units["number"].cast(pl.String).str.zfill(4))
        ).to_series()

    @cached_property
    def racks(self) -> pl.Series:
        """Racks as on the label."""
        return names.rack_names(self.plan)

    @cached_property
    def nodes(self) -> pl.Series:
        """Nodes as hosts are called."""
        return names.node_names(self.plan)

    @cached_property
    def nics(self) -> pl.Series:
        """Cards as `node/compute3`."""
        nics = self.plan.nics
        node = _gathered(self.nodes, nics["node"])
        return pl.select(pl.format("{}/{}{}", node, nics["role"].cast(pl.String), nics["index"])).to_series()

    @cached_property
    def domains(self) -> pl.Series:
        """Domains by the first node in them."""
        rack = _gathered(self.racks, self.plan.nvlink_domains["rack"])
        return pl.select(pl.format("{}-slot{}", rack, self.plan.nvlink_domains["first_slot"])).to_series()

    @cached_property
    def switches(self) -> pl.Series:
        """Switches as on the label."""
        return names.switch_names(self.plan)

    @cached_property
    def appliances(self) -> pl.Series:
        """Appliances by fabric and number."""
        fabric = _gathered(self.plan.fabrics["name"], self.plan.appliances["fabric"])
        boxes = self.plan.appliances
        return pl.select(pl.format("{}-{}-{}", fabric, boxes["product"], boxes["index"])).to_series()

    @cached_property
    def power_nodes(self) -> pl.Series:
        """Devices of the power tree as on the label."""
        return names.power_node_names(self.plan)

    @cached_property
    def pools(self) -> pl.Series:
        """Pools by the first device of each."""
        first = self.plan.power_nodes.select("pool", name=self.power_nodes).unique("pool", keep="first")
        every = pl.DataFrame({"pool": pl.Series(range(int(first["pool"].max() or 0) + 1), dtype=pl.UInt32)})  # type: ignore[arg-type]
        return every.join(first, on="pool", how="left", maintain_order="left")["name"]


def _gathered(spelled: pl.Series, at: pl.Series) -> pl.Series:
    """Names at some positions; null where the position is."""
    if not len(at) or at.null_count() == len(at):
        return pl.Series(at.name, [None] * len(at), dtype=pl.String)
    return spelled.gather(at)
