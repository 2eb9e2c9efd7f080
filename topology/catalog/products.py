"""Entries into products: the same words, with types."""

from collections.abc import Mapping
from typing import Any, TypedDict

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
    Source,
    Switch,
)

ROLES = ("compute", "storage", "frontend", "oob")  # the order of a node's NICs


class _Common(TypedDict):
    slug: str
    manufacturer: str
    model: str
    height_u: int
    power_max_w: int
    power_typical_w: int | None
    weight_kg: float | None
    sources: tuple[Source, ...]


def node(slug: str, made: Entry) -> Node:
    """Node of a valid entry; its NICs in the order of `ROLES`."""
    data = made.data
    cpu, gpu = data["cpu"], data["gpu"]
    return Node(
        **_common(slug, made),
        sockets=int(cpu["sockets"]),
        cores_per_socket=int(cpu["cores_per_socket"]),
        threads_per_core=int(cpu["threads_per_core"]),
        memory_mb=int(data["memory_mb"]),
        gpus=int(gpu["count"]),
        gpu_model=gpu["model"],
        gres_type=gpu["gres_type"],
        nics=tuple(_nic(role, data["nics"][role]) for role in ROLES if role in data["nics"]),
        nvlink=_nvlink(data),
        cooling=data["cooling"],
    )


def rack(slug: str, made: Entry) -> Rack:
    """Rack of a valid entry; its parts in the entry's order."""
    data = made.data
    parts = tuple(
        RackPart(part["model"], int(part["count"]), int(part["height_u"]), kind, part.get("product", ""))
        for kind, part in data.get("parts", {}).items()
    )
    return Rack(
        **_common(slug, made),
        node=data["node"],
        nodes=int(data["nodes"]),
        parts=parts,
        nvlink=_nvlink(data),
        storage_j=int(data["storage_j"]) if "storage_j" in data else None,
    )


def switch(slug: str, made: Entry) -> Switch:
    """Switch of a valid entry; its cages in the entry's order."""
    data = made.data
    cages = tuple(Cage(kind, int(cage["count"]), _ports(cage["ports"])) for kind, cage in data["cages"].items())
    return Switch(**_common(slug, made), protocol=data["protocol"], cages=cages)


def appliance(slug: str, made: Entry) -> Appliance:
    """Appliance of a valid entry."""
    return Appliance(**_common(slug, made), ports=_ports(made.data["ports"]))


def battery(slug: str, made: Entry) -> Battery:
    """Battery of a valid entry."""
    data = made.data
    cycles = data.get("cycles")
    return Battery(
        slug=slug,
        manufacturer=data["manufacturer"],
        model=data["model"],
        power_w=int(data["power_w"]),
        energy_wh=int(data["energy_wh"]),
        round_trip=float(data["round_trip"]),
        cycles=None if cycles is None else int(cycles),
        length_m=float(data["length_m"]),
        width_m=float(data["width_m"]),
        spacing_m=float(data["spacing_m"]),
        weight_kg=_weight_kg(data),
        sources=made.sources,
    )


def power_device(slug: str, made: Entry) -> PowerDevice:
    """Power device of a valid entry; one of its two ratings is None."""
    data = made.data
    rating = data["rating"]
    return PowerDevice(
        slug=slug,
        manufacturer=data["manufacturer"],
        model=data["model"],
        device=data["device"],
        rating_va=int(rating["va"]) if "va" in rating else None,
        rating_w=int(rating["w"]) if "w" in rating else None,
        efficiency=float(data["efficiency"]),
        sources=made.sources,
    )


def _common(slug: str, made: Entry) -> _Common:
    data = made.data
    power = data["power_w"]
    return {
        "slug": slug,
        "manufacturer": data["manufacturer"],
        "model": data["model"],
        "height_u": int(data["height_u"]),
        "power_max_w": int(power["maximum"]),
        "power_typical_w": int(power["typical"]) if "typical" in power else None,
        "weight_kg": _weight_kg(data),
        "sources": made.sources,
    }


def _weight_kg(data: Data) -> float | None:
    weight = data.get("weight_kg")
    return None if weight is None else float(weight)


def _nic(role: str, data: Data) -> Nic:
    return Nic(role, data["product"], int(data["count"]), _ports(data["ports"]))


def _nvlink(data: Data) -> NvLink | None:
    link = data.get("nvlink")
    if link is None:
        return None
    return NvLink(int(link["switches"]), int(link["links_per_gpu"]), int(link["gb_per_s_per_gpu"]))


def _ports(written: Mapping[str, Any]) -> Mapping[int, int]:
    """Ports by rate in Gb/s, fastest first: ``{"400G": 2, "800G": 1}`` is ``{800: 1, 400: 2}``."""
    by_rate = {int(rate.removesuffix("G")): int(count) for rate, count in written.items()}
    return dict(sorted(by_rate.items(), reverse=True))
