"""What a server holds for an owner, as objects: every reference by its name."""

import polars as pl

from topology.deploy.inventory.server.objects import ENDPOINTS, KEY, MARK, OWNER, TEXT, conform
from topology.deploy.inventory.server.references import CHOICE
from topology.deploy.inventory.server.rest import RestServer, Schema

COLUMNS = {"power_panel": "panel", "rack_group": "group", "u_height": "height_u", "device_type": "type"}  # by field


def read_objects(server: RestServer, kind: str, owner: str, site: str) -> pl.DataFrame:
    """Objects of one kind that carry `owner`: `id`, then the columns of the kind; sorted by key.

    `site` is the name of the site. A reference to something that is not there any more is null.
    """
    marks = {f"{MARK}{name}": dtype for name, dtype in server.marks(kind).items()}
    custom = pl.Struct({OWNER: TEXT, KEY: TEXT, **marks})
    schema: Schema = {"id": TEXT, **server.fields[kind], "custom_fields": custom}
    frame = server.read(ENDPOINTS[kind], schema, **{f"cf_{OWNER}": owner}).unnest("custom_fields")
    frame = frame.rename({KEY: "key", **{mark: mark.removeprefix(MARK) for mark in marks}})
    if frame.is_empty():
        return frame
    named = server.cable_ends(frame) if kind == "cables" else _with_columns(server, kind, frame, site)
    named = named.sort("key", maintain_order=True)
    return conform(kind, named).with_columns(id=named["id"])


def _with_columns(server: RestServer, kind: str, frame: pl.DataFrame, site: str) -> pl.DataFrame:
    """The frame with the columns of a kind, made of the fields of the server."""
    fields = [field for field in server.fields[kind] if field != "location"]
    columns = {COLUMNS.get(field, field): _column(server, frame, field) for field in fields}
    if kind == "racks" and server.rows_are_locations:
        columns["group"] = server.names(frame, "location")
    if kind == "devices":  # one in a rack has the rack's location; only one outside of racks says its own
        in_rack = frame["rack"].struct.field("id").is_not_null()
        outside = frame.with_columns(location=pl.when(~in_rack).then("location"))
        columns["location"] = server.locations(kind, outside, site).set(in_rack, None)
    elif "location" in server.fields[kind]:
        columns["location"] = server.locations(kind, frame, site)
    return frame.with_columns(**columns)


def _column(server: RestServer, frame: pl.DataFrame, field: str) -> pl.Series:
    """Values of a field: of a choice the word, empty where none is made; of a reference the name."""
    values = frame[field]
    if values.dtype == CHOICE:
        return values.struct.field("value").fill_null("")
    return server.names(frame, field) if isinstance(values.dtype, pl.Struct) else values
