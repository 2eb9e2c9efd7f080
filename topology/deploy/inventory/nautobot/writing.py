"""Objects as Nautobot takes them: every name of something else becomes its id."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from topology.deploy.inventory.error import InventoryError
from topology.deploy.inventory.nautobot.ground import PORT_TYPE, Ground
from topology.deploy.inventory.nautobot.reading import ENDPOINTS, KEY, MARK, NAMED, OWNED, OWNER, REFERENCE
from topology.deploy.inventory.nautobot.server import Schema, Server, lists
from topology.deploy.inventory.objects import KINDS, SITE

ACTIVE = {"name": "Active"}
STATUS = {  # of new objects only: afterwards it is the site's own
    "panels": {},
    "racks": {"status": ACTIVE},
    "feeds": {"status": ACTIVE},
    "devices": {"status": ACTIVE},
    "cables": {"status": {"name": "Connected"}},
}
PORTED: Schema = {**NAMED, "device": REFERENCE, "cable": REFERENCE}
PLACED: Schema = {**NAMED, "location": REFERENCE}
DEVICES_OF_ONE_QUESTION = 20  # a switch has 64 ports and more


def rows(server: Server, ground: Ground, owner: str, kind: str, wanted: pl.DataFrame) -> list[dict[str, Any]]:
    """One row per object of `wanted`, in its order, for a list of creations or, with ids, of changes.

    Raises:
        InventoryError: An object refers to something that is not there.
    """
    fields = _FIELDS[kind](server, ground, wanted)
    marks = [pl.col(name).alias(f"{MARK}{name}") for name in KINDS[kind].marks]
    custom = pl.struct(pl.lit(owner).alias(OWNER), pl.col("key").alias(KEY), *marks)
    return fields.select(*_SENT[kind], custom_fields=custom).to_dicts()


def made(rows: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Rows of new objects, with the status that they begin with."""
    return [{**row, **STATUS[kind]} for row in rows]


_SENT = {
    "panels": ("name", "location", "power_path"),
    "racks": ("name", "location", "rack_group", "role", "u_height", "width"),
    "feeds": ("name", "power_panel", "rack", "power_path", "phase", "amperage"),
    "devices": ("name", "location", "rack", "position", "face", "role", "device_type"),
    "cables": ("termination_a_type", "termination_a_id", "termination_b_type", "termination_b_id"),
}


def _panels(server: Server, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    del server
    return wanted.with_columns(location=_ids(wanted["location"], ground.locations))


def _racks(server: Server, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    del server
    return wanted.with_columns(
        location=_ids(wanted["location"], ground.locations),
        rack_group=_ids(wanted["group"], ground.groups),
        role=_ids(wanted["role"], ground.roles),
        u_height="height_u",
        width=19,  # inches; a server must be told one
    )


def _feeds(server: Server, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    panels = server.read_each("dcim/power-panels", NAMED, "name", wanted["panel"], location=ground.site)
    racks = server.read_each("dcim/racks", NAMED, "name", wanted["rack"], location=ground.site)
    _all_there("power panel", wanted, "panel", panels)
    _all_there("rack", wanted, "rack", racks)
    return wanted.with_columns(
        power_panel=_ids(wanted["panel"], dict(panels.select("name", "id").iter_rows())),
        rack=_ids(wanted["rack"], dict(racks.select("name", "id").iter_rows())),
    )


def _devices(server: Server, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    """A device stands where its rack stands."""
    racks = server.read_each("dcim/racks", PLACED, "name", wanted["rack"].drop_nulls(), location=ground.site)
    _all_there("rack", wanted.filter(pl.col("rack").is_not_null()), "rack", racks)
    placed = racks.select(rack="name", rack_id="id", hall_id=pl.col("location").struct.field("id"))
    found = wanted.join(placed, on="rack", how="left", maintain_order="left")
    return found.with_columns(
        location=pl.coalesce("hall_id", _ids(wanted["location"].fill_null(SITE), ground.locations)),
        rack="rack_id",
        role=_ids(wanted["role"], ground.roles),
        device_type=_ids(wanted["type"], ground.types),
    )


def _cables(server: Server, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    ports = _ports(server, ground, wanted)
    for end in ("a", "b"):
        ids = ports.select(
            pl.col("device").alias(f"{end}_device"),
            pl.col("port").alias(f"{end}_port"),
            pl.col("id").alias(f"termination_{end}_id"),
        )
        wanted = wanted.join(ids, on=[f"{end}_device", f"{end}_port"], how="left", maintain_order="left")
    interface = pl.lit("dcim.interface")
    return wanted.with_columns(termination_a_type=interface, termination_b_type=interface)


def _ports(server: Server, ground: Ground, cables: pl.DataFrame) -> pl.DataFrame:
    """Every end of `cables`: device, port, id; ports that a device lacks are made.

    Raises:
        InventoryError: A device is not there, or a port has another cable already.
    """
    ends = pl.concat([cables.select("key", device=f"{end}_device", port=f"{end}_port") for end in ("a", "b")])
    devices = server.read_each("dcim/devices", NAMED, "name", ends["device"], location=ground.site)
    _all_there("device", ends, "device", devices)
    names = ends["port"].unique().sort().to_list()
    parts = [
        server.read("dcim/interfaces", PORTED, device=part, name=names)
        for part in lists(devices["id"].sort().to_list(), DEVICES_OF_ONE_QUESTION)
    ]
    there = pl.concat([pl.DataFrame(schema=dict(PORTED)), *parts]).select(
        "id", device_id=pl.col("device").struct.field("id"), port="name", cable=pl.col("cable").struct.field("id")
    )
    found = ends.join(devices.select(device="name", device_id="id"), on="device").join(
        there, on=["device_id", "port"], how="left"
    )
    _free(server, found.filter(pl.col("cable").is_not_null()).sort("key"))
    lacking = found.filter(pl.col("id").is_null()).select("device_id", "device", "port").unique().sort("device", "port")
    made = server.create(
        "dcim/interfaces",
        lacking.select(
            device="device_id", name="port", type=pl.lit(PORT_TYPE), status=pl.struct(name=pl.lit("Active"))
        ).to_dicts(),
    )
    new = lacking.select("device", "port", id=pl.Series(made, dtype=pl.String))
    return pl.concat([found.filter(pl.col("id").is_not_null()).select("device", "port", "id"), new])


def _free(server: Server, taken: pl.DataFrame) -> None:
    if taken.height:
        row = taken.row(0, named=True)
        found = server.read_each(ENDPOINTS["cables"], OWNED, "id", [row["cable"]])
        other = found["custom_fields"].struct.field(OWNER).drop_nulls()
        whose = f"a cable of {other[0]}" if other.len() else "a cable that no owner wrote"
        raise InventoryError(
            f"cable {row['key']}: port {row['port']} of {row['device']} has {whose} in it", "take that out first"
        )


def _ids(names: pl.Series, ids: Mapping[str, str]) -> pl.Series:
    return names.replace_strict(list(ids), list(ids.values()), default=None, return_dtype=pl.String)


def _all_there(what: str, wanted: pl.DataFrame, column: str, found: pl.DataFrame) -> None:
    """Refuse an object that refers to a name that Nautobot has not, or has twice."""
    missing = wanted.filter(~pl.col(column).is_in(found["name"].implode())).sort("key")
    if missing.height:
        row = missing.row(0, named=True)
        raise InventoryError(
            f"{row['key']}: Nautobot has no {what} {row[column]} at this site", "deploy what brings it first"
        )
    twice = found.filter(pl.col("name").is_duplicated()).sort("name")
    if twice.height:
        raise InventoryError(f"Nautobot has two of {what} {twice['name'][0]} at this site", "remove one of them")


_FIELDS = {"panels": _panels, "racks": _racks, "feeds": _feeds, "devices": _devices, "cables": _cables}
