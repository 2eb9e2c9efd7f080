"""What objects stand on at a site and share: custom fields, places, roles, device types.

It is made where it is missing and never taken away: other owners, and other people, use it too. What is there
already is only ever extended: by a kind that a custom field is for, by a port of a device type.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

import polars as pl

from topology.deploy.inventory.error import InventoryError
from topology.deploy.inventory.server.objects import KEY, KINDS, MARK, NUMBER, OWNER, SITE, TEXT, TRUTH, Objects
from topology.deploy.inventory.server.products import DeviceType, type_name
from topology.deploy.inventory.server.references import NAMED, PORT_TYPE, REFERENCE
from topology.deploy.inventory.server.rest import RestServer, Row, Schema

CONTENT = {  # what a custom field is for, by kind
    "panels": "dcim.powerpanel",
    "racks": "dcim.rack",
    "feeds": "dcim.powerfeed",
    "devices": "dcim.device",
    "cables": "dcim.cable",
}
FIELD_TYPES = {TEXT: "text", NUMBER: "integer", TRUTH: "boolean"}  # of a custom field
FIELD_GROUP = "cluster-topology"  # under which pages show our fields
_laying = Lock()


@dataclass(frozen=True, slots=True)
class Ground:
    """Ids of what new objects refer to, by name."""

    site: str  # id of the site
    halls: Mapping[str, str]
    rows: Mapping[str, str]
    roles: Mapping[str, Mapping[str, str]]  # by kind of object
    types: Mapping[str, str]


def alone(lay: Callable[[], Ground]) -> Ground:
    """What `lay` gives, in one thread at a time: the engine writes many owners at once.

    Another process may still lay the same in between; what it made is then refused here, and there when it is
    looked for again.
    """
    with _laying:
        try:
            return lay()
        except InventoryError:
            return lay()


def has_marks(server: RestServer, name: str) -> bool:
    """Whether the server has the custom field that says whose an object is; `name` is the key of their names."""
    return OWNER in server.read("extras/custom-fields", {name: TEXT})[name]


def halls(wanted: Objects) -> list[str]:
    """Halls that panels and racks of `wanted` stand in, sorted."""
    columns = [wanted[kind]["location"] for kind in ("panels", "racks") if kind in wanted]
    return sorted({hall for column in columns for hall in column if hall != SITE})


def rows_of_racks(wanted: Objects) -> list[tuple[str, str]]:
    """Rows that racks of `wanted` stand in, each with its hall; sorted."""
    return sorted(wanted["racks"].select("group", "location").unique().iter_rows()) if "racks" in wanted else []


def roles(wanted: Objects, kind: str) -> list[str]:
    """Roles of the objects of one kind, sorted."""
    return wanted[kind]["role"].unique().sort().to_list() if kind in wanted else []


def mark_kinds(also: Mapping[str, Mapping[str, pl.DataType]]) -> dict[str, tuple[pl.DataType, list[str]]]:
    """Every custom field: what it holds, and what it is for; owner and key are for every kind.

    `also` are marks of a server that has no field for some column of a kind, by kind.
    """
    found: dict[str, tuple[pl.DataType, list[str]]] = {name: (TEXT, list(CONTENT.values())) for name in (OWNER, KEY)}
    for kind, described in KINDS.items():
        for mark, dtype in {**described.marks, **also.get(kind, {})}.items():
            found.setdefault(f"{MARK}{mark}", (dtype, []))[1].append(CONTENT[kind])
    return found


def by_name(server: RestServer, endpoint: str, names: Sequence[str]) -> dict[str, str]:
    """Ids of things that have nothing but a name, such as manufacturers; those that are missing are made."""
    wanted = sorted(set(names))
    there = server.read_each(endpoint, NAMED, "name", wanted)
    missing = [name for name in wanted if name not in there["name"]]
    made = zip(missing, server.create(endpoint, [server.named(name) for name in missing]), strict=True)
    return {**dict(there.select("name", "id").iter_rows()), **dict(made)}


def extended(server: RestServer, endpoint: str, there: pl.DataFrame, rows: Sequence[Row]) -> dict[str, str]:
    """Ids of `rows` by name; those that are `there` are made good for the kinds that they are not for yet."""
    name = "key" if "key" in there.columns else "name"  # the first is how Nautobot names custom fields
    known = {row[name]: row for row in there.iter_rows(named=True)}
    new = [row for row in rows if row[name] not in known]
    made = dict(zip((row[name] for row in new), server.create(endpoint, new), strict=True))
    content = {
        row[name]: ({*row[server.content]}, {*known[row[name]][server.content]}) for row in rows if row[name] in known
    }
    lacking = [
        {"id": known[each]["id"], server.content: sorted(wanted | has)}
        for each, (wanted, has) in content.items()
        if not wanted <= has
    ]
    server.update(endpoint, lacking)
    return {**{each: row["id"] for each, row in known.items()}, **made}


def device_type_ids(server: RestServer, types: Sequence[DeviceType]) -> dict[str, str]:
    """Ids of the device types by maker and model, each with the ports that it must have."""
    makers = by_name(server, "dcim/manufacturers", [each.manufacturer for each in types])
    schema: Schema = {"id": TEXT, "model": TEXT, "manufacturer": REFERENCE}
    found = server.read_each("dcim/device-types", schema, "model", [each.model for each in types])
    there = {(row["manufacturer"]["id"], row["model"]): row["id"] for row in found.iter_rows(named=True)}
    missing = [each for each in types if (makers[each.manufacturer], each.model) not in there]
    rows = [{**server.modelled(each), "manufacturer": makers[each.manufacturer]} for each in missing]
    made = zip(missing, server.create("dcim/device-types", rows), strict=True)
    there |= {(makers[each.manufacturer], each.model): made_id for each, made_id in made}
    ids = {each: there[makers[each.manufacturer], each.model] for each in types}
    _templates(server, ids)
    return {type_name(each.manufacturer, each.model): found_id for each, found_id in ids.items()}


def _templates(server: RestServer, ids: Mapping[DeviceType, str]) -> None:
    """Interface templates: ports that come with a device cost a tenth of ports that are made by themselves."""
    schema: Schema = {**NAMED, "device_type": REFERENCE}
    found = server.read_each("dcim/interface-templates", schema, server.filters["type"], ids.values())
    there = set(found.select(pl.col("device_type").struct.field("id"), "name").iter_rows())
    rows = [
        {"device_type": type_id, "name": port, "type": PORT_TYPE}
        for each, type_id in ids.items()
        for port in each.ports
        if (type_id, port) not in there
    ]
    server.create("dcim/interface-templates", rows)
