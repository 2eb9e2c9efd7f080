"""Switches, links and localities of a Clos fabric, in closed form.

All existing leaves, spines and cores are a prefix of the sized ones, so their row numbers
follow from divisions alone, and growth up to `sized_for` adds rows without moving a cable.
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
    Links,
    LocalityLevel,
    Switches,
    SwitchPorts,
    Tier,
)
from topology.expand.fabrics.clos import ports
from topology.expand.fabrics.clos.leaves import attach
from topology.expand.fabrics.clos.services import free_ports
from topology.expand.fabrics.clos.shape import Shape
from topology.spec.networks import KindWords

LEAF, SPINE, CORE = range(3)
TIERS = ("leaf", "spine", "core")
HOPS = ("node-leaf", "leaf-spine", "spine-core")
WORDS = KindWords(frozenset({"tiers", "islands", "pod_units", "leaf_down", "leaf_sharing"}))
_GROUPS = ("leaf groups", "pods", "islands")  # of switches, by tier
_LOCALITIES = ("leaf-group", "pod", "island")


@dataclass(frozen=True, slots=True)
class ClosDesign:
    """A tree per plane and island: `FabricDesign` says what each method gives."""

    demand: FabricDemand
    shape: Shape

    @property
    def kept_ports(self) -> int:  # noqa: D102
        return self.shape.tops * self.shape.core_up

    def islands(self, units: int) -> int:  # noqa: D102
        return ceil(units / self.shape.island_units)

    def tiers(self) -> tuple[Tier, ...]:  # noqa: D102
        shape, fabric = self.shape, self.demand.fabric
        down = (shape.leaves.down, shape.spine_down, shape.core_down)
        up = (shape.leaves.up, shape.spine_up, 0)
        rates = ((fabric.port_gbps, fabric.uplink_gbps), (1, 1), (1, 1))
        return tuple(
            Tier(
                TIERS[at],
                _GROUPS[at],
                down[at],
                up[at],
                shape.core_up if at == shape.tiers - 1 else 0,
                taper=down[at] * rates[at][0] / (up[at] * rates[at][1]) if up[at] else None,
                rails=shape.leaves.rails if at == LEAF and shape.leaves.rails < self.demand.nics else None,
            )
            for at in range(shape.tiers)
        )

    def count(self, units: int) -> tuple[int, ...]:
        """Switches of each tier in one plane; a started pod or island has all of its own."""
        shape = self.shape
        runs = ceil(units / shape.leaves.run_units)
        full, rest = divmod(runs, shape.island_runs)
        pods = full * shape.island_pods + ceil(rest / shape.pod_runs) * shape.pod_columns
        every = (runs * shape.leaves.per_run, pods * shape.spines, ceil(runs / shape.island_runs) * shape.island_cores)
        return every[: shape.tiers]

    def switches(self, units: int) -> Switches:  # noqa: D102
        shape = self.shape
        parts = [self._tier(at, number) for at, number in enumerate(self.count(units))]
        tier = np.repeat(np.arange(len(parts), dtype=np.uint32), [len(part[0]) for part in parts])
        island, group, index, unit, span, pod = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        number = np.where(tier == CORE, group, pod)
        piece = np.where(tier == CORE, DeployedPiece.CORE, DeployedPiece.POD).astype(np.uint8)
        planes, one = self.demand.fabric.planes, len(tier)
        plane = np.repeat(np.arange(planes, dtype=np.uint32), one)
        run_units = np.uint32(shape.leaves.run_units)
        columns = (tier, island, group, index, unit * run_units, span * run_units, piece, number)
        return Switches(plane, *(np.tile(column, planes) for column in columns))

    def _tier(self, tier: int, number: int) -> tuple[U32, U32, U32, U32, U32, U32]:
        """Island, group, index, first run, runs and pod of the first switches of a tier in one plane."""
        shape = self.shape
        switch = np.arange(number, dtype=np.uint32)
        if tier == LEAF:
            run, index = np.divmod(switch, np.uint32(shape.leaves.per_run))
            return run // np.uint32(shape.island_runs), run, index, run, np.ones_like(run), self._pod(run, index)
        if tier == CORE:
            island, index = np.divmod(switch, np.uint32(shape.island_cores))
            span = np.full_like(island, shape.island_runs)
            return island, island, index, island * np.uint32(shape.island_runs), span, island
        pod, index = np.divmod(switch, np.uint32(shape.spines))
        island, within = np.divmod(pod, np.uint32(shape.island_pods))
        first = within // np.uint32(shape.pod_columns) * np.uint32(shape.pod_runs)
        span = np.minimum(
            np.uint32(shape.island_runs) - first, np.uint32(shape.pod_runs)
        )  # an island's last may be short
        return island, pod, index, island * np.uint32(shape.island_runs) + first, span, pod

    def _pod(self, run: U32, index: U32) -> U32:
        """Pod of leaves; without a third tier an island is one."""
        shape = self.shape
        island, within = np.divmod(run, np.uint32(shape.island_runs))
        step = within // np.uint32(shape.pod_runs)
        column = index // np.uint32(shape.pod_leaves)
        pod: U32 = island * np.uint32(shape.island_pods) + step * np.uint32(shape.pod_columns) + column
        return pod

    def most_beside(self, tier: int, units: int) -> int:
        """Most switches of a tier that begin in a row: those of every leaf run, pod or island that starts in it."""
        shape = self.shape
        each, pod_runs, island_runs = (
            (shape.leaves.per_run, 1, 1),
            (shape.pod_columns * shape.spines, shape.pod_runs, shape.island_runs),
            (shape.island_cores, shape.island_runs, shape.island_runs),
        )[tier]
        islands, runs = divmod(ceil(units / shape.leaves.run_units), island_runs)
        pods = ceil(island_runs / pod_runs)
        started = min(pods, ceil(runs / pod_runs) + 1) if runs else 0  # a shorter pod ends an island
        return each * self.demand.fabric.planes * (islands * pods + started)

    def links(self, nodes: Endpoints, services: Endpoints) -> Iterator[Links]:  # noqa: D102
        demand, fabric, number = self.demand, self.demand.fabric, self.count(self.demand.units)
        leaf, port = attach(self.shape.leaves, nodes.unit, nodes.place, nodes.rail, demand.unit_slots)
        down = leaf_blocks(self)[0]
        at_leaf = SwitchPorts(leaf + nodes.plane * np.uint32(sum(number)), *down.locate(port))
        yield Links(HOPS[0], fabric.port_gbps, nodes.plane, nodes, at_leaf)
        if len(number) > SPINE:
            yield self._between(1, *self._leaf_links(number))
        if len(number) > CORE:
            yield self._between(2, *self._spine_links(number))
        if len(services.row):
            at_leaf = free_ports(demand, self.shape.leaves, nodes, services, down)
            yield Links(HOPS[0], fabric.port_gbps, services.plane, services, at_leaf, any_order=True)

    def _between(self, hop: int, plane_a: SwitchPorts, plane_b: SwitchPorts) -> Links:
        """Links between two tiers, the same in every plane."""
        planes, per_plane = self.demand.fabric.planes, sum(self.count(self.demand.units))
        plane = np.repeat(np.arange(planes, dtype=np.uint32), len(plane_a.switch))
        a, b = (
            SwitchPorts(
                np.tile(one.switch, planes) + plane * np.uint32(per_plane),
                np.tile(one.cage, planes),
                np.tile(one.port, planes),
            )
            for one in (plane_a, plane_b)
        )
        return Links(HOPS[hop], self.demand.fabric.uplink_gbps, plane, a, b)

    def _leaf_links(self, number: tuple[int, ...]) -> tuple[SwitchPorts, SwitchPorts]:
        """Uplink u of a leaf: `leaf_links` neighbouring ones to each spine of its pod."""
        shape = self.shape
        leaves = shape.leaves
        end = np.arange(number[LEAF] * leaves.up, dtype=np.uint32)
        leaf, uplink = np.divmod(end, np.uint32(leaves.up))
        run, index = np.divmod(leaf, np.uint32(leaves.per_run))
        spine, lane = np.divmod(uplink, np.uint32(shape.leaf_links))
        spine += self._pod(run, index) * np.uint32(shape.spines) + np.uint32(number[LEAF])
        run = run % np.uint32(shape.island_runs) % np.uint32(shape.pod_runs)
        index %= np.uint32(shape.pod_leaves)
        port = (run * np.uint32(shape.pod_leaves) + index) * np.uint32(shape.leaf_links) + lane
        up, down = leaf_blocks(self)[1], spine_blocks(self)[0]
        return SwitchPorts(leaf, *up.locate(uplink)), SwitchPorts(spine, *down.locate(port))

    def _spine_links(self, number: tuple[int, ...]) -> tuple[SwitchPorts, SwitchPorts]:
        """Uplink u of a spine: `spine_links` neighbouring ones to each core of its index."""
        shape = self.shape
        end = np.arange(number[SPINE] * shape.spine_up, dtype=np.uint32)
        spine, uplink = np.divmod(end, np.uint32(shape.spine_up))
        pod, index = np.divmod(spine, np.uint32(shape.spines))
        island, pod = np.divmod(pod, np.uint32(shape.island_pods))
        core, lane = np.divmod(uplink, np.uint32(shape.spine_links))
        core += (island * np.uint32(shape.spines) + index) * np.uint32(shape.cores)
        core += np.uint32(number[LEAF] + number[SPINE])
        port = pod * np.uint32(shape.spine_links) + lane
        spine += np.uint32(number[LEAF])
        up, down = spine_blocks(self)[1], core_blocks(self)[0]
        return SwitchPorts(spine, *up.locate(uplink)), SwitchPorts(core, *down.locate(port))

    def kept(self) -> tuple[U32, SwitchPorts]:  # noqa: D102
        shape, planes, number = self.shape, self.demand.fabric.planes, self.count(self.demand.units)
        end = np.arange(self.islands(self.demand.units) * planes * self.kept_ports, dtype=np.uint32)
        top, uplink = np.divmod(end, np.uint32(shape.core_up))
        tree, top = np.divmod(top, np.uint32(shape.tops))
        island, plane = np.divmod(tree, np.uint32(planes))
        top += island * np.uint32(shape.tops) + plane * np.uint32(sum(number)) + np.uint32(sum(number[:-1]))
        up = (leaf_blocks, spine_blocks, core_blocks)[shape.tiers - 1](self)[1]
        return plane, SwitchPorts(top, *up.locate(uplink))

    def localities(self) -> tuple[LocalityLevel, ...]:
        """Leaf groups, then the pods and islands that spines and cores join; the rails of a pod are not told apart."""
        shape, leaves = self.shape, self.shape.leaves
        runs, slots = ceil(self.demand.units / leaves.run_units), self.demand.unit_slots
        run, seat = np.divmod(np.arange(runs * leaves.groups, dtype=np.uint32), np.uint32(leaves.groups))
        sizes = [shape.pod_runs, shape.island_runs] if shape.tiers > CORE else [shape.island_runs] * (shape.tiers - 1)
        parents = [self._level_of(run, size) for size in sizes]
        within = seat + np.uint32(1) if leaves.groups > 1 else None
        parent = parents[0] if parents else None
        levels = [LocalityLevel(_LOCALITIES[0], TIERS[0], leaves.group_nodes, run + np.uint32(1), within, parent)]
        for at, (size, mine) in enumerate(zip(sizes, parents, strict=True), 1):
            first = np.unique(mine, return_index=True)[1]
            parent = parents[at][first] if at < len(parents) else None
            number = np.arange(1, len(first) + 1, dtype=np.uint32)
            places = size * leaves.run_units * slots
            levels.append(LocalityLevel(_LOCALITIES[at], TIERS[at], places, number, None, parent))
        return tuple(levels)

    def _level_of(self, run: U32, size: int) -> U32:
        """Pod or island of so many runs that each run is in; an island begins a new one."""
        island, within = np.divmod(run, np.uint32(self.shape.island_runs))
        return (island * np.uint32(ceil(self.shape.island_runs / size)) + within // np.uint32(size)).astype(np.uint32)

    def locality_of(self, unit: U32, place: U32) -> U32:  # noqa: D102
        leaves = self.shape.leaves
        run, within = np.divmod(unit, np.uint32(leaves.run_units))
        seat = (within * np.uint32(self.demand.unit_slots) + place) // np.uint32(leaves.group_nodes)
        return (run * np.uint32(leaves.groups) + seat).astype(np.uint32)


def leaf_blocks(design: ClosDesign) -> tuple[ports.CageBlock, ports.CageBlock]:
    """Cages of a leaf's node ports and of its uplinks (to spines, or to the core without a second tier)."""
    demand, shape = design.demand, design.shape
    up_gbps = demand.core.gbps if shape.tiers == 1 and demand.core else demand.fabric.uplink_gbps
    return ports.blocks(demand.switch, shape.leaves.down, demand.fabric.port_gbps, up_gbps)


def spine_blocks(design: ClosDesign) -> tuple[ports.CageBlock, ports.CageBlock]:
    """Cages of a spine's leaf ports and of its uplinks (to cores, or to the core fabric)."""
    demand, shape, gbps = design.demand, design.shape, design.demand.fabric.uplink_gbps
    up_gbps = demand.core.gbps if shape.tiers == 2 and demand.core else gbps  # noqa: PLR2004 - tiers
    return ports.blocks(demand.switch, shape.spine_down, gbps, up_gbps)


def core_blocks(design: ClosDesign) -> tuple[ports.CageBlock, ports.CageBlock]:
    """Cages of a core's spine ports and of its ports to the core fabric."""
    demand, gbps = design.demand, design.demand.fabric.uplink_gbps
    return ports.blocks(demand.switch, design.shape.core_down, gbps, demand.core.gbps if demand.core else gbps)
