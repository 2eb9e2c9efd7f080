"""The Kubernetes of a spec: cells, labels, queues and operators, from checked data to the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from topology.findings import Path

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pool:
    """Groups that share cells."""

    name: str
    compute: tuple[str, ...]
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Queue:
    """A Kueue ClusterQueue of every cell that has nodes of its groups."""

    name: str
    compute: tuple[str, ...]
    share: int  # against the shares of the other queues of a group
    namespace: str
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Rails:
    """Networks of the rails."""

    network: str  # "host-device" or "sriov"
    interface: str  # format of an interface's name; field rail
    virtual_functions: int
    mtu_bytes: int
    cidr: str
    addresses_per_node: int
    pool_prefix: int | None = None  # None: the smallest that holds a cell
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Metal3:
    """How the BMC of a node is reached; formats with the field node."""

    namespace: str
    bmc_address: str
    credentials_ref: str  # name of a Secret


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """What Kubernetes needs beyond the hardware."""

    max_nodes_per_cell: int
    pools: tuple[Pool, ...]  # never empty: every group is in one
    labels: str  # "topograph-v1", "topograph-v0" or "own"
    label_prefix: str
    queues: tuple[Queue, ...]  # never empty
    priorities: tuple[tuple[str, int], ...]  # name and value
    volcano: bool
    gpu_operator: bool
    dra: bool
    max_nodes_per_imex_domain: int
    network_operator: bool
    rails: Rails
    slinky: bool
    metal3: Metal3 | None
    kwok: bool
    image_registry: str
    path: Path = ()


def kubernetes(data: Data) -> Kubernetes | None:
    """Kubernetes of data whose defaults are filled in; None when the spec has none."""
    if "kubernetes" not in data:
        return None
    given: Data = data["kubernetes"]
    path = ("kubernetes",)
    groups = [group["name"] for group in data["compute"]]
    rails, metal3 = given["rails"], given.get("metal3")
    return Kubernetes(
        max_nodes_per_cell=given["max_nodes_per_cell"],
        pools=_pools(given, groups),
        labels=given["labels"],
        label_prefix=given["label_prefix"],
        queues=_queues(given, groups),
        priorities=tuple((one["name"], one["value"]) for one in given["priorities"]),
        volcano=given["volcano"],
        gpu_operator=given["gpu_operator"],
        dra=given["dra"],
        max_nodes_per_imex_domain=given["max_nodes_per_imex_domain"],
        network_operator=given["network_operator"],
        rails=Rails(**rails, path=(*path, "rails")),
        slinky=given["slinky"],
        metal3=Metal3(**metal3) if metal3 is not None else None,
        kwok=given["kwok"],
        image_registry=given["image_registry"],
        path=path,
    )


def _pools(given: Data, groups: Sequence[str]) -> tuple[Pool, ...]:
    """Pools as written, then one for each group that is in none of them."""
    written = [
        Pool(one["name"], tuple(one["compute"]), ("kubernetes", "pools", i))
        for i, one in enumerate(given.get("pools", ()))
    ]
    shared = {group for pool in written for group in pool.compute}
    alone = [Pool(name, (name,), ("compute", i)) for i, name in enumerate(groups) if name not in shared]
    return (*written, *alone)


def _queues(given: Data, groups: Sequence[str]) -> tuple[Queue, ...]:
    """Queues as written, else one per group."""
    if "queues" not in given:
        return tuple(Queue(name, (name,), 1, name, ("compute", i)) for i, name in enumerate(groups))
    return tuple(
        Queue(
            one["name"],
            tuple(one.get("compute", groups)),
            one["share"],
            one.get("namespace", one["name"]),
            ("kubernetes", "queues", i),
        )
        for i, one in enumerate(given["queues"])
    )
