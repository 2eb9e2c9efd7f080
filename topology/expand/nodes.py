"""Units, racks, nodes, GPUs and NICs of the compute groups, by division alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.catalog.model import Node
from topology.expand.floor import UnitPlaces
from topology.expand.groups import SizedGroup
from topology.expand.rules import found
from topology.findings import FindingsError, did_you_mean
from topology.plan import names, tables
from topology.spec.model import ClusterSpec

U32 = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class PlacedNodes:
    """Arrays of every group's units and nodes, groups one after another."""

    unit_group: U32
    unit_number: U32  # in the group, from 0
    unit_hall: U32
    unit_row: U32  # number in the hall, from 1
    unit_position: U32
    unit_stage: NDArray[np.uint16]
    node_unit: U32
    node_rack: U32  # rack of the unit, from 0
    node_slot: U32  # slot of the rack, from 0
    node_place: U32  # among the unit's slots, from 0, empty ones counted

    def of_group(self, index: int) -> NDArray[np.intp]:
        """Rows of a group's nodes, in order."""
        return np.flatnonzero(self.unit_group[self.node_unit] == index)


def place_nodes(spec: ClusterSpec, groups: Sequence[SizedGroup], places: Sequence[UnitPlaces]) -> PlacedNodes:
    """Units and nodes of all groups; node order is unit, rack, slot.

    Raises:
        FindingsError: `without` names a node that is not there.
    """
    units = [group.units for group in groups]
    unit_group = np.repeat(np.arange(len(groups), dtype=np.uint32), units)
    unit_number = np.concatenate([np.arange(count, dtype=np.uint32) for count in units])
    hall, row, position = (
        np.concatenate([getattr(place, name)[:count] for place, count in zip(places, units, strict=True)])
        for name in ("hall", "row", "position")
    )
    nodes = _slots(groups)
    stage = np.concatenate([group.stages for group in groups])
    placed = PlacedNodes(unit_group, unit_number, hall, row, position, stage, *nodes)
    if not any(group.group.without for group in groups):
        return placed
    keep = _present(spec, groups, placed)
    return PlacedNodes(unit_group, unit_number, hall, row, position, stage, *(column[keep] for column in nodes))


def _slots(groups: Sequence[SizedGroup]) -> tuple[U32, U32, U32, U32]:
    """Unit, rack of the unit, slot of the rack and place in the unit of every fitted node place."""
    units, racks, slots, places = [], [], [], []
    first = 0
    for group in groups:
        per_unit = group.group.unit_racks * group.fitted
        unit, within = np.divmod(np.arange(group.units * per_unit, dtype=np.uint32), np.uint32(per_unit))
        rack, slot = np.divmod(within, np.uint32(group.fitted))
        units.append(unit + np.uint32(first))
        racks.append(rack)
        slots.append(slot)
        places.append(rack * np.uint32(group.rack.nodes) + slot)
        first += group.units
    return np.concatenate(units), np.concatenate(racks), np.concatenate(slots), np.concatenate(places)


def _present(spec: ClusterSpec, groups: Sequence[SizedGroup], placed: PlacedNodes) -> NDArray[np.bool_]:
    """Mask of nodes that no `without` leaves out."""
    frame = pl.DataFrame(
        {
            "hall_name": pl.Series([hall.name for hall in spec.halls]).gather(placed.unit_hall[placed.node_unit]),
            "row_number": placed.unit_row[placed.node_unit],
            "position": placed.unit_position[placed.node_unit] + placed.node_rack,
            "slot": placed.node_slot + 1,
        }
    )
    positions = np.array([hall.positions for hall in spec.halls], np.uint32)[placed.unit_hall[placed.node_unit]]
    frame = frame.with_columns(number=pl.Series((frame["row_number"].to_numpy() - 1) * positions) + frame["position"])
    spelled = frame.select(name=names.spell(names.node_template(spec.names)))["name"]
    keep = np.ones(len(spelled), dtype=bool)
    wrong = []
    for index, group in enumerate(groups):
        mine = placed.of_group(index)
        names_ = spelled.gather(mine)
        keep[mine] &= ~names_.is_in(list(group.group.without)).to_numpy()
        known = set(names_.to_list()) if group.group.without else set()
        if not keep[mine].any():
            path = (*group.group.path, "without")
            wrong.append(found("S355", f"every node of {group.group.name} is left out", path, "keep one at least"))
        for at, name in enumerate(group.group.without):
            if name not in known:
                wrong.append(
                    found(
                        "S354",
                        f"{group.group.name} has no node '{name}' to leave out",
                        (*group.group.path, "without", at),
                        did_you_mean(name, known).split("known:")[0].strip()
                        or f"its nodes are {names_[0]} to {names_[-1]}",
                    )
                )
    if wrong:
        raise FindingsError(wrong)
    return keep


def gpu_frame(groups: Sequence[SizedGroup], placed: PlacedNodes) -> pl.DataFrame:
    """One row per GPU, in node order."""
    each = np.array([group.node.gpus for group in groups], np.uint32)[placed.unit_group[placed.node_unit]]
    node, index = _repeat(each)
    return tables.GPUS.frame({"gpu": np.arange(len(node), dtype=np.uint32), "node": node, "index": index})


def nic_frame(groups: Sequence[SizedGroup], placed: PlacedNodes) -> pl.DataFrame:
    """One row per NIC, in node order; within a node by role, then index."""
    kinds = [_node_nics(group.node) for group in groups]
    each = np.array([len(kind) for kind in kinds], np.uint32)[placed.unit_group[placed.node_unit]]
    node, at = _repeat(each)
    starts = np.cumsum([0, *(len(kind) for kind in kinds)])[:-1].astype(np.uint32)
    at += starts[placed.unit_group[placed.node_unit]][node]
    roles = np.array([role for kind in kinds for role, _ in kind], np.uint32)
    indexes = np.array([index for kind in kinds for _, index in kind], np.uint32)
    return tables.NICS.frame(
        {
            "nic": np.arange(len(node), dtype=np.uint32),
            "node": node,
            "role": tables.codes(roles[at], tables.ROLES),
            "index": indexes[at],
        }
    )


def _node_nics(node: Node) -> list[tuple[int, int]]:
    """(role code, index) of each NIC of a node, in role order."""
    words = tables.ROLES.categories.to_list()
    counts = {role: sum(nic.count for nic in node.nics if nic.role == role) for role in words}
    return [(code, index) for code, role in enumerate(words) for index in range(counts[role])]


def _repeat(each: U32) -> tuple[U32, U32]:
    """Owner and index within the owner, for `each[i]` things of owner i."""
    owner = np.repeat(np.arange(len(each), dtype=np.uint32), each)
    starts = np.cumsum(each, dtype=np.uint32) - each
    return owner, np.arange(len(owner), dtype=np.uint32) - starts[owner]
