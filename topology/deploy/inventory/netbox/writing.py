"""Objects as NetBox takes them: every name of something else becomes its id."""

from collections.abc import Mapping

import polars as pl

from topology.deploy.inventory.netbox.ground import MARKS
from topology.deploy.inventory.server.ground import Ground
from topology.deploy.inventory.server.objects import KINDS, custom_fields
from topology.deploy.inventory.server.references import ends, hung, ids, racked
from topology.deploy.inventory.server.rest import RestServer, Row

ACTIVE: Row = {"status": "active"}
BEGINS: Mapping[str, Row] = {  # of new objects only: afterwards it is the site's own
    "panels": {},
    "racks": ACTIVE,
    "feeds": ACTIVE,
    "devices": ACTIVE,
    "cables": {"status": "connected"},
}


def rows(server: RestServer, ground: Ground, owner: str, kind: str, wanted: pl.DataFrame) -> list[Row]:
    """One row per object of `wanted`, in its order, for a list of creations or, with ids, of changes.

    Raises:
        InventoryError: An object refers to something that is not there.
    """
    fields = _FIELDS[kind](server, ground, wanted)
    marks = custom_fields(owner, (*KINDS[kind].marks, *MARKS.get(kind, {})))
    return fields.select(*_SENT[kind], custom_fields=marks).to_dicts()


_SENT = {
    "panels": ("name", "site", "location"),
    "racks": ("name", "site", "location", "role", "u_height", "width"),
    "feeds": ("name", "power_panel", "rack", "phase", "amperage"),
    "devices": ("name", "site", "location", "rack", "position", "face", "role", "device_type"),
    "cables": ("a_terminations", "b_terminations"),
}


def _panels(server: RestServer, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    del server
    return wanted.with_columns(site=pl.lit(ground.site), location=ids(wanted["location"], ground.halls))


def _racks(server: RestServer, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    del server
    return wanted.with_columns(
        site=pl.lit(ground.site),
        location=ids(wanted["group"], ground.rows),
        role=ids(wanted["role"], ground.roles["racks"]),
        u_height="height_u",
        width=19,  # inches; a rack without a rack type must be told one
    )


def _feeds(server: RestServer, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    return hung(server, ground.site, wanted)


def _devices(server: RestServer, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    """A device stands where its rack stands."""
    return racked(server, ground.site, wanted).with_columns(
        site=pl.lit(ground.site),
        location=pl.coalesce("place", ids(wanted["location"], ground.halls)),
        role=ids(wanted["role"], ground.roles["devices"]),
        device_type=ids(wanted["type"], ground.types),
    )


def _cables(server: RestServer, ground: Ground, wanted: pl.DataFrame) -> pl.DataFrame:
    found = ends(server, ground.site, wanted)
    return found.with_columns(
        pl.concat_list(pl.struct(object_type=pl.lit("dcim.interface"), object_id=f"{end}_id")).alias(
            f"{end}_terminations"
        )
        for end in ("a", "b")
    )


_FIELDS = {"panels": _panels, "racks": _racks, "feeds": _feeds, "devices": _devices, "cables": _cables}
