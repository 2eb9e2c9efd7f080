"""What a site inventory is told: rows of the plan by natural key, each with its owner.

Row numbers mean nothing outside a plan, so ends of cables, racks and panels are names here. The
digest of an owner's records is the identity of a deployed resource: the same pieces in the same
places give the same digest, whatever else of the site changes.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Self

import numpy as np
import polars as pl

from topology.plan.tables import BY_NAME, Table
from topology.views.cable_ends import CableEnds
from topology.views.owners import Owners, Tables
from topology.views.record_tables import TABLES, Records

NAMES = ("halls", "racks", "nvlink_domains", "fabrics", "power_nodes")  # tables that records refer to by name
OWNED_BY = {  # the table whose owners a row has, where it is not its own
    "nodes": ("units", "unit"),
    "feeds": ("racks", "rack"),
}
SITE = "power-site"  # owner of what feeds the whole site


@dataclass(frozen=True, slots=True)
class Register:
    """The records of a plan, stage by stage."""

    tables: Tables
    owners: Owners
    ends: CableEnds
    looked_up: Mapping[tuple[str, str], tuple[str, pl.Series]]  # by table and column: values by a row number, and whose

    @classmethod
    def of(cls, tables: Tables) -> Self:
        """The records of a plan, given its tables with their names."""
        owners = Owners.of(tables)
        ends = CableEnds.of(tables, owners)
        node_gpus = pl.col("gpus").cast(pl.Int64) // pl.col("nodes").cast(pl.Int64)
        looked_up = _references(tables) | {
            ("racks", "row"): ("row", _column(tables, "rows", pl.col("number").cast(pl.Int64))),
            ("nodes", "gpus"): ("domain", _column(tables, "nvlink_domains", node_gpus)),
            ("switches", "name"): ("switch", ends.switches),
        }
        return cls(tables, owners, ends, looked_up)

    def stage(self, stage: int) -> dict[str, pl.DataFrame]:
        """Records that a stage adds to those before it: `owner`, then the columns; sorted by owner and key.

        All nine tables are there, some without a row. Texts of which a site has millions are Enums in alphabetical
        order here; `by_owner` gives every column in the dtype of the dictionary.
        """
        name = self.tables["stages"].filter(pl.col("stage") == stage).select("name").collect().item()
        found = {}
        for table, meaning in TABLES.items():
            rows = self.tables[table].filter(pl.col("stage") == stage).drop("stage")
            told = self._cables(rows) if table == "cables" else self._records(meaning, rows)
            order = self.ends.order() if table == "cables" else ["owner", *meaning.key]
            found[table] = told.with_columns(stage=pl.lit(name)).sort(order).collect()
        return found

    def _records(self, table: Table, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Records of some rows: the plan's columns of the same names, names in place of row numbers."""
        columns = {}
        for column in table.columns:
            if column.name != "stage":
                key, values = self.looked_up.get((table.name, column.name), ("", None))
                value = pl.col(column.name).cast(column.dtype) if values is None else pl.lit(values).gather(key)
                columns[column.name] = value
        if table.name == "sources":
            return rows.select(owner=pl.lit(SITE), **columns)
        owners, key = OWNED_BY.get(table.name, (table.name, BY_NAME[table.name].columns[0].name))
        return rows.join(getattr(self.owners, owners).lazy(), on=key).select("owner", **columns)

    def _cables(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        ends, end = self.ends, pl.col("end")
        return rows.with_columns(end=ends.number()).select(
            owner=pl.lit(ends.owners).gather(end),
            a_device=pl.lit(ends.devices).gather(end),
            a_port=ends.port("a", pl.lit(ends.cards).gather(end)),
            b_device=pl.lit(ends.switches).gather("b"),
            b_port=ends.port("b", pl.lit(0)),
            fabric=pl.lit(self.looked_up["cables", "fabric"][1]).gather("fabric"),
            plane=pl.col("plane").cast(pl.Int64),
            hop=pl.col("hop").cast(pl.String),
            rate_gbps=pl.col("rate_gbps").cast(pl.Int64),
        )


def by_owner(records: Records) -> Iterator[tuple[str, Records]]:
    """Each owner with its own records, without the column `owner` and without empty tables; sorted."""
    parts: dict[str, dict[str, pl.DataFrame]] = {}
    for table, frame in records.items():
        plain = frame.with_columns(pl.col(pl.Enum).cast(pl.String))
        for (owner,), rows in plain.partition_by("owner", as_dict=True, maintain_order=True).items():
            parts.setdefault(str(owner), {})[table] = rows.drop("owner")
    yield from sorted(parts.items())


def digest(records: Records) -> str:
    """SHA-256 of one owner's records, as 64 hexadecimal digits; it depends on no order of tables or rows."""
    named = {table: rows.with_columns(owner=pl.lit("")).sort(TABLES[table].key) for table, rows in records.items()}
    return digests(named).get("", hashlib.sha256().hexdigest())


def digests(whole: Records) -> dict[str, str]:
    """`digest` of every owner's records, by its name, for tables that are sorted by owner and key.

    A table is written once, and each owner's lines are cut out of it.
    """
    found: dict[str, Any] = {}
    for table, rows in sorted(whole.items()):
        buffer = BytesIO()
        rows.drop("owner").write_csv(buffer, null_value="~")
        text = buffer.getbuffer()
        ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1  # no record holds a line end
        owners = rows["owner"].rle()
        stops = np.cumsum(owners.struct["len"].to_numpy())
        for owner, first, stop in zip(owners.struct["value"], [0, *stops], stops, strict=False):
            whole_digest = found.setdefault(owner, hashlib.sha256())
            whole_digest.update(table.encode() + b"\n" + text[: ends[0]])
            whole_digest.update(text[ends[first] : ends[stop]])
    return {owner: each.hexdigest() for owner, each in sorted(found.items())}


def _references(tables: Tables) -> dict[tuple[str, str], tuple[str, pl.Series]]:
    """Names of what the columns of records refer to."""
    referred = {
        (table.name, column.name): column.to
        for table in TABLES.values()
        for column in BY_NAME[table.name].columns
        if column.to in NAMES and any(column.name == told.name for told in table.columns)
    }
    names = {table: _column(tables, table, pl.col("name")) for table in NAMES}
    return {at: (at[1], names[to]) for at, to in referred.items()}


def _column(tables: Tables, table: str, value: pl.Expr) -> pl.Series:
    """Values of a table by row number."""
    return tables[table].select(value.alias(table)).collect().to_series()
