"""Entries into products: the same words, with types."""

from collections.abc import Mapping
from dataclasses import fields
from types import NoneType
from typing import Any, get_args

from topology.catalog.entry import Data, Entry
from topology.catalog.model import (
    Appliance,
    Battery,
    Cage,
    Nic,
    Node,
    NvLink,
    PowerDevice,
    Rack,
    RackPart,
    Switch,
)

ROLES = ("compute", "storage", "frontend", "oob")  # the order of a node's NICs


def node(slug: str, made: Entry) -> Node:
    """Node of a valid entry; its NICs in the order of `ROLES`."""
    data = made.data
    cpu, gpu = _typed(Node, data["cpu"]), data["gpu"]
    nics = tuple(_nic(role, data["nics"][role]) for role in ROLES if role in data["nics"])
    models = {"gpus": int(gpu["count"]), "gpu_model": gpu["model"], "gres_type": gpu["gres_type"]}
    return Node(**_common(Node, slug, made) | _power_w(data) | cpu | models | {"nics": nics, "nvlink": _nvlink(data)})


def rack(slug: str, made: Entry) -> Rack:
    """Rack of a valid entry; its parts in the entry's order."""
    data = made.data
    parts = tuple(RackPart(**_typed(RackPart, part), kind=kind) for kind, part in data.get("parts", {}).items())
    return Rack(**_common(Rack, slug, made) | _power_w(data) | {"parts": parts, "nvlink": _nvlink(data)})


def switch(slug: str, made: Entry) -> Switch:
    """Switch of a valid entry; its cages in the entry's order."""
    data = made.data
    cages = tuple(Cage(kind, int(cage["count"]), _ports(cage["ports"])) for kind, cage in data["cages"].items())
    return Switch(**_common(Switch, slug, made) | _power_w(data) | {"cages": cages})


def appliance(slug: str, made: Entry) -> Appliance:
    """Appliance of a valid entry."""
    data = made.data
    return Appliance(**_common(Appliance, slug, made) | _power_w(data) | {"ports": _ports(data["ports"])})


def battery(slug: str, made: Entry) -> Battery:
    """Battery of a valid entry."""
    return Battery(**_common(Battery, slug, made))


def power_device(slug: str, made: Entry) -> PowerDevice:
    """Power device of a valid entry; one of its two ratings is None."""
    rating = {f"rating_{unit}": int(value) for unit, value in made.data["rating"].items()}
    return PowerDevice(**_common(PowerDevice, slug, made) | rating)


def _common(kind: type[Any], slug: str, made: Entry) -> dict[str, Any]:
    """What every product has, and its own fields that are keys of the entry; None where a figure has no source."""
    unknown = {field.name: None for field in fields(kind) if NoneType in get_args(field.type)}
    return unknown | _typed(kind, made.data) | {"slug": slug, "sources": made.sources}


def _typed(kind: type[Any], data: Data) -> dict[str, Any]:
    """Fields of a product that are numbers or texts under the same key of an entry."""
    found = {}
    for field in fields(kind):
        types = get_args(field.type)
        plain = types[0] if NoneType in types else field.type
        if field.name in data and plain in {int, float, str}:
            found[field.name] = plain(data[field.name])
    return found


def _power_w(data: Data) -> dict[str, int]:
    """The draw of a product at most, and typically where a source gives that."""
    names = {"maximum": "power_max_w", "typical": "power_typical_w"}
    return {names[word]: int(value) for word, value in data["power_w"].items()}


def _nic(role: str, data: Data) -> Nic:
    return Nic(role, data["product"], int(data["count"]), _ports(data["ports"]))


def _nvlink(data: Data) -> NvLink | None:
    link = data.get("nvlink")
    return None if link is None else NvLink(**_typed(NvLink, link))


def _ports(written: Mapping[str, Any]) -> Mapping[int, int]:
    """Ports by rate in Gb/s, fastest first: ``{"400G": 2, "800G": 1}`` is ``{800: 1, 400: 2}``."""
    by_rate = {int(rate.removesuffix("G")): int(count) for rate, count in written.items()}
    return dict(sorted(by_rate.items(), reverse=True))
