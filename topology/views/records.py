"""What a site inventory is told: rows of the plan by natural key, each with its owner.

Row numbers mean nothing outside a plan, so ends of cables, racks and panels are names here. The
digest of an owner's records is the identity of a deployed resource: the same pieces in the same
places give the same digest, whatever else of the site changes.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Self

import numpy as np
import polars as pl

from topology.views.cable_ends import CableEnds
from topology.views.owners import Owners, Tables
from topology.views.record_tables import TABLES, Records


@dataclass(frozen=True, slots=True)
class Register:
    """The records of a plan, stage by stage."""

    tables: Tables
    owners: Owners
    ends: CableEnds
    fabrics: pl.Series  # names

    @classmethod
    def of(cls, tables: Tables) -> Self:
        """The records of a plan, given its tables with their names."""
        owners = Owners.of(tables)
        fabrics = tables["fabrics"].sort("fabric").select("name").collect().to_series()
        return cls(tables, owners, CableEnds.of(tables, owners), fabrics)

    def stage(self, stage: int) -> dict[str, pl.DataFrame]:
        """Records that a stage adds to those before it: `owner`, then the columns; sorted by owner and key.

        All nine tables are there, some without a row. Texts of which a site has millions are Enums in alphabetical
        order here; `by_owner` gives every column in the dtype of the dictionary.
        """
        name = self.tables["stages"].filter(pl.col("stage") == stage).select("name").collect().item()
        found = {}
        for table, meaning in TABLES.items():
            rows = _QUERIES[table](self, self.tables[table].filter(pl.col("stage") == stage))
            order = self.ends.order() if table == "cables" else ["owner", *meaning.key]
            found[table] = rows.with_columns(stage=pl.lit(name)).sort(order).collect()
        return found


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


def _racks(register: Register, rows: pl.LazyFrame) -> pl.LazyFrame:
    tables = register.tables
    return (
        rows.join(register.owners.racks.lazy(), on="rack")
        .join(tables["halls"].select("hall", hall_name="name"), on="hall")
        .join(tables["rows"].select("row", row_number="number"), on="row")
        .select(
            "owner",
            "name",
            hall="hall_name",
            row=pl.col("row_number").cast(pl.Int64),
            position=pl.col("position").cast(pl.Int64),
            role=pl.col("role").cast(pl.String),
            design="design",
            height_u=pl.col("height_u").cast(pl.Int64),
            power_w=pl.col("power_w").cast(pl.Int64),
        )
    )


def _nodes(register: Register, rows: pl.LazyFrame) -> pl.LazyFrame:
    tables = register.tables
    domains = tables["nvlink_domains"].select(
        "domain",
        domain_rack=pl.col("rack"),
        first="first_slot",
        node_gpus=pl.col("gpus").cast(pl.Int64) // pl.col("nodes").cast(pl.Int64),
    )
    racks = tables["racks"].select("rack", rack_name="name")
    return (
        rows.join(register.owners.units.lazy(), on="unit")
        .join(racks, on="rack")
        .join(domains, on="domain")
        .select(
            "owner",
            "name",
            "product",
            rack="rack_name",
            slot=pl.col("slot").cast(pl.Int64),
            gpus="node_gpus",
            domain=pl.format("{}-{}", "rack_name", "first"),
        )
        .select("owner", "name", "rack", "slot", "product", "gpus", "domain")
    )


def _boxes(register: Register, rows: pl.LazyFrame) -> pl.LazyFrame:
    tables = register.tables
    return rows.join(tables["fabrics"].select("fabric", fabric_name="name", fabric_switch="switch"), on="fabric").join(
        tables["racks"].select("rack", rack_name="name"), on="rack"
    )


def _switches(register: Register, rows: pl.LazyFrame) -> pl.LazyFrame:
    return _boxes(register, rows.join(register.owners.switches.lazy(), on="switch")).select(
        "owner",
        name=pl.lit(register.ends.switches).gather("switch"),
        fabric="fabric_name",
        plane=pl.col("plane").cast(pl.Int64),
        tier=pl.col("tier").cast(pl.String),
        product="fabric_switch",
        rack="rack_name",
        u=pl.col("u").cast(pl.Int64),
    )


def _appliances(register: Register, rows: pl.LazyFrame) -> pl.LazyFrame:
    return _boxes(register, rows.join(register.owners.appliances.lazy(), on="appliance")).select(
        "owner", "name", fabric="fabric_name", product="product", rack="rack_name", u=pl.col("u").cast(pl.Int64)
    )


def _cables(register: Register, rows: pl.LazyFrame) -> pl.LazyFrame:
    ends, end = register.ends, pl.col("end")
    return rows.with_columns(end=ends.number()).select(
        owner=pl.lit(ends.owners).gather(end),
        a_device=pl.lit(ends.devices).gather(end),
        a_port=ends.port("a", pl.lit(ends.cards).gather(end)),
        b_device=pl.lit(ends.switches).gather("b"),
        b_port=ends.port("b", pl.lit(0)),
        fabric=pl.lit(register.fabrics).gather("fabric"),
        plane=pl.col("plane").cast(pl.Int64),
        hop=pl.col("hop").cast(pl.String),
        rate_gbps=pl.col("rate_gbps").cast(pl.Int64),
    )


def _feeds(register: Register, rows: pl.LazyFrame) -> pl.LazyFrame:
    tables = register.tables
    return (
        rows.join(register.owners.racks.lazy(), on="rack")
        .join(tables["racks"].select("rack", rack_name="name"), on="rack")
        .join(tables["power_nodes"].select(panel="power_node", panel_name="name"), on="panel")
        .select(
            "owner",
            rack="rack_name",
            side="side",
            panel="panel_name",
            breaker=pl.col("breaker").cast(pl.Int64),
            circuits=pl.col("circuits").cast(pl.Int64),
            breaker_a="breaker_a",
            phase="phase",
            capacity_w=pl.col("capacity_w").cast(pl.Int64),
            load_w=pl.col("load_w").cast(pl.Int64),
        )
    )


def _power_nodes(register: Register, rows: pl.LazyFrame) -> pl.LazyFrame:
    halls = register.tables["halls"].select("hall", hall_name="name")
    return (
        rows.join(register.owners.power_nodes.lazy(), on="power_node")
        .join(halls, on="hall", how="left")
        .select(
            "owner",
            "name",
            "kind",
            "side",
            hall="hall_name",
            level=pl.col("level").cast(pl.Int64),
            rating_w=pl.col("rating_w").cast(pl.Int64),
        )
    )


def _sources(register: Register, rows: pl.LazyFrame) -> pl.LazyFrame:
    del register
    return rows.select(
        "name",
        "kind",
        "permitted",
        owner=pl.lit("power-site"),
        capacity_w=pl.col("capacity_w").cast(pl.Int64),
        units=pl.col("units").cast(pl.Int64),
    ).select("owner", "name", "kind", "capacity_w", "units", "permitted")


def _batteries(register: Register, rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.join(register.owners.batteries.lazy(), on="battery").select(
        "owner",
        "name",
        bank=pl.col("bank").cast(pl.Int64),
        product="product",
        units=pl.col("units").cast(pl.Int64),
        power_w=pl.col("power_w").cast(pl.Int64),
        energy_wh=pl.col("energy_wh").cast(pl.Int64),
    )


_QUERIES: Mapping[str, Callable[[Register, pl.LazyFrame], pl.LazyFrame]] = {
    "racks": _racks,
    "nodes": _nodes,
    "switches": _switches,
    "appliances": _appliances,
    "cables": _cables,
    "feeds": _feeds,
    "power_nodes": _power_nodes,
    "sources": _sources,
    "batteries": _batteries,
}
