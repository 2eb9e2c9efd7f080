"""Records as the objects of an inventory server: what a server has a word for, and marks for the rest.

One place decides how records are modelled, so that every server holds the same site:

- A source or a device of the power tree is a power panel, a rack's feed a power feed of it. Servers know panels
  and feeds; a tree of panels is what they have for a power tree.
- A node, a switch, an appliance and a bank of batteries is a device. Nodes have no rack unit, because a rack
  design says which slot a node takes and not at which height.
- What no field of a server holds (stage, plane, slot, watts) becomes a mark, a custom field of the object.

Objects refer to each other by name here. `key` is the natural key of the record and stays on the object, so that
one that was renamed by hand is found again.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from topology.catalog.model import Catalog
from topology.deploy.inventory.records import TABLES
from topology.deploy.inventory.server.products import type_names

Objects = Mapping[str, pl.DataFrame]  # by kind; columns: key, those of the kind, its marks; sorted by key

TEXT, NUMBER, TRUTH = pl.String(), pl.Int64(), pl.Boolean()
MARK = "topology_"  # what our custom fields begin with
OWNER, KEY = f"{MARK}owner", f"{MARK}key"
SITE = ""  # the location that is the site itself; halls go by their names
BATTERY_ROLE = "battery-bank"
NODE_ROLE = "compute-node"
APPLIANCE_ROLE = "appliance"


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """A kind of object: what the server's own fields hold of it, and its marks."""

    columns: Mapping[str, pl.DataType]
    marks: Mapping[str, pl.DataType]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Columns of a frame of such objects."""
        return {"key": TEXT, **self.columns, **self.marks}


def _texts(*names: str) -> dict[str, pl.DataType]:
    return dict.fromkeys(names, TEXT)


def _numbers(*names: str) -> dict[str, pl.DataType]:
    return dict.fromkeys(names, NUMBER)


# In the order in which they are made: what an object refers to comes before it.
KINDS: Mapping[str, ObjectKind] = {
    "panels": ObjectKind(
        _texts("name", "location", "power_path"),
        {
            **_texts("kind", "stage"),
            **_numbers("level", "rating_w", "capacity_w", "units"),
            "permitted": TRUTH,
        },
    ),
    "racks": ObjectKind(
        {**_texts("name", "location", "group", "role"), **_numbers("height_u")},
        {**_texts("design", "stage"), **_numbers("position", "power_w")},
    ),
    "feeds": ObjectKind(
        {**_texts("name", "panel", "rack", "power_path", "phase"), **_numbers("amperage")},
        {**_texts("breaker_a", "phases", "stage"), **_numbers("breaker", "circuits", "capacity_w", "load_w")},
    ),
    "devices": ObjectKind(
        {**_texts("name", "location", "rack", "face", "role", "type"), **_numbers("position")},
        {
            **_texts("product", "domain", "fabric", "stage"),
            **_numbers("slot", "gpus", "plane", "units", "power_w", "energy_wh"),
        },
    ),
    "cables": ObjectKind(
        _texts("a_device", "a_port", "b_device", "b_port"),
        {**_texts("fabric", "hop", "stage"), **_numbers("plane", "rate_gbps")},
    ),
}


ENDPOINTS = {  # Nautobot took them over from NetBox
    "panels": "dcim/power-panels",
    "racks": "dcim/racks",
    "feeds": "dcim/power-feeds",
    "devices": "dcim/devices",
    "cables": "dcim/cables",
}


def objects(records: Mapping[str, pl.DataFrame], catalog: Catalog) -> dict[str, pl.DataFrame]:
    """Objects of checked records, by kind in the order in which they are made; kinds without any are left out.

    Raises:
        InventoryError: A product is in no catalogue.
    """
    given = {name: records.get(name, table.empty()) for name, table in TABLES.items()}
    made = {
        "panels": _panels(given),
        "racks": _racks(given["racks"]),
        "feeds": _feeds(given["feeds"]),
        "devices": _devices(given, catalog),
        "cables": _cables(given["cables"]),
    }
    return {kind: conform(kind, frame) for kind, frame in made.items() if frame.height}


def conform(kind: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of `kind` in order and dtype, null where the frame has none; sorted by key."""
    schema = KINDS[kind].schema
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    ).sort("key", maintain_order=True)


def custom_fields(owner: str, marks: Iterable[str]) -> pl.Expr:
    """The custom fields of objects: whose they are, their keys and `marks`."""
    columns = [pl.col(name).alias(f"{MARK}{name}") for name in marks]
    return pl.struct(pl.lit(owner).alias(OWNER), pl.col("key").alias(KEY), *columns)


def digest(there: Objects) -> str:
    """SHA-256 of objects, as hex: the token of what a server holds."""
    rows = {
        kind: there[kind].select(list(described.schema)).rows()  # without the ids that a server gives
        for kind, described in KINDS.items()
        if kind in there and there[kind].height
    }
    return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()


def row_name(hall: pl.Expr, row: pl.Expr) -> pl.Expr:
    """Name of a row of racks: `h1-row01`."""
    return pl.format("{}-row{}", hall, row.cast(pl.String).str.zfill(2))


def _panels(given: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    sources = given["sources"].with_columns(hall=pl.lit(SITE), side=pl.lit(""))
    both = pl.concat([sources, given["power_nodes"].with_columns(pl.col("hall").fill_null(SITE))], how="diagonal")
    return both.with_columns(key="name", location="hall", power_path=pl.col("side").str.to_lowercase())


def _racks(racks: pl.DataFrame) -> pl.DataFrame:
    return racks.with_columns(key="name", location="hall", group=row_name(pl.col("hall"), pl.col("row")))


def _feeds(feeds: pl.DataFrame) -> pl.DataFrame:
    """A field takes whole amperes; the mark has the rating itself."""
    return feeds.with_columns(
        key=pl.format("{} {}", "rack", "side"),
        name=pl.format("{}-{}", "rack", "side"),
        power_path=pl.col("side").str.to_lowercase(),
        amperage=pl.col("breaker_a").ceil().cast(pl.Int64),
        breaker_a=pl.col("breaker_a").cast(pl.String),
        phases="phase",
        phase=pl.when(pl.col("phase") == "L1-L2-L3").then(pl.lit("three-phase")).otherwise(pl.lit("single-phase")),
    )


def _devices(given: Mapping[str, pl.DataFrame], catalog: Catalog) -> pl.DataFrame:
    banks = given["batteries"].with_columns(
        name=pl.format("{}-{}", "name", "bank"), role=pl.lit(BATTERY_ROLE), location=pl.lit(SITE)
    )
    parts = [
        given["nodes"].with_columns(role=pl.lit(NODE_ROLE)),
        given["switches"].with_columns(role=pl.col("tier"), position="u"),
        given["appliances"].with_columns(role=pl.lit(APPLIANCE_ROLE), position="u"),
        banks,
    ]
    both = pl.concat([part for part in parts if part.height] or parts, how="diagonal")
    types = type_names(both["product"].unique().sort().to_list(), catalog)
    position = pl.col("position") if "position" in both.columns else pl.lit(None, pl.Int64)
    return both.with_columns(
        key="name",
        type=pl.col("product").replace_strict(list(types), list(types.values()), return_dtype=pl.String),
        face=pl.when(position.is_null()).then(pl.lit("")).otherwise(pl.lit("front")),
    )


def _cables(cables: pl.DataFrame) -> pl.DataFrame:
    return cables.with_columns(key=pl.format("{} {}", "a_device", "a_port"))
