"""Nautobot through pynautobot: the site and its halls are locations, rows of racks are rack groups."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import polars as pl
import pynautobot  # type: ignore[import-untyped]
from pynautobot.core.query import ContentError, Request, RequestError  # type: ignore[import-untyped]

from topology.deploy.inventory.error import InventoryError
from topology.deploy.inventory.server.objects import SITE, TEXT
from topology.deploy.inventory.server.products import DeviceType, type_name
from topology.deploy.inventory.server.references import CHOICE, CONTENT, MODELLED, NAMED, REFERENCE
from topology.deploy.inventory.server.rest import RestServer, Row, Schema, ids_by_name
from topology.deploy.inventory.server.settings import ServerSettings

ACTIVE: Row = {"status": {"name": "Active"}}
SITE_TYPE, HALL_TYPE = "Site", "Hall"
LOCATED = ("dcim.device", "dcim.powerpanel", "dcim.rack", "dcim.rackgroup")
WITH_CONTENT: Schema = {**NAMED, "content_types": pl.List(pl.String)}
REFERRED = {  # where the things stand that a field refers to
    "location": "dcim/locations",
    "rack_group": "dcim/rack-groups",
    "role": "extras/roles",
    "power_panel": "dcim/power-panels",
    "rack": "dcim/racks",
    "device": "dcim/devices",
    "manufacturer": "dcim/manufacturers",
}


class Nautobot(RestServer):
    """One Nautobot."""

    name = "Nautobot"
    filters: ClassVar = {
        "site": "location",
        "panel": "power_panel",
        "rack": "rack",
        "type": "device_type",
        "device": "device",
        "cabled device": "device_id",
    }
    content = "content_types"
    field_name = "key"
    field_group = "grouping"
    new_port: ClassVar = ACTIVE
    begins: ClassVar = {
        "racks": ACTIVE,
        "feeds": ACTIVE,
        "devices": ACTIVE,
        "cables": {"status": {"name": "Connected"}},
    }
    fields: ClassVar = {
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
    also_sent: ClassVar = {"racks": ("width",), "cables": ("termination_a_type", "termination_b_type")}
    request = Request
    refused: ClassVar = (RequestError,)
    unreadable = ContentError

    def __init__(self, settings: ServerSettings) -> None:
        api = pynautobot.api(settings.url, token=settings.token.text, verify=settings.ca_file or True)
        super().__init__(settings, api)

    def page(self, schema: Schema) -> Mapping[str, str]:
        """References as ids, pages of 1,000 (the longest it gives), lists of references only where asked for."""
        return {"depth": "0", "limit": "1000", "exclude_m2m": str("content_types" not in schema)}

    def new_named(self, name: str) -> Row:
        """A new thing that has nothing but a name."""
        return {"name": name}

    def new_device_type(self, product: DeviceType) -> Row:
        """A new device type, without its maker."""
        return {"model": product.model, "u_height": product.height_u}

    def names(self, frame: pl.DataFrame, field: str) -> pl.Series:
        """Names of what `field` refers to, looked up by their ids."""
        ids = frame[field].struct.field("id")
        if field == "device_type":
            types = self.read_each("dcim/device-types", MODELLED, "id", ids.drop_nulls())
            types = types.with_columns(manufacturer=self.names(types, "manufacturer"))
            found = types.select("id", name=pl.format(type_name("{}", "{}"), "manufacturer", "model"))
        else:
            found = self.read_each(REFERRED[field], NAMED, "id", ids.drop_nulls())
        return ids.replace_strict(found["id"], found["name"], default=None, return_dtype=pl.String)

    def locations(self, kind: str, frame: pl.DataFrame, site: str) -> pl.Series:
        """Names of halls; `SITE` for the location of the site itself."""
        del kind
        names = self.names(frame, "location")
        return names.set(names == site, SITE)

    def cable_ends(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The ends of a cable are ids of interfaces, whose devices have the names."""
        ids = pl.concat([frame["termination_a_id"], frame["termination_b_id"]]).drop_nulls()
        ports = self.read_each("dcim/interfaces", {**NAMED, "device": REFERENCE}, "id", ids)
        ports = ports.with_columns(device=self.names(ports, "device"))
        for end in ("a", "b"):
            columns = {f"{end}_device": "device", f"{end}_port": "name"}
            ends = ports.select(pl.col("id").alias(f"termination_{end}_id"), **columns)
            frame = frame.join(ends, on=f"termination_{end}_id", how="left", maintain_order="left")
        return frame

    def terminations(self, cables: pl.DataFrame) -> pl.DataFrame:
        """An end of a cable is the id of its port and what kind of thing that is."""
        types = dict.fromkeys(("termination_a_type", "termination_b_type"), pl.lit(CONTENT["ports"]))
        return cables.rename({"a_id": "termination_a_id", "b_id": "termination_b_id"}).with_columns(**types)

    def places(
        self, site: str, halls: Sequence[str], rows: Sequence[tuple[str, str]]
    ) -> tuple[str, dict[str, str], dict[str, str]]:
        """Ids of the site, of it and its halls as locations, and of rows as rack groups.

        Raises:
            InventoryError: two locations have the name of the site.
        """
        found = self.read("dcim/locations", NAMED, name=site)
        if found.height > 1:
            raise InventoryError(f"Nautobot at {self.url} has {found.height} locations called {site}", "rename one")
        if found.is_empty():
            self._location_type(SITE_TYPE, None)
            row = {"name": site, "location_type": {"name": SITE_TYPE}, **ACTIVE}
            (top,) = self.create("dcim/locations", [row])
        else:
            (top,) = found["id"]
        known = ids_by_name(self.read("dcim/locations", NAMED, parent=top))
        if not known.keys() >= set(halls):
            self._location_type(HALL_TYPE, SITE_TYPE)
        new = [{"name": hall, "parent": top, "location_type": {"name": HALL_TYPE}, **ACTIVE} for hall in halls]
        places = {**self.create_missing("dcim/locations", known, new), SITE: top}
        known = ids_by_name(self.read_each("dcim/rack-groups", NAMED, "name", [row for row, _ in rows], **self.at(top)))
        new = [{"name": row, "location": places[hall]} for row, hall in rows]
        return top, places, self.create_missing("dcim/rack-groups", known, new)

    def _location_type(self, name: str, parent: str | None) -> None:
        """Make a type of locations, or let it hold what we put in it."""
        row: Row = {"name": name, "content_types": list(LOCATED), "parent": {"name": parent} if parent else None}
        there = self.read("dcim/location-types", WITH_CONTENT, name=name)
        self.extend("dcim/location-types", there, [row])

    def role_ids(self, roles: Mapping[str, Sequence[str]]) -> Mapping[str, Mapping[str, str]]:
        """Ids of roles; one that racks and devices share is for both."""
        content: dict[str, list[str]] = {}
        for kind, names in roles.items():
            for role in names:
                content.setdefault(role, []).append(CONTENT[kind])
        rows = [{"name": role, "content_types": kinds} for role, kinds in content.items()]
        there = self.read_each("extras/roles", WITH_CONTENT, "name", content)
        return dict.fromkeys(roles, self.extend("extras/roles", there, rows))
