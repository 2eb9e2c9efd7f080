"""Checked data to ClusterSpec; nothing can be wrong with it any more."""

from collections.abc import Mapping, Sequence
from typing import Any

from topology.findings import Path
from topology.spec.kubernetes import kubernetes
from topology.spec.model import (
    ClusterSpec,
    ComputeGroup,
    Count,
    Fabric,
    Hall,
    Managers,
    Names,
    Oversubscription,
    Partition,
    Place,
    Pulumi,
    RackLimit,
    Site,
    Slurm,
    SlurmCluster,
    Stage,
)
from topology.spec.supply import needs, power

Data = Mapping[str, Any]


def build(data: Data) -> ClusterSpec:
    """Spec of data whose defaults are filled in; lists without a default get theirs from the groups."""
    compute = tuple(_group(group, i, data) for i, group in enumerate(data["compute"]))
    return ClusterSpec(
        name=data["name"],
        site=Site(data["site"]["name"], float(data["site"]["pue"])),
        names=Names(**data["names"]),
        halls=tuple(_hall(hall, ("halls", i)) for i, hall in enumerate(data["halls"])),
        compute=compute,
        fabrics=tuple(_fabric(fabric, i, data) for i, fabric in enumerate(data["fabrics"])),
        stages=_stages(data, compute),
        slurm=_slurm(data, [group.name for group in compute]),
        pulumi=_pulumi(data),
        power=power(data),
        kubernetes=kubernetes(data),
        catalog=data.get("catalog"),
    )


def _pulumi(data: Data) -> Pulumi:
    keys = data.get("pulumi", {})
    renamed = sorted((each["name"], each["was"]) for each in keys.get("renamed", []))
    return Pulumi(keys.get("project", data["name"]), tuple(renamed))


def _hall(hall: Data, path: Path) -> Hall:
    limit = hall["rack_limit"]
    x, y = hall["origin_m"]
    return Hall(
        name=hall["name"],
        rows=hall["rows"],
        positions=hall["positions"],
        row_pitch_m=float(hall["row_pitch_m"]),
        position_pitch_m=float(hall["position_pitch_m"]),
        origin_m=(float(x), float(y)),
        network_rows=tuple(sorted(hall["network_rows"])),
        rack_limit=RackLimit(_float(limit, "power_kw"), _float(limit, "weight_kg"), limit["height_u"]),
        path=path,
    )


def _group(group: Data, i: int, data: Data) -> ComputeGroup:
    path = ("compute", i)
    return ComputeGroup(
        name=group["name"],
        rack=group["rack"],
        count=_count(group, path),
        unit_racks=group["unit_racks"],
        halls=tuple(group.get("halls", [hall["name"] for hall in data["halls"]])),
        units_per_hall=group.get("units_per_hall"),
        nodes_per_rack=group.get("nodes_per_rack"),
        without=tuple(group["without"]),
        path=path,
    )


def _count(counted: Data, path: Path) -> Count:
    kind = next(kind for kind in ("gpus", "racks", "units") if kind in counted)
    return Count(kind, counted[kind], (*path, kind))


def _fabric(fabric: Data, i: int, data: Data) -> Fabric:
    core = "joins" in fabric
    managers = fabric.get("managers")
    tiers = fabric["tiers"]
    return Fabric(
        name=fabric["name"],
        kind=fabric["kind"],
        protocol=fabric.get("protocol") or _joined_protocol(fabric, data),
        connects="" if core else fabric.get("connects", "compute"),
        compute=tuple(fabric.get("compute", ())),
        switch=fabric["switch"],
        port_gbps=fabric["port_gbps"],
        uplink_gbps=fabric.get("uplink_gbps", fabric["port_gbps"]),
        planes=fabric["planes"],
        tiers=None if tiers == "auto" else tiers,
        oversubscription=_oversubscription(fabric["oversubscription"], core=core),
        island_units=_units(fabric, "islands"),
        sized_for_units=_units(fabric, "sized_for"),
        pod_units=fabric.get("pod_units"),
        leaf_down=fabric.get("leaf_down"),
        leaf_sharing=fabric["leaf_sharing"],
        halls=tuple(fabric.get("halls", ())),
        place=Place(**fabric["place"]),
        managers=Managers(**managers) if managers else None,
        joins=tuple(fabric.get("joins", ())),
        keys=fabric,
        path=("fabrics", i),
    )


def _joined_protocol(core: Data, data: Data) -> str:
    """Protocol of the first fabric a core joins."""
    protocols: dict[str, str] = {fabric["name"]: fabric.get("protocol", "") for fabric in data["fabrics"]}
    return protocols[core["joins"][0]]


def _oversubscription(ratio: Data | float, *, core: bool) -> Oversubscription:
    if isinstance(ratio, Mapping):
        return Oversubscription(float(ratio.get("leaf", 1)), float(ratio.get("spine", 1)))
    return Oversubscription(core=float(ratio)) if core else Oversubscription(leaf=float(ratio))


def _stages(data: Data, compute: Sequence[ComputeGroup]) -> tuple[Stage, ...]:
    if "stages" not in data:
        return (Stage("all", tuple((group.name, group.count) for group in compute), path=("compute",)),)
    return tuple(
        Stage(
            stage["name"],
            tuple(
                (group.name, _count(stage["add"][group.name], ("stages", i, "add", group.name)))
                for group in compute
                if group.name in stage["add"]
            ),
            needs(stage, ("stages", i)),
            ("stages", i),
        )
        for i, stage in enumerate(data["stages"])
    )


def _slurm(data: Data, groups: Sequence[str]) -> Slurm:
    slurm = data["slurm"]
    given = [(one["name"], one["compute"]) for one in slurm.get("clusters", ())]
    clusters = tuple(
        SlurmCluster(name, tuple(compute), ("slurm", "clusters", i))
        for i, (name, compute) in enumerate(given or [(data["name"], groups)])
    )
    partitions = tuple(
        Partition(
            name=one["name"],
            compute=tuple(one["compute"]),
            default=one["default"],
            max_time=one["max_time"],
            topology=one.get("topology"),
            path=("slurm", "partitions", i),
        )
        for i, one in enumerate(slurm.get("partitions", ()))
    )
    return Slurm(
        partitions=partitions or _partition_per_group(clusters, groups),
        clusters=clusters,
        controllers=tuple(slurm["controllers"]),
        release=slurm["release"],
        max_nodes=slurm["max_nodes"],
        imex_channels=slurm["imex_channels"],
        path=("slurm",),
    )


def _partition_per_group(clusters: Sequence[SlurmCluster], groups: Sequence[str]) -> tuple[Partition, ...]:
    """A partition of every group in a Slurm cluster, in group order; the first of each is its default."""
    homes = {group: cluster.name for cluster in clusters for group in cluster.compute}
    places = {group: i for i, group in enumerate(groups)}
    first: dict[str, str] = {}
    for group in groups:
        if group in homes:
            first.setdefault(homes[group], group)
    return tuple(
        Partition(group, (group,), group == first[homes[group]], path=("compute", places[group]))
        for group in groups
        if group in homes
    )


def _units(fabric: Data, key: str) -> int | None:
    size = fabric.get(key)
    return size["units"] if size else None


def _float(data: Data, key: str) -> float | None:
    return float(data[key]) if key in data else None
