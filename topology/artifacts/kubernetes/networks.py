"""Rails of a cell: interface, link and addresses of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from topology.artifacts.kubernetes.groups import GroupView
from topology.plan import Plan
from topology.plan.rails import Rail, rails, slots, subnet
from topology.spec.kubernetes import Kubernetes

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


def rail_views(plan: Plan, kubernetes: Kubernetes, number: int, groups: Sequence[GroupView]) -> tuple[RailView, ...]:
    """Rails of the cell with a number, over its groups."""
    known: dict[str, Rail] = {}
    members: dict[str, list[str]] = {}
    for group in groups:
        for rail in rails(plan, kubernetes, group.index):
            known.setdefault(rail.name, rail)
            members.setdefault(rail.name, []).append(group.name)
    count = slots(plan, kubernetes)
    found = []
    for rail in sorted(known.values(), key=lambda rail: rail.index):
        network = subnet(kubernetes, number, count, rail)
        gateway = str(network[-2])  # the last address below the broadcast: blocks of nodes begin at the first
        names = tuple(members[rail.name])
        found.append(RailView(rail.name, rail.interface, LINKS[rail.protocol], names, str(network), gateway))
    return tuple(found)
