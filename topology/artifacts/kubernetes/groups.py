"""Compute groups of a cell as Kubernetes sees them: what a node offers, and the levels around it."""

from dataclasses import dataclass

import polars as pl

from topology.catalog.model import Node
from topology.plan import Plan
from topology.spec.kubernetes import Kubernetes
from topology.views.node_labels import LabelLevel, levels
from topology.views.rails import Rail, rails

GPU = "nvidia.com/gpu"  # as NVIDIA's device plugin advertises them


@dataclass(frozen=True, slots=True)
class GroupView:
    """A compute group in a cell: a flavor, a topology, a node set."""

    index: int  # in the spec
    name: str
    nodes: int  # that stand
    gpus: int  # of a node
    levels: tuple[LabelLevel, ...]  # widest first
    amounts: tuple[tuple[str, int, str], ...]  # resource, amount of a node, unit behind the amount
    rack_scale: bool  # a rack is one NVLink domain

    def resources(self, nodes: int) -> tuple[tuple[str, str], ...]:
        """What some nodes offer, by resource."""
        return tuple((name, _written(amount * nodes, unit)) for name, amount, unit in self.amounts)


def group_view(plan: Plan, kubernetes: Kubernetes, index: int, nodes: int) -> GroupView:
    """A group with `nodes` nodes."""
    compute = plan.spec.compute[index]
    return GroupView(
        index=index,
        name=compute.name,
        nodes=nodes,
        gpus=node_of(plan, index).gpus,
        levels=levels(plan, kubernetes, index),
        amounts=tuple(_amounts(plan, kubernetes, index)),
        rack_scale=plan.catalog.racks[compute.rack].nvlink is not None,
    )


def cell_groups(plan: Plan, kubernetes: Kubernetes, stood: pl.DataFrame) -> tuple[GroupView, ...]:
    """Groups that have nodes among the rows of `quotas.nodes_by_cell`, in the order of the spec."""
    sums = stood.group_by("group").agg(pl.col("nodes").sum()).filter(pl.col("nodes") > 0).sort("group")
    return tuple(group_view(plan, kubernetes, index, nodes) for index, nodes in sums.iter_rows())


def node_of(plan: Plan, index: int) -> Node:
    """The product that a group's nodes are."""
    return plan.catalog.nodes[plan.catalog.racks[plan.spec.compute[index].rack].node]


def functions(kubernetes: Kubernetes) -> int:
    """Pods that can use a rail of a node at once."""
    return kubernetes.rails.virtual_functions if kubernetes.rails.network == "sriov" else 1


def rail_resource(rail: Rail) -> str:
    """Resource of a rail; both device plugins advertise under nvidia.com here."""
    return f"nvidia.com/{rail.name}"


def _written(amount: int, unit: str) -> str:
    """An amount as an API server writes it: in the largest unit that leaves it whole, so that it reads back equal."""
    if not amount:
        return "0"
    larger = {"Mi": "Gi", "Gi": "Ti", "Ti": "Pi"}
    while unit in larger and amount % 1024 == 0:
        amount, unit = amount // 1024, larger[unit]
    return f"{amount}{unit}"


def _amounts(plan: Plan, kubernetes: Kubernetes, index: int) -> list[tuple[str, int, str]]:
    node = node_of(plan, index)
    own = [
        ("cpu", node.sockets * node.cores_per_socket * node.threads_per_core, ""),
        ("memory", node.memory_mb, "Mi"),
        (GPU, node.gpus, ""),
    ]
    ports = rails(plan, kubernetes, index) if kubernetes.network_operator else ()
    return own + [(rail_resource(rail), functions(kubernetes), "") for rail in ports]
