"""Switches, appliances and cables of all fabrics, once units and nodes have their places."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.catalog.model import Catalog, Switch
from topology.expand import demand
from topology.expand.compute import Compute
from topology.expand.fabrics import _clos, _managers, core
from topology.expand.fabrics._design import Design
from topology.expand.fabrics.core import CoreDesign
from topology.expand.floor import Box, RowEnd, UnitPlaces
from topology.expand.groups import SizedGroup
from topology.expand.seating import Items
from topology.plan import tables
from topology.spec.model import ClusterSpec

U32 = NDArray[np.uint32]
TIER_WORDS = ("leaf", "spine", "core")


@dataclass(frozen=True, slots=True)
class Networks:
    """Designs by the fabric's position in the spec."""

    spec: ClusterSpec
    catalog: Catalog
    groups: Sequence[SizedGroup]
    designs: Mapping[int, Design]
    cores: Mapping[int, CoreDesign]

    def rooms(self) -> list[int]:
        """Units to keep places for, per group: its own, or what its fabric is sized for."""
        rooms = [group.units for group in self.groups]
        for design in self.designs.values():
            last = demand.members(design.ask.fabric, self.groups)[-1].index
            spare = design.ask.sized_units - design.ask.units
            rooms[last] = max(rooms[last], self.groups[last].units + spare)
        return rooms

    def row_ends(self) -> list[list[RowEnd]]:
        """Switches that stand at the ends of each group's rows."""
        ends: list[list[RowEnd]] = [[] for _ in self.groups]
        for design in self.designs.values():
            for group in demand.members(design.ask.fabric, self.groups):
                ends[group.index] += _row_ends(design)
        return ends

    def items(self, places: Sequence[UnitPlaces]) -> list[Items]:
        """What has to be seated: per fabric its appliances, then each tier's switches."""
        halls = {hall.name: at for at, hall in enumerate(self.spec.halls)}
        made: list[Items] = []
        for index in range(len(self.spec.fabrics)):
            if index in self.cores:
                made += _core_items(
                    self.cores[index], halls, self._fabric_units(self.cores[index].joined[0][0], places)
                )
            else:
                made += self._clos_items(self.designs[index], self._fabric_units(self.designs[index], places))
        return made

    def _clos_items(self, design: Design, units: tuple[U32, U32, U32]) -> Iterator[Items]:
        hall, row, group = units
        fabric, product = design.ask.fabric, demand.managers(design.ask.fabric, self.catalog)
        count = fabric.managers.count if fabric.managers else 0
        zero = np.zeros(count, np.uint32)
        if product is not None:
            shelf = Box(product.slug, product.height_u, product.power_max_w, product.weight_kg or 0.0)
            yield Items(shelf, zero + hall[0], zero, zero, zero, np.ones(count, bool))
        sized = _clos.switches(design, design.ask.sized_units)
        exists = _existing(design)
        for tier, word in enumerate(TIER_WORDS):
            mine = sized.tier == tier
            at_end = getattr(fabric.place, word) == "row-end"
            unit = np.minimum(sized.unit[mine], len(hall) - 1)
            yield Items(
                box(design.ask.switch),
                hall[unit],
                row[unit] if at_end else np.zeros_like(unit),
                group[unit],
                unit,
                exists[mine],
            )

    def _fabric_units(self, design: Design, places: Sequence[UnitPlaces]) -> tuple[U32, U32, U32]:
        """Hall, row and group of every unit the fabric is sized for."""
        mine = demand.members(design.ask.fabric, self.groups)
        counts = [group.units for group in mine]
        counts[-1] += design.ask.sized_units - design.ask.units
        parts = [
            (places[g.index].hall[:n], places[g.index].row[:n], np.full(n, g.index))
            for g, n in zip(mine, counts, strict=True)
        ]
        return tuple(np.concatenate(column).astype(np.uint32) for column in zip(*parts, strict=True))  # type: ignore[return-value]

    def unit_of(self, design: Design, all_: Compute) -> NDArray[np.intp]:
        """Rows of `units` that the fabric connects, in its own order."""
        mine = [group.index for group in demand.members(design.ask.fabric, self.groups)]
        return np.concatenate([np.flatnonzero(all_.unit_group == index) for index in mine])

    def switch_stages(self, design: Design, all_: Compute) -> NDArray[np.uint16]:
        """First stage of each switch: that of the earliest unit that hangs on it."""
        stages = all_.unit_stage[self.unit_of(design, all_)]
        switches = _clos.switches(design, design.ask.units)
        first = stages[np.minimum(switches.unit, len(stages) - 1)]
        start = 0
        for group in demand.members(design.ask.fabric, self.groups):
            inside = (switches.unit <= start) & (start < switches.unit + switches.units)
            first = np.where(inside, np.minimum(first, stages[start]), first)
            start += group.units
        return first.astype(np.uint16)

    def nics(self, design: Design, all_: Compute, nics: pl.DataFrame) -> _clos.Nics:
        """The node ends of the fabric, in the order of the table of NICs."""
        fabric = design.ask.fabric
        of_fabric = np.full(len(all_.unit_group), -1, np.int64)
        mine = self.unit_of(design, all_)
        of_fabric[mine] = np.arange(len(mine))
        words = tables.ROLES.categories.to_list()
        role = nics["role"].to_physical().to_numpy()
        node = nics["node"].to_numpy()
        rows = np.flatnonzero((role == words.index(fabric.connects)) & (of_fabric[all_.node_unit[node]] >= 0))
        node = node[rows]
        slots = np.array([group.rack.nodes for group in self.groups], np.uint32)
        place = all_.node_rack * slots[all_.unit_group[all_.node_unit]] + all_.node_slot
        return _clos.Nics(
            rows.astype(np.uint32),
            of_fabric[all_.node_unit[node]].astype(np.uint32),
            place[node],
            nics["index"].to_numpy()[rows].astype(np.uint32),
            all_.unit_stage[all_.node_unit[node]],
        )


def box(switch: Switch) -> Box:
    """A switch as a rack sees it; an unknown weight counts as none."""
    return Box(switch.slug, switch.height_u, switch.power_max_w, switch.weight_kg or 0.0)


def _row_ends(design: Design) -> Iterator[RowEnd]:
    """Switches of a fabric that stand in the row of the first unit under them, tier by tier."""
    fabric, shape = design.ask.fabric, design.shape
    units = shape.leaves.run_units
    pods, cores = shape.pod_columns * shape.spines, shape.spines * shape.cores
    tiers = (
        ("leaf", shape.leaves.per_run, 1, 1),
        ("spine", pods, shape.pod_runs, shape.island_runs),
        ("core", cores, shape.island_runs, shape.island_runs),
    )
    for tier, each, pod_runs, island_runs in tiers:
        if each and getattr(fabric.place, tier) == "row-end":
            yield RowEnd(box(design.ask.switch), each * fabric.planes, units, pod_runs, island_runs)


def _existing(design: Design) -> NDArray[np.bool_]:
    """Mask over the sized switches of those that today's units need: a prefix of every tier."""
    now, sized = _clos.count(design, design.ask.units), _clos.count(design, design.ask.sized_units)
    tiers = zip((now.leaf, now.spine, now.core), (sized.leaf, sized.spine, sized.core), strict=True)
    one = np.concatenate([np.arange(all_) < some for some, all_ in tiers])
    return np.tile(one, design.ask.fabric.planes)


def _core_items(design: CoreDesign, halls: Mapping[str, int], first: tuple[U32, U32, U32]) -> Iterator[Items]:
    """Core switches in equal runs over the halls the spec names, else in the first joined unit's hall."""
    names = [halls[name] for name in design.fabric.halls] or [int(first[0][0])]
    index = np.arange(design.switches, dtype=np.uint32)
    hall = np.array(names, np.uint32)[index.astype(np.uint64) * len(names) // design.switches]
    zero = np.zeros_like(index)
    yield Items(box(design.switch), hall, zero, zero, index, np.ones(len(index), bool))


def core_rows(networks: Networks, joined: CoreDesign, rows: Mapping[int, _clos.Rows]) -> list[_clos.Rows]:
    """Rows of the joined fabrics, in the order the core joins them."""
    index = {networks.spec.fabrics[at].name: at for at in networks.designs}
    return [rows[index[design.ask.fabric.name]] for design, _ in joined.joined]


def cables(
    networks: Networks, all_: Compute, nics: pl.DataFrame, rows: Mapping[int, _clos.Rows]
) -> Iterator[pl.DataFrame]:
    """Cables of every fabric in spec order, without their row numbers."""
    appliance = 0
    for index in range(len(networks.spec.fabrics)):
        if index in networks.cores:
            joined = networks.cores[index]
            yield from core.cables(joined, core_rows(networks, joined, rows), rows[index])
        else:
            design = networks.designs[index]
            ends = networks.nics(design, all_, nics)
            yield from _clos.cables(design, ends, rows[index])
            if managers := design.ask.fabric.managers:
                yield _managers.cables(design, ends, rows[index], appliance)
                appliance += managers.count
