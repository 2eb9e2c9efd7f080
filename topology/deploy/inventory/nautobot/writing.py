"""Objects as Nautobot takes them: every name of something else becomes its id."""

from collections.abc import Mapping

import polars as pl

from topology.deploy.inventory.nautobot.server import ACTIVE
from topology.deploy.inventory.server.ground import Ground
from topology.deploy.inventory.server.objects import KINDS, SITE, custom_fields
from topology.deploy.inventory.server.references import ends, hung, ids, racked
from topology.deploy.inventory.server.rest import RestServer, Row

BEGINS: Mapping[str, Row] = {  # of new objects only: afterwards it is the site's own
    "panels": {},
    "racks": ACTIVE,
    "feeds": ACTIVE,
    "devices": ACTIVE,
    "cables": {"status": {"name": "Connected"}},
}


def rows(server: RestServer, ground: Ground, owner: str, kind: str, wanted: pl.DataFrame) -> list[Row]:
    """One row per object of `wanted`, in its order, for a list of creations or, with ids, of changes.

    Raises:
        InventoryError: An object refers to something that is not there.
    """
    fields = _FIELDS[kind](server, ground, wanted)
    marks = custom_fields(owner, KINDS[kind].marks)
    return fields.select(*_SENT[kind], custom_fields=marks).to_dicts()


_SENT = {
    "panels": ("name", "location", "power_path"),
    "racks": ("name", "location", "rack_group", "role", "u_height", "width"),
    "feeds": ("name", "power_panel", "rack", "power_path", "phase", "amperage"),
    "devices": ("name", "location", "rack", "position", "face", "role", "device_type"),
    "cables": ("termination_a_type", "termination_a_id", "termination_b_type", "termination_b_id"),
}


def _panels(server: RestServer, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    del server
    return wanted.with_columns(location=_place(wanted["location"], ground))


def _racks(server: RestServer, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    del server
    return wanted.with_columns(
        location=_place(wanted["location"], ground),
        rack_group=ids(wanted["group"], ground.rows),
        role=ids(wanted["role"], ground.roles["racks"]),
        u_height="height_u",
        width=19,  # inches; a server must be told one
    )


def _feeds(server: RestServer, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    return hung(server, ground.site, wanted)


def _devices(server: RestServer, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    """A device stands where its rack stands."""
    return racked(server, ground.site, wanted).with_columns(
        location=pl.coalesce("place", _place(wanted["location"].fill_null(SITE), ground)),
        role=ids(wanted["role"], ground.roles["devices"]),
        device_type=ids(wanted["type"], ground.types),
    )


def _cables(server: RestServer, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    interface = pl.lit("dcim.interface")
    return (
        ends(server, ground.site, wanted)
        .rename({"a_id": "termination_a_id", "b_id": "termination_b_id"})
        .with_columns(termination_a_type=interface, termination_b_type=interface)
    )


def _place(locations: pl.Series, ground: Ground) -> pl.Series:
    """Ids of halls, and of the site: here all of them are locations."""
    return ids(locations, {SITE: ground.site, **ground.halls})


_FIELDS = {"panels": _panels, "racks": _racks, "feeds": _feeds, "devices": _devices, "cables": _cables}
