"""NetBox through pynetbox: a site, its halls as locations, and in each hall its rows as locations."""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

import polars as pl
import pynetbox  # type: ignore[import-untyped]
from pynetbox.core.query import (  # type: ignore[import-untyped]
    AllocationError,
    ContentError,
    Request,
    RequestError,
)

from topology.deploy.inventory.error import InventoryError
from topology.deploy.inventory.server.objects import SITE, TEXT
from topology.deploy.inventory.server.products import DeviceType, type_name
from topology.deploy.inventory.server.references import CHOICE, CONTENT, NAMED, REFERENCE
from topology.deploy.inventory.server.rest import RestServer, Row, Schema, ids_by_name
from topology.deploy.inventory.server.settings import ServerSettings

SLUG_CHARACTERS = 100
ACTIVE: Row = {"status": "active"}
ROLES = {"racks": "dcim/rack-roles", "devices": "dcim/device-roles"}
NAMED_REFERENCE = pl.Struct(NAMED)
TYPE = pl.Struct({"model": TEXT, "manufacturer": pl.Struct({"name": TEXT})})
END = pl.List(pl.Struct({"object": pl.Struct({"name": TEXT, "device": NAMED_REFERENCE})}))


class Netbox(RestServer):
    """One NetBox."""

    name = "NetBox"
    filters: ClassVar = {
        "site": "site_id",
        "panel": "power_panel_id",
        "rack": "rack_id",
        "type": "device_type_id",
        "device": "device_id",
        "cabled device": "device_id",
    }
    content = "object_types"
    field_name = "name"
    field_group = "group_name"
    new_port: ClassVar = {}
    begins: ClassVar = {"racks": ACTIVE, "feeds": ACTIVE, "devices": ACTIVE, "cables": {"status": "connected"}}
    fields: ClassVar = {
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
    also_sent: ClassVar = {"panels": ("site",), "racks": ("site", "width"), "devices": ("site",)}
    more_marks: ClassVar = {"panels": {"power_path": TEXT}, "feeds": {"power_path": TEXT}}
    request = Request
    refused: ClassVar = (RequestError, AllocationError)  # the second is a POST that conflicts with something
    unreadable = ContentError

    def __init__(self, settings: ServerSettings) -> None:
        api = pynetbox.api(settings.url, token=settings.token.text)
        api.http_session.verify = settings.ca_file or True
        super().__init__(settings, api)

    def page(self, schema: Schema) -> Mapping[str, str]:
        """Pages of 1,000 (the longest it gives), and no field that is not asked for."""
        return {"limit": "1000", "fields": ",".join(schema)}

    def new_named(self, name: str) -> Row:
        """A new thing that has nothing but a name."""
        return {"name": name, "slug": slug(name)}

    def new_device_type(self, product: DeviceType) -> Row:
        """A new device type, without its maker."""
        name = type_name(product.manufacturer, product.model)
        return {"model": product.model, "slug": slug(name), "u_height": product.height_u}

    def delete(self, endpoint: str, ids: Sequence[str]) -> None:
        """Delete objects; one that is gone already would have the whole list refused, so it is asked for first."""
        super().delete(endpoint, self.read_each(endpoint, {"id": TEXT}, "id", ids)["id"].to_list())

    def names(self, frame: pl.DataFrame, field: str) -> pl.Series:
        """Names of what `field` refers to; every reference comes with its name."""
        if field == "device_type":
            model = pl.col(field).struct
            maker = model.field("manufacturer").struct.field("name")
            return frame.select(pl.format(type_name("{}", "{}"), maker, model.field("model"))).to_series()
        return frame[field].struct.field("name")

    def locations(self, kind: str, frame: pl.DataFrame, site: str) -> pl.Series:
        """Names of halls; `SITE` where there is no location. A rack stands in a row, the row in a hall."""
        del site  # a location is in a site and never the site itself
        if kind != "racks":
            return self.names(frame, "location").fill_null(SITE)
        rows = frame["location"].struct.field("id")
        schema: Schema = {"id": TEXT, "parent": NAMED_REFERENCE}
        found = self.read_each("dcim/locations", schema, "id", rows.drop_nulls())
        halls = self.names(found, "parent")
        return rows.replace_strict(found["id"], halls, default=None, return_dtype=pl.String)

    def cable_ends(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A cable may have several ends on a side in NetBox; ours has one."""
        ends = {}
        for end in ("a", "b"):
            port = pl.col(f"{end}_terminations").list.get(0, null_on_oob=True).struct.field("object")
            one = pl.when(pl.col(f"{end}_terminations").list.len() == 1)
            ends[f"{end}_device"] = one.then(port.struct.field("device").struct.field("name"))
            ends[f"{end}_port"] = one.then(port.struct.field("name"))
        return frame.with_columns(**ends)

    def terminations(self, cables: pl.DataFrame) -> pl.DataFrame:
        """A side of a cable is a list of its ends."""
        ends = {}
        for end in ("a", "b"):
            port = pl.struct(object_type=pl.lit(CONTENT["ports"]), object_id=f"{end}_id")
            ends[f"{end}_terminations"] = pl.concat_list(port)
        return cables.with_columns(**ends)

    def places(
        self, site: str, halls: Sequence[str], rows: Sequence[tuple[str, str]]
    ) -> tuple[str, dict[str, str], dict[str, str]]:
        """Ids of the site, of its halls, which may stand anywhere in it, such as in a building, and of rows in them.

        Raises:
            InventoryError: two locations of the site have the name of a hall.
        """
        (top,) = self.ids_of_names("dcim/sites", [site]).values()
        there = self.read("dcim/locations", {**NAMED, "parent": REFERENCE}, **self.at(top))
        found = there.filter(pl.col("name").is_in(list(halls)))
        twice = found.filter(pl.col("name").is_duplicated())
        if twice.height:
            raise InventoryError(
                f"NetBox at {self.url} has two locations {twice['name'][0]} at this site", "rename one"
            )
        new = [{**self.new_named(hall), "site": top, "parent": None} for hall in halls]
        places = self.create_missing("dcim/locations", ids_by_name(found), new)
        parents = there.select("name", pl.col("parent").struct.field("id").alias("parent"), "id").iter_rows()
        known = {
            name: each for name, parent, each in parents if (name, parent) in {(row, places[h]) for row, h in rows}
        }
        new = [{**self.new_named(row), "site": top, "parent": places[hall]} for row, hall in rows]
        return top, places, self.create_missing("dcim/locations", known, new)

    def role_ids(self, roles: Mapping[str, Sequence[str]]) -> Mapping[str, Mapping[str, str]]:
        """Ids of roles, which racks and devices do not share."""
        return {kind: self.ids_of_names(ROLES[kind], names) for kind, names in roles.items()}


def slug(name: str) -> str:
    """How NetBox writes a name in an address: `Dell PowerEdge XE9680` is dell-poweredge-xe9680."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:SLUG_CHARACTERS]
