"""Dragonfly+: groups that are complete bipartite leaf–spine graphs, with global links between any two groups.

Every leaf of a group has a link to each of its spines, and every group has `global_links` to each other group, given
to its spines in turn. So two nodes of different groups are at most three switch-to-switch hops apart: up, across, down.

Source: Shpiner, Haramaty, Eliad, Zdornov, Gafni, Zahavi, "Dragonfly+: Low Cost Topology for Scaling Datacenters",
HiPINEB 2017 (with HPCA).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np

from topology.expand.fabrics import (
    U32,
    DeployedPiece,
    Endpoints,
    FabricDemand,
    FabricDesign,
    Links,
    LocalityLevel,
    Switches,
    SwitchPorts,
    Tier,
)
from topology.expand.fabrics.clos import ports
from topology.expand.fabrics.clos.design import UNICAST_LIDS, lids, rate_problems
from topology.expand.fabrics.clos.leaves import attach, leaf_tier
from topology.expand.fabrics.clos.services import free_ports
from topology.expand.fabrics.clos.shape import Leaves
from topology.findings import FindingsError
from topology.spec.networks import KindWords

TIERS = ("leaf", "spine")
HOPS = ("node-leaf", "leaf-spine", "spine-spine")
WORDS = KindWords(frozenset({"groups", "global_links", "leaf_down"}))
LEAF, SPINE = range(2)


def design(demand: FabricDemand) -> FabricDesign:
    """Groups of as many units each, and the fewest spines that take the leaves below and the global links.

    Raises:
        FindingsError: rates, ports or LIDs are missing, or the groups do not divide the units.
    """
    if problems := rate_problems(demand):
        raise FindingsError(problems)
    units, groups = demand.sized_units, demand.fabric.keys.get("groups", demand.sized_units)
    if units % groups:
        fit = [count for count in range(1, units + 1) if units % count == 0]
        near = sorted(sorted(fit, key=lambda count: abs(count - groups))[:2])
        raise demand.refused(
            "N202",
            "groups",
            f"{groups} groups do not divide {units} units, so they would differ in size",
            f"write groups: {' or '.join(map(str, near))}, or sized_for: {{units: {ceil(units / groups) * groups}}}",
        )
    leaves = leaf_tier(demand, rails=demand.nics)
    each = demand.fabric.keys.get("global_links", 1)
    made = _design(demand, leaves, groups, each)
    if made is None:
        count = units // groups * leaves.per_run
        raise demand.refused(
            "N201",
            "groups",
            f"{groups} groups of {count} leaves with {leaves.up} uplinks and {each} global links to each other group "
            f"need more spine ports than {demand.switch.slug} has at {demand.fabric.uplink_gbps} Gb/s",
            "write more groups, fewer global_links, or take a switch with more ports",
        )
    need = lids(demand, groups * (made.group_leaves + made.spines))
    if demand.fabric.protocol == "infiniband" and need > UNICAST_LIDS:
        message = f"its HCA ports and switches need {need:,} LIDs; an InfiniBand subnet has {UNICAST_LIDS:,}"
        raise demand.refused("N203", "groups", message, "take fewer units, or more planes of NICs that have the ports")
    return made


def _design(demand: FabricDemand, leaves: Leaves, groups: int, each: int) -> "DragonflyDesign | None":
    """The design with the fewest spines; None where no number of them has the ports."""
    radix = ports.capacity(demand.switch, demand.fabric.uplink_gbps)
    for spines in range(1, leaves.up + 1):
        made = DragonflyDesign(demand, leaves, groups, each, spines)
        if leaves.up % spines == 0 and made.spine_down + ceil(each * (groups - 1) / spines) <= radix:
            return made
    return None


@dataclass(frozen=True, slots=True)
class DragonflyDesign:
    """Groups of leaves and spines in each plane: `FabricDesign` says what each method gives."""

    demand: FabricDemand
    leaves: Leaves
    groups: int  # when all units are there
    each: int  # global links between two groups
    spines: int  # of a group

    @property
    def group_units(self) -> int:
        """Units of a group."""
        return self.demand.sized_units // self.groups

    @property
    def group_leaves(self) -> int:
        """Leaves of a full group."""
        return self.group_units * self.leaves.per_run

    @property
    def spine_down(self) -> int:
        """Leaf ports of a spine."""
        return self.group_leaves * (self.leaves.up // self.spines)

    @property
    def kept_ports(self) -> int:  # noqa: D102
        return 0

    def islands(self, units: int) -> int:  # noqa: D102
        del units
        return 1

    def tiers(self) -> tuple[Tier, ...]:  # noqa: D102
        leaves, fabric, across = self.leaves, self.demand.fabric, self.each * (self.groups - 1)
        taper = leaves.down * fabric.port_gbps / (leaves.up * fabric.uplink_gbps)
        around = self.group_leaves * leaves.up / across if across else None
        return (
            Tier(TIERS[LEAF], "leaf groups", leaves.down, leaves.up, taper=taper),
            Tier(TIERS[SPINE], "groups", self.spine_down, 0, taper=around),
        )

    def count(self, units: int) -> tuple[int, ...]:
        """Switches of each tier in one plane; a group that is begun has all of its spines."""
        return units * self.leaves.per_run, ceil(units / self.group_units) * self.spines

    def switches(self, units: int) -> Switches:  # noqa: D102
        leaf, spine = (np.arange(number, dtype=np.uint32) for number in self.count(units))
        unit, leaf_index = np.divmod(leaf, np.uint32(self.leaves.per_run))
        group, spine_index = np.divmod(spine, np.uint32(self.spines))
        size = np.uint32(self.group_units)
        first, one = np.concatenate([unit, group * size]), np.ones_like(unit)
        columns = (
            np.repeat(np.arange(2, dtype=np.uint32), [len(leaf), len(spine)]),
            np.zeros_like(first),
            np.concatenate([unit, group]),
            np.concatenate([leaf_index, spine_index]),
            first,
            np.concatenate([one, np.full_like(group, size)]),
            np.full(len(first), DeployedPiece.POD, np.uint8),
            first // size,
        )
        planes = self.demand.fabric.planes
        plane = np.repeat(np.arange(planes, dtype=np.uint32), len(first))
        return Switches(plane, *(np.tile(column, planes) for column in columns))

    def most_beside(self, tier: int, units: int) -> int:  # noqa: D102
        begun = ceil(units / self.group_units) + (self.group_units > 1)  # a row may begin within a group
        return self.demand.fabric.planes * (units * self.leaves.per_run if tier == LEAF else begun * self.spines)

    def links(self, nodes: Endpoints, services: Endpoints) -> Iterator[Links]:  # noqa: D102
        demand, fabric, number = self.demand, self.demand.fabric, self.count(self.demand.units)
        down, up = ports.blocks(demand.switch, self.leaves.down, fabric.port_gbps, fabric.uplink_gbps)
        leaf, port = attach(self.leaves, nodes.unit, nodes.place, nodes.rail, demand.unit_slots)
        at_leaf = SwitchPorts(leaf + nodes.plane * np.uint32(sum(number)), *down.locate(port))
        yield Links(HOPS[0], fabric.port_gbps, nodes.plane, nodes, at_leaf)
        below, across = ports.blocks(demand.switch, self.spine_down, fabric.uplink_gbps, fabric.uplink_gbps)
        for plane in range(fabric.planes):
            first = np.uint32(plane * sum(number))
            yield self._between(HOPS[1], plane, *self._local(first, up, below))
            yield self._between(HOPS[2], plane, *self._global(first + np.uint32(number[LEAF]), across))
        if len(services.row):
            free = free_ports(demand, self.leaves, nodes, services, down)
            yield Links(HOPS[0], fabric.port_gbps, services.plane, services, free, any_order=True)

    def _between(self, hop: str, plane: int, a: SwitchPorts, b: SwitchPorts) -> Links:
        planes = np.full(len(a.switch), plane, np.uint32)
        return Links(hop, self.demand.fabric.uplink_gbps, planes, a, b, any_order=True)

    def _local(self, first: np.uint32, up: ports.CageBlock, below: ports.CageBlock) -> tuple[SwitchPorts, SwitchPorts]:
        """Uplink u of a leaf goes to spine u // links of its group, `links` of them to each."""
        leaves, links = self.leaves, np.uint32(self.leaves.up // self.spines)
        number = self.count(self.demand.units)[LEAF]
        leaf, uplink = np.divmod(np.arange(number * leaves.up, dtype=np.uint32), np.uint32(leaves.up))
        group, within = np.divmod(leaf, np.uint32(self.group_leaves))
        spine, lane = np.divmod(uplink, links)
        spine += group * np.uint32(self.spines) + np.uint32(number)
        port = below.locate(within * links + lane)
        return SwitchPorts(leaf + first, *up.locate(uplink)), SwitchPorts(spine + first, *port)

    def _global(self, first: np.uint32, across: ports.CageBlock) -> tuple[SwitchPorts, SwitchPorts]:
        """Links of every two groups that exist, whose spines begin at `first`.

        Group g counts its links by the other group, itself left out, and gives them to its spines in turn; so neither
        a group to come nor its links move one that is there.
        """
        groups = ceil(self.demand.units / self.group_units)
        low, high = (np.repeat(side.astype(np.uint32), self.each) for side in np.triu_indices(groups, k=1))
        lane = np.arange(len(low), dtype=np.uint32) % np.uint32(self.each)
        ends = []
        for group, other in ((high, low), (low, high - np.uint32(1))):  # a cable belongs to the later group
            port, spine = np.divmod(other * np.uint32(self.each) + lane, np.uint32(self.spines))
            ends.append(SwitchPorts(first + group * np.uint32(self.spines) + spine, *across.locate(port)))
        return ends[0], ends[1]

    def kept(self) -> tuple[U32, SwitchPorts]:  # noqa: D102
        none = np.zeros(0, np.uint32)
        return none, SwitchPorts(none, 0, 0)

    def localities(self) -> tuple[LocalityLevel, ...]:
        """Leaf groups, and the groups that spines join."""
        leaves, units = self.leaves, self.demand.units
        unit, seat = np.divmod(np.arange(units * leaves.groups, dtype=np.uint32), np.uint32(leaves.groups))
        within = seat + np.uint32(1) if leaves.groups > 1 else None
        number = np.arange(1, ceil(units / self.group_units) + 1, dtype=np.uint32)
        places = self.group_units * self.demand.unit_slots
        parent = unit // np.uint32(self.group_units)
        return (
            LocalityLevel("leaf-group", TIERS[LEAF], leaves.group_nodes, unit + np.uint32(1), within, parent),
            LocalityLevel("group", TIERS[SPINE], places, number, None, None),
        )

    def locality_of(self, unit: U32, place: U32) -> U32:  # noqa: D102
        return unit * np.uint32(self.leaves.groups) + place // np.uint32(self.leaves.group_nodes)
