"""Where units and switches stand: rows filled unit by unit, switches at row ends or in network rows.

A unit never straddles two rows, and a group starts on a row of its own, so a unit added at
the end of a group moves nothing that stands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from topology.expand.groups import SizedGroup
from topology.expand.rules import found, refused
from topology.findings import Finding, FindingsError
from topology.spec.model import ClusterSpec, Hall

U32 = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class BoxSize:
    """A switch or appliance model as a rack sees it."""

    slug: str
    height_u: int
    power_w: int
    weight_kg: float


@dataclass(frozen=True, slots=True)
class RowEnd:
    """Switches of one tier of a fabric that stand at the ends of a group's rows."""

    box: BoxSize
    at_most: Callable[[int], int]  # most of them beside so many neighbouring units


@dataclass(frozen=True, slots=True)
class UnitPlaces:
    """Place of each unit of a group, and of the network racks at the end of its rows."""

    hall: NDArray[np.uint16]
    row: U32  # number in the hall, from 1
    position: U32  # of the unit's first rack, from 1
    row_end: dict[int, int]  # per hall: first position of the network racks at a row's end


def boxes_per_rack(hall: Hall, boxes: Sequence[BoxSize]) -> int:
    """Boxes that one network rack of the hall takes, all of them as large as the largest.

    One rack never mixes sizes, so that the n-th box of a row is wrong by division.

    Raises:
        FindingsError: one box alone is over what a rack here may hold.
    """
    limit = hall.rack_limit
    height = max(box.height_u for box in boxes)
    power = max(box.power_w for box in boxes)
    weight = max(box.weight_kg for box in boxes)
    fits = limit.height_u // height
    if limit.power_kw is not None:
        fits = min(fits, int(limit.power_kw * 1000 / power)) if power else fits
    if limit.weight_kg is not None:
        fits = min(fits, int(limit.weight_kg / weight)) if weight else fits
    if not fits:
        raise refused(
            "L104",
            f"a network rack of hall {hall.name} cannot hold even one of {', '.join(b.slug for b in boxes)} "
            f"({height} U, {power / 1000:g} kW, {weight:g} kg)",
            (*hall.path, "rack_limit"),
            "raise the limit that is too low",
        )
    return fits


def place_units(
    spec: ClusterSpec, groups: Sequence[SizedGroup], rooms: Sequence[int], ends: Sequence[Sequence[RowEnd]]
) -> list[UnitPlaces]:
    """Places for `rooms` units of each group (what its fabrics are sized for), hall by hall.

    Raises:
        FindingsError: a unit is longer than a row, or the halls are full.
    """
    free = {hall.name: [row for row in range(1, hall.rows + 1) if row not in hall.network_rows] for hall in spec.halls}
    index = {hall.name: at for at, hall in enumerate(spec.halls)}
    placed, wrong = [], []
    for group, room, leaves in zip(groups, rooms, ends, strict=True):
        spots: list[NDArray[np.uint32]] = []
        row_end: dict[int, int] = {}
        left, capacity, fits = room, 0, False
        for name in group.group.halls:
            hall = spec.halls[index[name]]
            per_row, first_end = _row(hall, group, leaves)
            if not per_row:
                wrong.append(_unit_too_long(hall, group, leaves))
                continue
            fits = True
            most = min(len(free[name]) * per_row, group.group.units_per_hall or room)
            take = min(left, most)
            rows = free[name][: ceil(take / per_row)]
            capacity += most
            free[name] = free[name][len(rows) :]
            unit = np.arange(take, dtype=np.uint32)
            row = np.array(rows, np.uint32)[unit // np.uint32(per_row)] if take else unit
            position = unit % np.uint32(per_row) * np.uint32(group.group.unit_racks) + np.uint32(1)
            spots.append(np.stack([np.full(take, index[name], np.uint32), row, position]))
            row_end[index[name]] = first_end
            left -= take
        if left and fits:
            wrong.append(_halls_full(group, room, capacity))
        hall_, row_, position_ = np.concatenate(spots, axis=1) if spots else np.zeros((3, 0), np.uint32)
        placed.append(UnitPlaces(hall_.astype(np.uint16), row_, position_, row_end))
    if wrong:
        raise FindingsError(wrong)
    return placed


def _row(hall: Hall, group: SizedGroup, ends: Sequence[RowEnd]) -> tuple[int, int]:
    """Units per row with the network racks their leaves need, and the first position of those racks."""
    fits = boxes_per_rack(hall, [end.box for end in ends]) if ends else 1
    for units in range(hall.positions // group.group.unit_racks, 0, -1):
        racks = _end_racks(units, ends, fits)
        if units * group.group.unit_racks + racks <= hall.positions:
            return units, hall.positions - racks + 1
    return 0, 0


def _end_racks(units: int, ends: Sequence[RowEnd], fits: int) -> int:
    """Network racks at the end of a row of `units`."""
    return ceil(sum(end.at_most(units) for end in ends) / fits)


def _unit_too_long(hall: Hall, group: SizedGroup, ends: Sequence[RowEnd]) -> Finding:
    racks, fits = group.group.unit_racks, boxes_per_rack(hall, [end.box for end in ends]) if ends else 1
    extra = _end_racks(1, ends, fits)
    with_leaves = f" and {extra} network rack{'s' if extra > 1 else ''} at the row's end" if extra else ""
    return found(
        "L102",
        f"a unit of {group.group.name} is {racks} racks{with_leaves}; a row of hall {hall.name} has "
        f"{hall.positions} positions",
        (*hall.path, "positions"),
        f"write positions: {racks + extra} or more, or a smaller unit_racks",
    )


def _halls_full(group: SizedGroup, room: int, capacity: int) -> Finding:
    racks = group.group.unit_racks
    kept = f" (the fabric is sized for {room})" if room > group.units else ""
    return found(
        "L101",
        f"{group.group.name} needs places for {room} units{kept}, {room * racks} racks; "
        f"the free rows of {', '.join(group.group.halls)} hold {capacity}",
        (*group.group.path, "halls"),
        f"add a hall, or rows for {room - capacity} more units" + (f", or write units: {capacity}" if capacity else ""),
    )
