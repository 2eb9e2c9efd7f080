"""Rails as Kubernetes sees them: a resource, a network and a pool of addresses for each, in every cell."""

from dataclasses import dataclass
from ipaddress import IPv4Network

from topology.plan.plan import Plan
from topology.spec.kubernetes import Kubernetes
from topology.views.localities import fabric_of

SLOTS = 8  # pools that every cell keeps at least, so that a group with fewer rails moves no address
KEPT = 3  # addresses of a pool that no node gets: those of the network, its gateway and its broadcast


@dataclass(frozen=True, slots=True)
class Rail:
    """One compute NIC of a node, in one plane."""

    name: str  # of its resource, network and pool: rail0, in plane 1 of two rail0p1
    interface: str
    protocol: str  # infiniband or roce
    index: int  # among the rails of the cell: which of its pools is this one's


def rails(plan: Plan, kubernetes: Kubernetes, group: int) -> tuple[Rail, ...]:
    """Rails of a group's nodes; those of a second compute fabric in the same pool are net2rail0 and so on."""
    fabric = fabric_of(plan, group)
    fabrics = _fabrics(plan, kubernetes, group)
    made: list[Rail] = []
    for at, name in enumerate(fabrics):
        known = next(each for each in plan.spec.fabrics if each.name == name)
        first = "" if at == 0 else f"net{at + 1}"
        own = [
            (f"rail{rail}{plane}", f"{kubernetes.rails.interface.format(rail=rail)}{plane}")
            for rail in range(_nics(plan, name, kubernetes, group))
            for plane in ([f"p{number + 1}" for number in range(known.planes)] if known.planes > 1 else [""])
        ]
        placed = [
            Rail(first + rail, interface, known.protocol, len(made) + i) for i, (rail, interface) in enumerate(own)
        ]
        if name == fabric:
            return tuple(placed[: _own_nics(plan, group) * known.planes])
        made += placed
    return ()


def slots(plan: Plan, kubernetes: Kubernetes) -> int:
    """Pools that every cell keeps: a power of two, for the most rails that a pool's groups have."""
    most = max(
        (each.index + 1 for at in range(len(plan.spec.compute)) for each in rails(plan, kubernetes, at)), default=1
    )
    return max(SLOTS, 1 << (most - 1).bit_length())


def prefix(kubernetes: Kubernetes) -> int:
    """Prefix length of every pool: as the spec has it, else of the smallest that holds a cell."""
    if kubernetes.rails.pool_prefix is not None:
        return kubernetes.rails.pool_prefix
    wanted = kubernetes.max_nodes_per_cell * kubernetes.rails.addresses_per_node + KEPT
    return 32 - (wanted - 1).bit_length()


def room(kubernetes: Kubernetes) -> tuple[int, int]:
    """Nodes that one pool holds, and pools that the range of the spec holds."""
    size, length = prefix(kubernetes), IPv4Network(kubernetes.rails.cidr).prefixlen
    nodes = ((1 << (32 - size)) - KEPT) // kubernetes.rails.addresses_per_node
    return nodes, 1 << (size - length) if size >= length else 0


def subnet(kubernetes: Kubernetes, cell_number: int, slot_count: int, rail: Rail) -> IPv4Network:
    """Pool of a rail of the cell with a number from 1; K109 finds those that lie behind the range of the spec."""
    length = prefix(kubernetes)
    start = int(IPv4Network(kubernetes.rails.cidr).network_address)
    at = (cell_number - 1) * slot_count + rail.index
    return IPv4Network(((start + (at << (32 - length))) & 0xFFFFFFFF & ~((1 << (32 - length)) - 1), length))


def _fabrics(plan: Plan, kubernetes: Kubernetes, group: int) -> list[str]:
    """Compute fabrics of the group's pool, in the order of its groups."""
    pool = next(pool for pool in kubernetes.pools if plan.spec.compute[group].name in pool.compute)
    index = {each.name: at for at, each in enumerate(plan.spec.compute)}
    named = [fabric_of(plan, index[name]) for name in pool.compute]
    return list(dict.fromkeys(name for name in named if name is not None))


def _nics(plan: Plan, fabric: str, kubernetes: Kubernetes, group: int) -> int:
    """Most compute NICs of a node on the fabric, over the groups of the pool."""
    pool = next(pool for pool in kubernetes.pools if plan.spec.compute[group].name in pool.compute)
    members = [at for at, each in enumerate(plan.spec.compute) if each.name in pool.compute]
    return max(_own_nics(plan, at) for at in members if fabric_of(plan, at) == fabric)


def _own_nics(plan: Plan, group: int) -> int:
    node = plan.catalog.nodes[plan.catalog.racks[plan.spec.compute[group].rack].node]
    return sum(nic.count for nic in node.nics if nic.role == "compute")
