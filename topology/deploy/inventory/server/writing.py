"""Objects as a server takes them: every name of something else becomes its id."""

import polars as pl

from topology.deploy.inventory.server.objects import SITE, custom_fields
from topology.deploy.inventory.server.prerequisites import Prerequisites
from topology.deploy.inventory.server.references import ids, with_panel_ids, with_port_ids, with_rack_ids
from topology.deploy.inventory.server.rest import RestServer, Row

RACK_WIDTH_INCHES = 19  # a server must be told one


def rows(server: RestServer, there: Prerequisites, owner: str, kind: str, wanted: pl.DataFrame) -> list[Row]:
    """One row per object of `wanted`, in its order, for a list of creations or, with ids, of changes.

    Raises:
        InventoryError: An object refers to something that is not there.
    """
    frame = _with_ids(server, there, kind, wanted).with_columns(site=pl.lit(there.site))
    sent = (*server.fields[kind], *server.also_sent.get(kind, ()))
    return frame.select(*sent, custom_fields=custom_fields(owner, server.marks(kind))).to_dicts()


def _with_ids(server: RestServer, there: Prerequisites, kind: str, wanted: pl.DataFrame) -> pl.DataFrame:
    """The objects with the fields of a server."""
    match kind:
        case "panels":
            return wanted.with_columns(location=ids(wanted["location"], there.places))
        case "racks":
            groups = ids(wanted["group"], there.rows)
            return wanted.with_columns(
                location=groups if server.rows_are_locations else ids(wanted["location"], there.places),
                rack_group=groups,
                role=ids(wanted["role"], there.roles["racks"]),
                u_height="height_u",
                width=RACK_WIDTH_INCHES,
            )
        case "feeds":
            return with_panel_ids(server, there.site, wanted)
        case "devices":  # a device stands where its rack stands
            return with_rack_ids(server, there.site, wanted).with_columns(
                location=pl.coalesce("place", ids(wanted["location"].fill_null(SITE), there.places)),
                role=ids(wanted["role"], there.roles["devices"]),
                device_type=ids(wanted["type"], there.types),
            )
        case _:
            return server.terminations(with_port_ids(server, there.site, wanted))
