"""Rack and rack unit of every switch and appliance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topology.expand.floor import BoxSize, RowEnd, UnitPlaces, boxes_per_rack
from topology.expand.rules import found
from topology.findings import Finding, FindingsError
from topology.spec.model import ClusterSpec, Hall

U32 = NDArray[np.uint32]
BatchKey = tuple[int, str]  # position of the fabric in the spec, and which of its boxes


@dataclass(frozen=True, slots=True)
class MountBatch:
    """Boxes of one model to mount; those of growth to come keep their places free."""

    key: BatchKey
    box: BoxSize
    hall: U32
    row: U32  # number in the hall; 0: any network row
    group: U32  # whose row ends these are; ignored in network rows
    unit: U32  # place of the first unit in the fabric; orders the boxes of a row
    exists: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class MountPoints:
    """Where each existing box of a batch stands."""

    hall: U32
    row: U32
    position: U32
    u: U32  # lowest rack unit, from 1


def mount(
    spec: ClusterSpec,
    places: Sequence[UnitPlaces],
    ends: Sequence[Sequence[RowEnd]],
    batches: Sequence[MountBatch],
) -> dict[BatchKey, MountPoints]:
    """Mount points of each batch.

    In a row end boxes stand in the order of the units they serve, then of the batches; in
    network rows in the order of the batches. Both orders only ever grow at their end.

    Raises:
        FindingsError: a hall's network rows are full, or it has none.
    """
    source = np.repeat(np.arange(len(batches)), [len(batch.hall) for batch in batches])
    if not len(source):
        return {}
    hall, row, group, unit = (
        np.concatenate([getattr(batch, name) for batch in batches]) for name in ("hall", "row", "group", "unit")
    )
    at_end = row > 0
    order = np.lexsort((np.arange(len(source)), np.where(at_end, unit, 0), row, hall))
    bucket = hall.astype(np.uint64) << np.uint64(32) | row
    rank = np.empty(len(source), np.uint32)
    rank[order] = _rank(bucket[order])
    position, u = np.zeros_like(rank), np.zeros_like(rank)
    for index, leaves in enumerate(ends):
        for hall_index, first in places[index].row_end.items():
            mask = at_end & (group == index) & (hall == hall_index)
            if mask.any():
                fits = boxes_per_rack(spec.halls[hall_index], [end.box for end in leaves])
                position[mask] = first + rank[mask] // fits
                u[mask] = rank[mask] % fits * max(end.box.height_u for end in leaves) + 1
    wrong: list[Finding] = []
    for hall_index, hall_ in enumerate(spec.halls):
        mask = ~at_end & (hall == hall_index)
        if mask.any():
            boxes = [batches[source_].box for source_ in np.unique(source[mask])]
            fits = boxes_per_rack(hall_, boxes)
            rack = rank[mask] // fits
            if int(rack.max()) >= len(hall_.network_rows) * hall_.positions:
                wrong.append(_network_rows_full(hall_, int(rack.max()) + 1))
                continue
            rows = np.array(hall_.network_rows, np.uint32)
            row[mask] = rows[rack // np.uint32(hall_.positions)]
            position[mask] = rack % np.uint32(hall_.positions) + 1
            u[mask] = rank[mask] % fits * max(box.height_u for box in boxes) + 1
    if wrong:
        raise FindingsError(wrong)
    starts = np.cumsum([0, *(len(batch.hall) for batch in batches)])
    return {
        batch.key: MountPoints(*(column[first:last][batch.exists] for column in (hall, row, position, u)))
        for batch, first, last in zip(batches, starts, starts[1:], strict=False)
    }


def _rank(sorted_keys: NDArray[np.uint64]) -> U32:
    """Place of each entry among its equals, from 0, for keys in order."""
    new = np.flatnonzero(np.diff(sorted_keys, prepend=sorted_keys[:1] + np.uint64(1)))
    lengths = np.diff(np.append(new, len(sorted_keys)))
    return (np.arange(len(sorted_keys)) - np.repeat(new, lengths)).astype(np.uint32)


def _network_rows_full(hall: Hall, racks: int) -> Finding:
    rows = -(-racks // hall.positions)
    have = len(hall.network_rows) * hall.positions
    return found(
        "L103",
        f"the network rows of hall {hall.name} hold {have} racks; its switches fill {racks}",
        (*hall.path, "network_rows") if hall.network_rows else hall.path,
        f"give the hall {rows} network rows, such as network_rows: {list(range(1, rows + 1))}, "
        "or place switches at row-end",
    )
