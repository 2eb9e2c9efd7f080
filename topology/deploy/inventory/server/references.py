"""What new objects refer to: found on a server by name, or refused in one line."""

from collections.abc import Mapping

import polars as pl

from topology.deploy.inventory.error import InventoryError
from topology.deploy.inventory.server.objects import ENDPOINTS, KEY, OWNER, TEXT
from topology.deploy.inventory.server.rest import RestServer, Schema, ids_by_name, lists

CONTENT = {  # what servers call a kind, where a custom field or a role says what it is for
    "panels": "dcim.powerpanel",
    "racks": "dcim.rack",
    "feeds": "dcim.powerfeed",
    "devices": "dcim.device",
    "cables": "dcim.cable",
    "ports": "dcim.interface",
}
CHOICE = pl.Struct({"value": TEXT})
REFERENCE = pl.Struct({"id": TEXT})
MODELLED: Schema = {"id": TEXT, "model": TEXT, "manufacturer": REFERENCE}
NAMED: Schema = {"id": TEXT, "name": TEXT}
OWNED: Schema = {"id": TEXT, "custom_fields": pl.Struct({OWNER: TEXT, KEY: TEXT})}
PORTED: Schema = {**NAMED, "device": REFERENCE, "cable": REFERENCE}
PORT_TYPE = "other"  # the cards take either protocol, and optics are not part of the plan
DEVICES_OF_ONE_QUESTION = 20  # a switch has 64 ports and more


def ids(names: pl.Series, known: Mapping[str, str]) -> pl.Series:
    """The id of each name; null where it is not known."""
    return names.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.String)


def at_site(server: RestServer, kind: str, names: pl.Series, site: str, schema: Schema = NAMED) -> pl.DataFrame:
    """Objects of `kind` that stand at the site under one of `names`."""
    return server.read_each(ENDPOINTS[kind], schema, "name", names.drop_nulls(), **server.at(site))


def check_all_there(server: RestServer, what: str, wanted: pl.DataFrame, column: str, found: pl.DataFrame) -> None:
    """Refuse an object of `wanted` that refers to a name that the server has not, or has twice.

    Raises:
        InventoryError: With the first such object.
    """
    asked = wanted.filter(pl.col(column).is_not_null())
    missing = asked.filter(~pl.col(column).is_in(found["name"].implode())).sort("key")
    if missing.height:
        row = missing.row(0, named=True)
        raise InventoryError(
            f"{row['key']}: {server.name} has no {what} {row[column]} at this site", "deploy what brings it first"
        )
    twice = found.filter(pl.col("name").is_duplicated()).sort("name")
    if twice.height:
        raise InventoryError(f"{server.name} has two of {what} {twice['name'][0]} at this site", "remove one of them")


def with_panel_ids(server: RestServer, site: str, feeds: pl.DataFrame) -> pl.DataFrame:
    """`feeds` with `power_panel` and `rack` as ids.

    Raises:
        InventoryError: A panel or a rack is not there.
    """
    panels, racks = (at_site(server, f"{what}s", feeds[what], site) for what in ("panel", "rack"))
    check_all_there(server, "power panel", feeds, "panel", panels)
    check_all_there(server, "rack", feeds, "rack", racks)
    return feeds.with_columns(
        power_panel=ids(feeds["panel"], ids_by_name(panels)),
        rack=ids(feeds["rack"], ids_by_name(racks)),
    )


def with_rack_ids(server: RestServer, site: str, devices: pl.DataFrame) -> pl.DataFrame:
    """`devices` with `rack` as id, and `place`, the id of the location that the rack stands in; null outside of racks.

    Raises:
        InventoryError: A rack is not there.
    """
    racks = at_site(server, "racks", devices["rack"], site, {**NAMED, "location": REFERENCE})
    check_all_there(server, "rack", devices, "rack", racks)
    places = racks.select(rack="name", rack_id="id", place=pl.col("location").struct.field("id"))
    found = devices.join(places, on="rack", how="left", maintain_order="left")
    return found.with_columns(rack="rack_id").drop("rack_id")


def with_port_ids(server: RestServer, site: str, cables: pl.DataFrame) -> pl.DataFrame:
    """`cables` with the ids of both ports, `a_id` and `b_id`; ports that a device lacks are made.

    Raises:
        InventoryError: A device is not there, or a port has another cable already.
    """
    ports = _ports(server, site, cables)
    for end in ("a", "b"):
        named = ports.select(pl.all().name.prefix(f"{end}_"))
        cables = cables.join(named, on=[f"{end}_device", f"{end}_port"], how="left", maintain_order="left")
    return cables


def _ports(server: RestServer, site: str, cables: pl.DataFrame) -> pl.DataFrame:
    """Every end of `cables`: device, port, id."""
    both = pl.concat([cables.select("key", device=f"{end}_device", port=f"{end}_port") for end in ("a", "b")])
    devices = at_site(server, "devices", both["device"], site)
    check_all_there(server, "device", both, "device", devices)
    names = both["port"].unique().sort().to_list()
    parts = [
        server.read("dcim/interfaces", PORTED, **{server.filters["device"]: part}, name=names)
        for part in lists(devices["id"].sort().to_list(), DEVICES_OF_ONE_QUESTION)
    ]
    there = pl.concat([pl.DataFrame(schema=dict(PORTED)), *parts]).select(
        "id", device_id=pl.col("device").struct.field("id"), port="name", cable=pl.col("cable").struct.field("id")
    )
    found = both.join(devices.select(device="name", device_id="id"), on="device").join(
        there, on=["device_id", "port"], how="left"
    )
    _check_free(server, found.filter(pl.col("cable").is_not_null()).sort("key"))
    lacking = found.filter(pl.col("id").is_null()).select("device_id", "device", "port").unique().sort("device", "port")
    rows = lacking.select(device="device_id", name="port").to_dicts()
    made = server.create("dcim/interfaces", [{**row, "type": PORT_TYPE, **server.new_port} for row in rows])
    new = lacking.select("device", "port", id=pl.Series(made, dtype=pl.String))
    return pl.concat([found.filter(pl.col("id").is_not_null()).select("device", "port", "id"), new])


def _check_free(server: RestServer, taken: pl.DataFrame) -> None:
    """Refuse ports that have a cable already."""
    if taken.height:
        row = taken.row(0, named=True)
        found = server.read_each(ENDPOINTS["cables"], OWNED, "id", [row["cable"]])
        other = found["custom_fields"].struct.field(OWNER).drop_nulls()
        whose = f"a cable of {other[0]}" if other.len() else "a cable that no owner wrote"
        raise InventoryError(
            f"cable {row['key']}: port {row['port']} of {row['device']} has {whose} in it", "take that out first"
        )
