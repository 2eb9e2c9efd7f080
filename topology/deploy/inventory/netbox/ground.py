"""What objects stand on in NetBox: a site, its halls as locations, and in each hall its rows as locations."""

from collections.abc import Mapping, Sequence

import polars as pl

from topology.deploy.inventory.error import InventoryError
from topology.deploy.inventory.server import ground
from topology.deploy.inventory.server.ground import FIELD_GROUP, FIELD_TYPES, Ground
from topology.deploy.inventory.server.objects import TEXT, Objects
from topology.deploy.inventory.server.products import DeviceType
from topology.deploy.inventory.server.references import NAMED, REFERENCE
from topology.deploy.inventory.server.rest import RestServer, Schema

MARKS = {"panels": {"power_path": TEXT}, "feeds": {"power_path": TEXT}}  # what it has no field for, by kind
ROLES = {"racks": "dcim/rack-roles", "devices": "dcim/device-roles"}
NESTED: Schema = {**NAMED, "parent": REFERENCE}


def laid(server: RestServer, site: str, wanted: Objects, types: Sequence[DeviceType]) -> Ground:
    """Everything that `wanted` stands on, made where it is missing."""
    _marks(server)
    top = _site(server, site)
    there = server.read("dcim/locations", NESTED, **server.at(top))
    halls = _halls(server, top, there, ground.halls(wanted))
    rows = _rows(server, top, there, [(row, halls[hall]) for row, hall in ground.rows_of_racks(wanted)])
    return Ground(
        site=top,
        halls=halls,
        rows=rows,
        roles={kind: ground.by_name(server, at, ground.roles(wanted, kind)) for kind, at in ROLES.items()},
        types=ground.device_type_ids(server, types),
    )


def _marks(server: RestServer) -> None:
    """The custom fields: owner and key on every kind, each mark on the kinds that have it."""
    rows = [
        {
            "name": name,
            "label": name.replace("_", " "),
            "group_name": FIELD_GROUP,
            "type": FIELD_TYPES[dtype],
            "filter_logic": "exact",
            "object_types": sorted(content),
        }
        for name, (dtype, content) in ground.mark_kinds(MARKS).items()
    ]
    schema: Schema = {**NAMED, "object_types": pl.List(pl.String)}
    there = server.read_each("extras/custom-fields", schema, "name", [str(row["name"]) for row in rows])
    ground.extended(server, "extras/custom-fields", there, rows)


def _site(server: RestServer, name: str) -> str:
    found = server.read("dcim/sites", NAMED, name=name)
    return found["id"][0] if found.height else server.create("dcim/sites", [server.named(name)])[0]


def _halls(server: RestServer, site: str, there: pl.DataFrame, wanted: Sequence[str]) -> dict[str, str]:
    """Ids of halls: locations of that name anywhere in the site, such as in a building; else new ones in the site.

    Raises:
        InventoryError: Two locations of the site have the name of a hall.
    """
    found = there.filter(pl.col("name").is_in(list(wanted)))
    twice = found.filter(pl.col("name").is_duplicated())
    if twice.height:
        raise InventoryError(f"NetBox at {server.url} has two locations {twice['name'][0]} at this site", "rename one")
    known = dict(found.select("name", "id").iter_rows())
    return known | _made(server, site, {name: None for name in wanted if name not in known})


def _rows(server: RestServer, site: str, there: pl.DataFrame, wanted: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Ids of rows by name; `wanted` says in which hall's location each is."""
    found = there.select("name", pl.col("parent").struct.field("id").alias("parent"), "id")
    places = {(name, parent): each for name, parent, each in found.iter_rows()}
    known = {name: places[name, hall] for name, hall in wanted if (name, hall) in places}
    return known | _made(server, site, {name: hall for name, hall in wanted if name not in known})


def _made(server: RestServer, site: str, missing: Mapping[str, str | None]) -> dict[str, str]:
    """Ids of new locations by name; each stands in the location of the id given, or in the site itself."""
    rows = [{**server.named(name), "site": site, "parent": parent} for name, parent in missing.items()]
    return dict(zip(missing, server.create("dcim/locations", rows), strict=True))
