"""Rails of a cell: interface, link and addresses of each."""

from dataclasses import dataclass

from topology.artifacts.kubernetes.cell import CellView
from topology.plan import Plan
from topology.spec.kubernetes import Kubernetes
from topology.views.rails import Rail, rails, slots, subnet

# Tags that NVIDIA gives one release of the network operator: Mellanox/network-operator, example/crs, nicclusterpolicy
RELEASE = "network-operator-v26.1.0"
DRIVER = "doca3.3.0-26.01-0.7.1.0-0"
LINKS = {"infiniband": "IB", "roce": "ETH"}  # sriovnetwork.openshift.io/v1, SriovNetworkNodePolicy.spec.linkType


@dataclass(frozen=True, slots=True)
class RailView:
    """A rail of a cell."""

    name: str
    interface: str
    link: str
    groups: tuple[str, ...]  # that have it
    subnet: str
    gateway: str


def rail_views(plan: Plan, kubernetes: Kubernetes, cell: CellView) -> tuple[RailView, ...]:
    """Rails of a cell, over its groups."""
    known: dict[str, Rail] = {}
    members: dict[str, list[str]] = {}
    for group in cell.groups:
        for rail in rails(plan, kubernetes, group.index):
            known.setdefault(rail.name, rail)
            members.setdefault(rail.name, []).append(group.name)
    count = slots(plan, kubernetes)
    found = []
    for rail in sorted(known.values(), key=lambda rail: rail.index):
        network = subnet(kubernetes, cell.number, count, rail)
        gateway = str(network[-2])  # the last address below the broadcast: blocks of nodes begin at the first
        names = tuple(members[rail.name])
        found.append(RailView(rail.name, rail.interface, LINKS[rail.protocol], names, str(network), gateway))
    return tuple(found)
