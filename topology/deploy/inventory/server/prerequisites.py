"""What must be at a site before its objects are, and what they share: custom fields, places, roles, device types.

It is made where it is missing and never taken away: other owners, and other people, use it too. What is there
already is only ever extended: by a kind that a custom field is for, by a port of a device type.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

import polars as pl

from topology.deploy.inventory.error import InventoryError
from topology.deploy.inventory.server.objects import KEY, KINDS, MARK, NUMBER, OWNER, SITE, TEXT, TRUTH, Objects
from topology.deploy.inventory.server.products import DeviceType, type_name
from topology.deploy.inventory.server.references import CONTENT, MODELLED, NAMED, PORT_TYPE, REFERENCE
from topology.deploy.inventory.server.rest import RestServer, Row, Schema

FIELDS_AT = "extras/custom-fields"
FIELD_TYPES = {TEXT: "text", NUMBER: "integer", TRUTH: "boolean"}  # of a custom field
FIELD_GROUP = "cluster-topology"  # under which pages show our fields
_making = Lock()


@dataclass(frozen=True, slots=True)
class Prerequisites:
    """Ids of what new objects refer to, by name."""

    site: str  # id of the site
    places: Mapping[str, str]  # halls; under `SITE` the site, where it is a location as halls are
    rows: Mapping[str, str]
    roles: Mapping[str, Mapping[str, str]]  # by kind of object
    types: Mapping[str, str]


def make_prerequisites(server: RestServer, site: str, wanted: Objects, types: Sequence[DeviceType]) -> Prerequisites:
    """Everything that `wanted` refers to at the site of this name, made where it is missing.

    One thread at a time: the engine writes many owners at once. Another process may still make the same in between;
    what it made is then refused here, and there when it is looked for again.
    """
    with _making:
        try:
            return _make_once(server, site, wanted, types)
        except InventoryError:
            return _make_once(server, site, wanted, types)


def has_marks(server: RestServer) -> bool:
    """Whether the server has the custom field that says whose an object is."""
    return OWNER in server.read(FIELDS_AT, {server.field_name: TEXT})[server.field_name]


def _make_once(server: RestServer, site: str, wanted: Objects, types: Sequence[DeviceType]) -> Prerequisites:
    _make_marks(server)
    places = server.places(site, _halls(wanted), _rows_of_racks(wanted))
    roles = {kind: wanted[kind]["role"].unique().sort().to_list() if kind in wanted else [] for kind in ROLE_KINDS}
    return Prerequisites(*places, roles=server.role_ids(roles), types=_device_type_ids(server, types))


ROLE_KINDS = ("racks", "devices")


def _halls(wanted: Objects) -> list[str]:
    """Halls that panels and racks of `wanted` stand in, sorted."""
    columns = [wanted[kind]["location"] for kind in ("panels", "racks") if kind in wanted]
    return sorted({hall for column in columns for hall in column if hall != SITE})


def _rows_of_racks(wanted: Objects) -> list[tuple[str, str]]:
    """Rows that racks of `wanted` stand in, each with its hall; sorted."""
    return sorted(wanted["racks"].select("group", "location").unique().iter_rows()) if "racks" in wanted else []


def _make_marks(server: RestServer) -> None:
    """Make the custom fields: owner and key for every kind, each mark for the kinds that have it."""
    fields: dict[str, tuple[pl.DataType, list[str]]] = {}
    for kind in KINDS:
        marks = {f"{MARK}{name}": dtype for name, dtype in server.marks(kind).items()}
        for name, dtype in {OWNER: TEXT, KEY: TEXT, **marks}.items():
            fields.setdefault(name, (dtype, []))[1].append(CONTENT[kind])
    rows: list[Row] = [
        {
            server.field_name: name,
            "label": name.replace("_", " "),
            server.field_group: FIELD_GROUP,
            "type": FIELD_TYPES[dtype],
            "filter_logic": "exact",
            server.content: sorted(content),
        }
        for name, (dtype, content) in fields.items()
    ]
    schema: Schema = {"id": TEXT, server.field_name: TEXT, server.content: pl.List(pl.String)}
    server.extend(FIELDS_AT, server.read(FIELDS_AT, schema), rows)  # all: Nautobot cannot be asked for some by name


def _device_type_ids(server: RestServer, types: Sequence[DeviceType]) -> dict[str, str]:
    """Ids of the device types by maker and model, each with the ports that it must have."""
    makers = server.ids_of_names("dcim/manufacturers", [each.manufacturer for each in types])
    found = server.read_each("dcim/device-types", MODELLED, "model", [each.model for each in types])
    there = {(row["manufacturer"]["id"], row["model"]): row["id"] for row in found.iter_rows(named=True)}
    missing = [each for each in types if (makers[each.manufacturer], each.model) not in there]
    rows = [{**server.new_device_type(each), "manufacturer": makers[each.manufacturer]} for each in missing]
    made = zip(missing, server.create("dcim/device-types", rows), strict=True)
    there |= {(makers[each.manufacturer], each.model): made_id for each, made_id in made}
    ids = {each: there[makers[each.manufacturer], each.model] for each in types}
    _make_port_templates(server, ids)
    return {type_name(each.manufacturer, each.model): found_id for each, found_id in ids.items()}


def _make_port_templates(server: RestServer, ids: Mapping[DeviceType, str]) -> None:
    """Make interface templates: ports that come with a device cost a tenth of ports that are made by themselves."""
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
