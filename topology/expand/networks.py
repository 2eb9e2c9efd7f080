"""What each fabric has to connect, and the designs that do it, before and after units have their places."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.catalog.model import Appliance, Catalog, Switch
from topology.expand import demand
from topology.expand.fabrics import U32, Endpoints, FabricDesign
from topology.expand.floor import BoxSize, RowEnd, UnitPlaces
from topology.expand.groups import SizedGroup
from topology.expand.mounting import MountBatch
from topology.expand.nodes import PlacedNodes
from topology.plan import tables
from topology.spec.model import ClusterSpec

APPLIANCES = "appliances"  # key of a fabric's service boxes among what is mounted; its tiers' words are the others


@dataclass(frozen=True, slots=True)
class Networks:
    """Designs of the fabrics, in the order of the spec."""

    spec: ClusterSpec
    catalog: Catalog
    groups: Sequence[SizedGroup]
    designs: Sequence[FabricDesign]

    def rooms(self) -> list[int]:
        """Units to keep places for, per group: its own, or what its fabric is sized for."""
        rooms = [group.units for group in self.groups]
        for asked in (design.demand for design in self.designs if design.demand.groups):
            last = asked.groups[-1]
            rooms[last.index] = max(rooms[last.index], last.units + asked.sized_units - asked.units)
        return rooms

    def row_ends(self) -> list[list[RowEnd]]:
        """Switches that stand at the ends of each group's rows, in the row of the first unit under them."""
        ends: list[list[RowEnd]] = [[] for _ in self.groups]
        for design in self.designs:
            mine = [
                RowEnd(box_size(design.demand.switch), partial(design.most_beside, at))
                for at, tier in enumerate(design.tiers())
                if _in_row_ends(design, tier.word)
            ]
            for group in design.demand.groups:
                ends[group.index] += mine
        return ends

    def boxes(self, places: Sequence[UnitPlaces]) -> Iterator[MountBatch]:
        """What has to be mounted: per fabric its appliances, then each tier's switches."""
        numbers = {hall.name: at for at, hall in enumerate(self.spec.halls)}
        for index, design in enumerate(self.designs):
            fabric = design.demand.fabric
            hall, row, group = _unit_places(design, places)
            product = demand.managers(fabric, self.catalog)
            if product is not None and fabric.managers is not None:
                zero = np.zeros(fabric.managers.count, np.uint32)
                every = np.ones(len(zero), bool)
                yield MountBatch((index, APPLIANCES), box_size(product), zero + hall[0], zero, zero, zero, every)
            sized = design.switches(design.demand.sized_units)
            exists = existing(design)
            named = np.array([numbers[name] for name in fabric.halls], np.uint32)
            for at, tier in enumerate(design.tiers()):
                mine = sized.tier == at
                unit = np.minimum(sized.unit[mine], len(hall) - 1)
                count = len(unit)
                halls = named[np.arange(count, dtype=np.uint64) * len(named) // count] if len(named) else hall[unit]
                rows = row[unit] if _in_row_ends(design, tier.word) else np.zeros_like(unit)
                size = box_size(design.demand.switch)
                yield MountBatch((index, tier.word), size, halls, rows, group[unit], unit, exists[mine])

    def unit_rows(self, design: FabricDesign, placed: PlacedNodes) -> NDArray[np.intp]:
        """Rows of `units` that the fabric connects, in its own order."""
        mine = [np.flatnonzero(placed.unit_group == group.index) for group in design.demand.groups]
        return np.concatenate([*mine, np.zeros(0, np.intp)])

    def switch_stages(self, design: FabricDesign, placed: PlacedNodes) -> NDArray[np.uint16]:
        """First stage of each switch: that of the earliest unit that hangs on it."""
        stages = placed.unit_stage[self.unit_rows(design, placed)]
        switches = design.switches(design.demand.units)
        first = stages[np.minimum(switches.unit, len(stages) - 1)]
        start = 0
        for group in design.demand.groups:
            inside = (switches.unit <= start) & (start < switches.unit + switches.units)
            first = np.where(inside, np.minimum(first, stages[start]), first)
            start += group.units
        return first.astype(np.uint16)

    def unit_of_nodes(self, design: FabricDesign, placed: PlacedNodes) -> NDArray[np.int32]:
        """Unit of the fabric, from 0, of every node of the plan; -1 for a node that it does not connect."""
        unit = np.full(len(placed.unit_group), -1, np.int32)
        mine = self.unit_rows(design, placed)
        unit[mine] = np.arange(len(mine), dtype=np.int32)
        return unit[placed.node_unit]

    def node_ends(self, design: FabricDesign, placed: PlacedNodes, nics: pl.DataFrame) -> Endpoints:
        """NIC ports of the fabric's role, in the order of the table of NICs; NIC port p is in plane p."""
        fabric, unit, node = design.demand.fabric, self.unit_of_nodes(design, placed), nics["node"].to_numpy()
        role = tables.ROLES.categories.to_list().index(fabric.connects)
        card = np.flatnonzero((nics["role"].to_physical().to_numpy() == role) & (unit[node] >= 0))
        node = node[card]
        plane = np.repeat(np.arange(fabric.planes, dtype=np.uint32), len(card))
        columns = (
            unit[node].astype(np.uint32),
            placed.node_rack[node],
            placed.node_place[node],
            nics["index"].to_numpy()[card].astype(np.uint32),
        )
        return Endpoints(
            "nics",
            np.tile(card.astype(np.uint32), fabric.planes),
            1,
            (plane + np.uint32(1)).astype(np.uint8),
            plane,
            np.tile(placed.unit_stage[placed.node_unit[node]], fabric.planes),
            *(np.tile(each, fabric.planes) for each in columns),
        )


def _unit_places(design: FabricDesign, places: Sequence[UnitPlaces]) -> tuple[U32, U32, U32]:
    """Hall, row and group of every unit the fabric, or the first that it joins, is sized for."""
    mine = (design.demand.joined or (design,))[0].demand
    counts = [group.units for group in mine.groups]
    counts[-1] += mine.sized_units - mine.units
    parts = [
        (places[g.index].hall[:n], places[g.index].row[:n], np.full(n, g.index))
        for g, n in zip(mine.groups, counts, strict=True)
    ]
    return tuple(np.concatenate(column).astype(np.uint32) for column in zip(*parts, strict=True))  # type: ignore[return-value]


def _in_row_ends(design: FabricDesign, tier: str) -> bool:
    """Whether the switches of a tier stand in the row of the first unit under them."""
    return bool(design.demand.groups) and design.demand.fabric.place.in_row_end(tier)


def box_size(product: Switch | Appliance) -> BoxSize:
    """A switch or appliance as a rack sees it; an unknown weight counts as none."""
    return BoxSize(product.slug, product.height_u, product.power_max_w, product.weight_kg or 0.0)


def existing(design: FabricDesign) -> NDArray[np.bool_]:
    """Mask over the sized switches of those that today's units need: the first of every tier."""
    counts = zip(design.count(design.demand.units), design.count(design.demand.sized_units), strict=True)
    one = np.concatenate([np.arange(sized) < now for now, sized in counts])
    return np.tile(one, design.demand.fabric.planes)
