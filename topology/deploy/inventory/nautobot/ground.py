"""What objects stand on in Nautobot: the site and its halls are locations, rows of racks are rack groups."""

from collections.abc import Mapping, Sequence

import polars as pl

from topology.deploy.inventory.error import InventoryError
from topology.deploy.inventory.nautobot.server import ACTIVE
from topology.deploy.inventory.server import ground
from topology.deploy.inventory.server.ground import CONTENT, FIELD_GROUP, FIELD_TYPES, Ground
from topology.deploy.inventory.server.objects import TEXT, Objects
from topology.deploy.inventory.server.products import DeviceType
from topology.deploy.inventory.server.references import NAMED
from topology.deploy.inventory.server.rest import RestServer, Row, Schema

SITE_TYPE, HALL_TYPE = "Site", "Hall"
LOCATED = ("dcim.device", "dcim.powerpanel", "dcim.rack", "dcim.rackgroup")
WITH_CONTENT: Schema = {**NAMED, "content_types": pl.List(pl.String)}


def laid(server: RestServer, site: str, wanted: Objects, types: Sequence[DeviceType]) -> Ground:
    """Everything that `wanted` stands on, made where it is missing."""
    _marks(server)
    top, halls = _locations(server, site, ground.halls(wanted))
    return Ground(
        site=top,
        halls=halls,
        rows=_groups(server, top, halls, wanted),
        roles=_roles(server, wanted),
        types=ground.device_type_ids(server, types),
    )


def _marks(server: RestServer) -> None:
    """The custom fields: owner and key on every kind, each mark on the kinds that have it."""
    rows = [
        {
            "key": key,
            "label": key.replace("_", " "),
            "grouping": FIELD_GROUP,
            "type": FIELD_TYPES[dtype],
            "filter_logic": "exact",
            "content_types": sorted(content),
        }
        for key, (dtype, content) in ground.mark_kinds({}).items()
    ]
    schema: Schema = {"id": TEXT, "key": TEXT, "content_types": pl.List(pl.String)}
    there = server.read("extras/custom-fields", schema)  # all of them: it cannot be asked for keys
    ground.extended(server, "extras/custom-fields", there, rows)


def _locations(server: RestServer, site: str, halls: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Id of the site, and ids of the halls in it."""
    found = server.read("dcim/locations", NAMED, name=site)
    if found.height > 1:
        raise InventoryError(f"Nautobot at {server.url} has {found.height} locations called {site}", "rename one")
    if found.is_empty():
        _location_type(server, SITE_TYPE, None)
        row = {"name": site, "location_type": {"name": SITE_TYPE}, **ACTIVE}
        (top,) = server.create("dcim/locations", [row])
    else:
        (top,) = found["id"]
    there = server.read("dcim/locations", NAMED, parent=top)
    missing = [hall for hall in halls if hall not in there["name"]]
    if missing:
        _location_type(server, HALL_TYPE, SITE_TYPE)
    rows = [{"name": hall, "parent": top, "location_type": {"name": HALL_TYPE}, **ACTIVE} for hall in missing]
    made = dict(zip(missing, server.create("dcim/locations", rows), strict=True))
    return top, {**dict(there.select("name", "id").iter_rows()), **made}


def _location_type(server: RestServer, name: str, parent: str | None) -> None:
    row: Row = {"name": name, "content_types": list(LOCATED), "parent": {"name": parent} if parent else None}
    ground.extended(server, "dcim/location-types", server.read("dcim/location-types", WITH_CONTENT, name=name), [row])


def _groups(server: RestServer, site: str, halls: Mapping[str, str], wanted: Objects) -> dict[str, str]:
    """Ids of the rack groups, one per row of a hall."""
    pairs = ground.rows_of_racks(wanted)
    there = server.read_each("dcim/rack-groups", NAMED, "name", [row for row, _ in pairs], **server.at(site))
    rows = [{"name": row, "location": halls[hall]} for row, hall in pairs if row not in there["name"]]
    made = zip((row["name"] for row in rows), server.create("dcim/rack-groups", rows), strict=True)
    return {**dict(there.select("name", "id").iter_rows()), **dict(made)}


def _roles(server: RestServer, wanted: Objects) -> dict[str, dict[str, str]]:
    """Ids of roles; one that racks and devices share is for both."""
    content: dict[str, list[str]] = {}
    for kind in ("racks", "devices"):
        for role in ground.roles(wanted, kind):
            content.setdefault(role, []).append(CONTENT[kind])
    rows = [{"name": role, "content_types": kinds} for role, kinds in content.items()]
    there = server.read_each("extras/roles", WITH_CONTENT, "name", content)
    return dict.fromkeys(("racks", "devices"), ground.extended(server, "extras/roles", there, rows))
