"""What objects stand on in Nautobot and share: custom fields, locations, rows, roles, device types.

It is made where it is missing and never taken away: other owners, and other people, use it too. What is there
already is only ever extended: by a content type, by a port of a device type.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import polars as pl

from topology.deploy.inventory.error import InventoryError
from topology.deploy.inventory.nautobot.reading import KEY, MARK, NAMED, OWNER, REFERENCE
from topology.deploy.inventory.nautobot.server import Schema, Server
from topology.deploy.inventory.objects import KINDS, NUMBER, SITE, TEXT, TRUTH
from topology.deploy.inventory.products import DeviceType, type_name

CONTENT = {
    "panels": "dcim.powerpanel",
    "racks": "dcim.rack",
    "feeds": "dcim.powerfeed",
    "devices": "dcim.device",
    "cables": "dcim.cable",
}
FIELD_TYPES = {TEXT: "text", NUMBER: "integer", TRUTH: "boolean"}
SITE_TYPE, HALL_TYPE = "Site", "Hall"
LOCATED = ("dcim.device", "dcim.powerpanel", "dcim.rack", "dcim.rackgroup")
PORT_TYPE = "other"  # the cards take either protocol, and optics are not part of the plan
WITH_CONTENT: Schema = {**NAMED, "content_types": pl.List(pl.String)}
TYPED: Schema = {"id": TEXT, "model": TEXT, "manufacturer": REFERENCE}
Row = dict[str, Any]
_laying = Lock()


@dataclass(frozen=True, slots=True)
class Ground:
    """Ids of what new objects refer to, by name."""

    site: str  # id of the location
    locations: Mapping[str, str]  # halls, and SITE
    groups: Mapping[str, str]
    roles: Mapping[str, str]
    types: Mapping[str, str]


def has_marks(server: Server) -> bool:
    """Whether this Nautobot has the custom field that says whose an object is."""
    return OWNER in server.read("extras/custom-fields", {"key": TEXT})["key"]


def lay(server: Server, site: str, wanted: Mapping[str, pl.DataFrame], types: Sequence[DeviceType]) -> Ground:
    """Everything that `wanted` stands on, made where it is missing.

    One thread at a time: the engine writes many owners at once. Another process may still lay it in between; what
    it made is then refused here, and there when it is looked for again.
    """
    with _laying:
        try:
            return _laid(server, site, wanted, types)
        except InventoryError:
            return _laid(server, site, wanted, types)


def _laid(server: Server, site: str, wanted: Mapping[str, pl.DataFrame], types: Sequence[DeviceType]) -> Ground:
    _marks(server)
    locations = _locations(server, site, _halls(wanted))
    return Ground(
        site=locations[SITE],
        locations=locations,
        groups=_groups(server, locations, wanted.get("racks")),
        roles=_roles(server, wanted),
        types=_types(server, types),
    )


def _marks(server: Server) -> None:
    """The custom fields: owner and key on every kind, each mark on the kinds that have it."""
    content: dict[str, tuple[pl.DataType, list[str]]] = {name: (TEXT, list(CONTENT.values())) for name in (OWNER, KEY)}
    for kind, described in KINDS.items():
        for mark, dtype in described.marks.items():
            content.setdefault(f"{MARK}{mark}", (dtype, []))[1].append(CONTENT[kind])
    rows = [
        {
            "key": key,
            "label": key.replace("_", " "),
            "grouping": "cluster-topology",
            "type": FIELD_TYPES[dtype],
            "filter_logic": "exact",
            "content_types": sorted(kinds),
        }
        for key, (dtype, kinds) in content.items()
    ]
    schema: Schema = {"id": TEXT, "key": TEXT, "content_types": pl.List(pl.String)}
    there = server.read("extras/custom-fields", schema)  # all of them: it cannot be asked for keys
    _with_content(server, "extras/custom-fields", there.rename({"key": "name"}), rows, by="key")


def _locations(server: Server, site: str, halls: Sequence[str]) -> dict[str, str]:
    """Ids of the site and of halls in it."""
    found = server.read("dcim/locations", NAMED, name=site)
    if found.height > 1:
        raise InventoryError(f"Nautobot at {server.url} has {found.height} locations called {site}", "rename one")
    if found.is_empty():
        _location_type(server, SITE_TYPE, None)
        row = {"name": site, "location_type": {"name": SITE_TYPE}, "status": {"name": "Active"}}
        (top,) = server.create("dcim/locations", [row])
    else:
        (top,) = found["id"]
    there = server.read("dcim/locations", NAMED, parent=top)
    missing = [hall for hall in halls if hall not in there["name"]]
    if missing:
        _location_type(server, HALL_TYPE, SITE_TYPE)
    rows = [
        {"name": hall, "parent": top, "location_type": {"name": HALL_TYPE}, "status": {"name": "Active"}}
        for hall in missing
    ]
    made = dict(zip(missing, server.create("dcim/locations", rows), strict=True))
    return {SITE: top, **dict(there.select("name", "id").iter_rows()), **made}


def _location_type(server: Server, name: str, parent: str | None) -> None:
    row: Row = {"name": name, "content_types": list(LOCATED), "parent": {"name": parent} if parent else None}
    _with_content(server, "dcim/location-types", server.read("dcim/location-types", WITH_CONTENT, name=name), [row])


def _groups(server: Server, locations: Mapping[str, str], racks: pl.DataFrame | None) -> dict[str, str]:
    """Ids of the rack groups, one per row of a hall."""
    if racks is None:
        return {}
    pairs = list(racks.select("group", "location").unique().sort("group").iter_rows())
    names = [group for group, _ in pairs]
    there = server.read_each("dcim/rack-groups", NAMED, "name", names, location=locations[SITE])
    rows = [{"name": group, "location": locations[hall]} for group, hall in pairs if group not in there["name"]]
    made = zip((row["name"] for row in rows), server.create("dcim/rack-groups", rows), strict=True)
    return {**dict(there.select("name", "id").iter_rows()), **dict(made)}


def _roles(server: Server, wanted: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    content: dict[str, list[str]] = {}
    for kind in ("racks", "devices"):
        for role in wanted[kind]["role"].unique().sort() if kind in wanted else ():
            content.setdefault(role, []).append(CONTENT[kind])
    rows = [{"name": role, "content_types": kinds} for role, kinds in content.items()]
    return _with_content(server, "extras/roles", server.read_each("extras/roles", WITH_CONTENT, "name", content), rows)


def _types(server: Server, types: Sequence[DeviceType]) -> dict[str, str]:
    """Ids of the device types by maker and model, each with the ports that it must have."""
    makers = _by_name(server, "dcim/manufacturers", [each.manufacturer for each in types])
    found = server.read_each("dcim/device-types", TYPED, "model", [each.model for each in types])
    there = {(row["manufacturer"]["id"], row["model"]): row["id"] for row in found.iter_rows(named=True)}
    missing = [each for each in types if (makers[each.manufacturer], each.model) not in there]
    rows = [
        {"manufacturer": makers[each.manufacturer], "model": each.model, "u_height": each.height_u} for each in missing
    ]
    made = zip(missing, server.create("dcim/device-types", rows), strict=True)
    there |= {(makers[each.manufacturer], each.model): made_id for each, made_id in made}
    ids = {each: there[makers[each.manufacturer], each.model] for each in types}
    _templates(server, ids)
    return {type_name(each.manufacturer, each.model): found_id for each, found_id in ids.items()}


def _templates(server: Server, ids: Mapping[DeviceType, str]) -> None:
    """Interface templates: ports that come with a device cost a tenth of ports that are made by themselves."""
    schema: Schema = {**NAMED, "device_type": REFERENCE}
    found = server.read_each("dcim/interface-templates", schema, "device_type", ids.values())
    there = set(found.select(pl.col("device_type").struct.field("id"), "name").iter_rows())
    rows = [
        {"device_type": type_id, "name": port, "type": PORT_TYPE}
        for each, type_id in ids.items()
        for port in each.ports
        if (type_id, port) not in there
    ]
    server.create("dcim/interface-templates", rows)


def _by_name(server: Server, endpoint: str, names: Iterable[str]) -> dict[str, str]:
    wanted = sorted(set(names))
    there = server.read_each(endpoint, NAMED, "name", wanted)
    missing = [name for name in wanted if name not in there["name"]]
    made = zip(missing, server.create(endpoint, [{"name": name} for name in missing]), strict=True)
    return {**dict(there.select("name", "id").iter_rows()), **dict(made)}


def _with_content(
    server: Server, endpoint: str, there: pl.DataFrame, rows: Sequence[Row], by: str = "name"
) -> dict[str, str]:
    """Ids of `rows` by name; those that are `there` (id, name, content_types) get the content types that they lack."""
    known = {row["name"]: row for row in there.iter_rows(named=True)}
    new = [row for row in rows if row[by] not in known]
    made = dict(zip((row[by] for row in new), server.create(endpoint, new), strict=True))
    lacking = [
        {"id": known[row[by]]["id"], "content_types": sorted({*known[row[by]]["content_types"], *row["content_types"]})}
        for row in rows
        if row[by] in known and not set(row["content_types"]) <= set(known[row[by]]["content_types"])
    ]
    server.update(endpoint, lacking)
    return {**{name: row["id"] for name, row in known.items()}, **made}


def _halls(wanted: Mapping[str, pl.DataFrame]) -> list[str]:
    columns = [wanted[kind]["location"] for kind in ("panels", "racks") if kind in wanted]
    return sorted({hall for column in columns for hall in column if hall != SITE})
