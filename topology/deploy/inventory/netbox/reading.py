"""What NetBox holds for an owner, as objects: every reference comes with its name."""

from collections.abc import Mapping

import polars as pl

from topology.deploy.inventory.netbox.ground import MARKS
from topology.deploy.inventory.server.objects import ENDPOINTS, KEY, KINDS, MARK, OWNER, SITE, TEXT, shaped
from topology.deploy.inventory.server.products import type_name
from topology.deploy.inventory.server.references import NAMED
from topology.deploy.inventory.server.rest import RestServer, Schema

NAMED_REFERENCE = pl.Struct(NAMED)
CHOICE = pl.Struct({"value": TEXT})
TYPE = pl.Struct({"model": TEXT, "manufacturer": pl.Struct({"name": TEXT})})
END = pl.List(pl.Struct({"object": pl.Struct({"name": TEXT, "device": NAMED_REFERENCE})}))
FIELDS: Mapping[str, Schema] = {  # of the server, by kind: those that objects are compared by
    "panels": {"name": TEXT, "location": NAMED_REFERENCE},
    "racks": {"name": TEXT, "location": NAMED_REFERENCE, "role": NAMED_REFERENCE, "u_height": pl.Int64()},
    "feeds": {
        "name": TEXT,
        "power_panel": NAMED_REFERENCE,
        "rack": NAMED_REFERENCE,
        "phase": CHOICE,
        "amperage": pl.Int64(),
    },
    "devices": {
        "name": TEXT,
        "location": NAMED_REFERENCE,
        "rack": NAMED_REFERENCE,
        "face": CHOICE,
        "role": NAMED_REFERENCE,
        "device_type": TYPE,
        "position": pl.Float64(),  # rack units, of which NetBox knows halves
    },
    "cables": {"a_terminations": END, "b_terminations": END},
}


def of_kind(server: RestServer, kind: str, owner: str) -> pl.DataFrame:
    """Objects of one kind that carry `owner`: `id`, then the columns of the kind; sorted by key.

    A reference to something that is not there any more is null.
    """
    marks = {f"{MARK}{name}": dtype for name, dtype in {**KINDS[kind].marks, **MARKS.get(kind, {})}.items()}
    custom = pl.Struct({OWNER: TEXT, KEY: TEXT, **marks})
    schema: Schema = {"id": TEXT, **FIELDS[kind], "custom_fields": custom}
    frame = server.read(ENDPOINTS[kind], schema, **{f"cf_{OWNER}": owner}).unnest("custom_fields")
    frame = frame.rename({KEY: "key", **{mark: mark.removeprefix(MARK) for mark in marks}})
    if frame.is_empty():
        return frame
    named = _NAMED[kind](server, frame).sort("key", maintain_order=True)
    return shaped(kind, named).with_columns(id=named["id"])


def _panels(server: RestServer, frame: pl.DataFrame) -> pl.DataFrame:
    del server
    return frame.with_columns(location=_name("location").fill_null(SITE))


def _racks(server: RestServer, frame: pl.DataFrame) -> pl.DataFrame:
    """A rack stands in a row, the row in a hall."""
    rows = frame["location"].struct.field("id")
    schema: Schema = {"id": TEXT, "parent": NAMED_REFERENCE}
    found = server.read_each("dcim/locations", schema, "id", rows.drop_nulls())
    halls = found["parent"].struct.field("name")
    return frame.with_columns(
        location=rows.replace_strict(found["id"], halls, default=None, return_dtype=pl.String),
        group=_name("location"),
        role=_name("role"),
        height_u="u_height",
    )


def _feeds(server: RestServer, frame: pl.DataFrame) -> pl.DataFrame:
    del server
    return frame.with_columns(panel=_name("power_panel"), rack=_name("rack"), phase=_choice("phase"))


def _devices(server: RestServer, frame: pl.DataFrame) -> pl.DataFrame:
    """A device in a rack has the rack's location; only one outside of racks says its own."""
    del server
    racked = _name("rack").is_not_null()
    maker = pl.col("device_type").struct.field("manufacturer").struct.field("name")
    return frame.with_columns(
        location=pl.when(~racked).then(_name("location").fill_null(SITE)),
        rack=_name("rack"),
        role=_name("role"),
        type=pl.format(type_name("{}", "{}"), maker, pl.col("device_type").struct.field("model")),
        face=_choice("face"),
    )


def _cables(server: RestServer, frame: pl.DataFrame) -> pl.DataFrame:
    """A cable may have several ends on a side in NetBox; ours has one."""
    del server
    ends = {}
    for end in ("a", "b"):
        port = pl.col(f"{end}_terminations").list.get(0, null_on_oob=True).struct.field("object")
        one = pl.when(pl.col(f"{end}_terminations").list.len() == 1)
        ends[f"{end}_device"] = one.then(port.struct.field("device").struct.field("name"))
        ends[f"{end}_port"] = one.then(port.struct.field("name"))
    return frame.with_columns(**ends)


_NAMED = {"panels": _panels, "racks": _racks, "feeds": _feeds, "devices": _devices, "cables": _cables}


def _name(column: str) -> pl.Expr:
    """Name of what `column` refers to; null where it refers to nothing."""
    return pl.col(column).struct.field("name")


def _choice(column: str) -> pl.Expr:
    """The value of a choice; empty where none is made."""
    return pl.col(column).struct.field("value").fill_null("")
