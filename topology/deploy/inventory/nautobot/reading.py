"""What Nautobot holds for an owner, as objects: every reference by its name."""

from collections.abc import Mapping

import polars as pl

from topology.deploy.inventory.server.objects import ENDPOINTS, KEY, KINDS, MARK, OWNER, SITE, TEXT, shaped
from topology.deploy.inventory.server.products import type_name
from topology.deploy.inventory.server.references import NAMED, REFERENCE
from topology.deploy.inventory.server.rest import RestServer, Schema

CHOICE = pl.Struct({"value": TEXT})
FIELDS: Mapping[str, Mapping[str, pl.DataType]] = {  # of the server, by kind: those that objects are compared by
    "panels": {"name": TEXT, "location": REFERENCE, "power_path": CHOICE},
    "racks": {
        "name": TEXT,
        "location": REFERENCE,
        "rack_group": REFERENCE,
        "role": REFERENCE,
        "u_height": pl.Int64(),
    },
    "feeds": {
        "name": TEXT,
        "power_panel": REFERENCE,
        "rack": REFERENCE,
        "power_path": CHOICE,
        "phase": CHOICE,
        "amperage": pl.Int64(),
    },
    "devices": {
        "name": TEXT,
        "location": REFERENCE,
        "rack": REFERENCE,
        "face": CHOICE,
        "role": REFERENCE,
        "device_type": REFERENCE,
        "position": pl.Int64(),
    },
    "cables": {"termination_a_id": TEXT, "termination_b_id": TEXT},
}


def of_kind(server: RestServer, kind: str, owner: str, site: str) -> pl.DataFrame:
    """Objects of one kind that carry `owner`: `id`, then the columns of the kind; sorted by key.

    `site` is the name of the site's own location. A reference to something that is not there any more is null.
    """
    marks = {f"{MARK}{name}": dtype for name, dtype in KINDS[kind].marks.items()}
    custom = pl.Struct({OWNER: TEXT, KEY: TEXT, **marks})
    schema: Schema = {"id": TEXT, **FIELDS[kind], "custom_fields": custom}
    frame = server.read(ENDPOINTS[kind], schema, **{f"cf_{OWNER}": owner}).unnest("custom_fields")
    frame = frame.rename({KEY: "key", **{f"{MARK}{name}": name for name in KINDS[kind].marks}})
    if frame.is_empty():
        return frame
    named = _NAMED[kind](server, frame.with_columns(_site=pl.lit(site))).sort("key", maintain_order=True)
    return shaped(kind, named).with_columns(id=named["id"])


def _panels(server: RestServer, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(location=_location(server, frame), power_path=_choice("power_path"))


def _racks(server: RestServer, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        location=_location(server, frame),
        group=_names(server, frame, "rack_group", "dcim/rack-groups"),
        role=_names(server, frame, "role", "extras/roles"),
        height_u="u_height",
    )


def _feeds(server: RestServer, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        panel=_names(server, frame, "power_panel", "dcim/power-panels"),
        rack=_names(server, frame, "rack", "dcim/racks"),
        power_path=_choice("power_path"),
        phase=_choice("phase"),
    )


def _devices(server: RestServer, frame: pl.DataFrame) -> pl.DataFrame:
    """A device in a rack has the rack's location; only one outside of racks says its own."""
    racked = pl.col("rack").struct.field("id").is_not_null()
    nowhere = pl.lit(None, REFERENCE)
    outside = frame.with_columns(location=pl.when(racked).then(nowhere).otherwise("location"))
    return frame.with_columns(
        location=_location(server, outside),
        rack=_names(server, frame, "rack", "dcim/racks"),
        role=_names(server, frame, "role", "extras/roles"),
        type=_types(server, frame),
        face=_choice("face"),
    )


def _cables(server: RestServer, frame: pl.DataFrame) -> pl.DataFrame:
    """The ends of a cable are ids of interfaces, whose devices have the names."""
    ids = pl.concat([frame["termination_a_id"], frame["termination_b_id"]]).drop_nulls()
    schema: Schema = {**NAMED, "device": REFERENCE}
    ports = server.read_each("dcim/interfaces", schema, "id", ids)
    ports = ports.with_columns(device=_names(server, ports, "device", "dcim/devices"))
    for end in ("a", "b"):
        named = ports.select(
            pl.col("id").alias(f"termination_{end}_id"), **{f"{end}_device": "device", f"{end}_port": "name"}
        )
        frame = frame.join(named, on=f"termination_{end}_id", how="left", maintain_order="left")
    return frame


_NAMED = {"panels": _panels, "racks": _racks, "feeds": _feeds, "devices": _devices, "cables": _cables}


def _names(server: RestServer, frame: pl.DataFrame, column: str, endpoint: str) -> pl.Series:
    """Names of what `column` refers to; null where it refers to nothing."""
    ids = frame[column].struct.field("id")
    named = server.read_each(endpoint, NAMED, "id", ids.drop_nulls())
    return ids.replace_strict(named["id"], named["name"], default=None, return_dtype=pl.String)


def _location(server: RestServer, frame: pl.DataFrame) -> pl.Series:
    """Halls by their names, and the site itself."""
    names = _names(server, frame, "location", "dcim/locations")
    return names.set(names == frame["_site"], SITE)


def _types(server: RestServer, frame: pl.DataFrame) -> pl.Series:
    ids = frame["device_type"].struct.field("id")
    schema: Schema = {"id": TEXT, "model": TEXT, "manufacturer": REFERENCE}
    types = server.read_each("dcim/device-types", schema, "id", ids.drop_nulls())
    makers = _names(server, types, "manufacturer", "dcim/manufacturers")
    names = [type_name(maker, model) for maker, model in zip(makers, types["model"], strict=True)]
    return ids.replace_strict(types["id"], pl.Series(names, dtype=pl.String), default=None, return_dtype=pl.String)


def _choice(column: str) -> pl.Expr:
    """The value of a choice; empty where none is made."""
    return pl.col(column).struct.field("value").fill_null("")
