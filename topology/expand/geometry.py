"""Where halls, racks and battery pads lie, in metres: x to the east, y to the north of the site's origin."""

from collections.abc import Iterable, Iterator, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from topology.catalog.model import Battery
from topology.spec.model import Hall

RACK_DEPTH_M = 1.2  # a usual depth of data-centre cabinets; the catalogue has none
ROW_SHARE = 0.7  # of the row pitch that racks take at most, where rows are pitched closely
CLEAR_M = 20.0  # between the halls and the first row of pads; assumed: no public layout gives it


def hall_floors(halls: Sequence[Hall]) -> dict[str, list[float]]:
    """Floor of each hall: its south-west corner, its sides, and the depth of its racks."""
    depths_m = [min(RACK_DEPTH_M, hall.row_pitch_m * ROW_SHARE) for hall in halls]
    return {
        "x_m": [hall.origin_m[0] for hall in halls],
        "y_m": [hall.origin_m[1] for hall in halls],
        "length_m": [hall.positions * hall.position_pitch_m for hall in halls],
        "width_m": [
            (hall.rows - 1) * hall.row_pitch_m + depth_m for hall, depth_m in zip(halls, depths_m, strict=True)
        ],
        "rack_depth_m": depths_m,
    }


def rack_positions(
    halls: Sequence[Hall], hall: NDArray[np.integer], row: NDArray[np.integer], position: NDArray[np.integer]
) -> dict[str, NDArray[np.float64]]:
    """South-west corner of rack positions; row 1, position 1 begins at the origin of its hall."""
    x_m, y_m = np.array([each.origin_m for each in halls], float)[hall].T
    position_m = np.array([each.position_pitch_m for each in halls])[hall]
    row_m = np.array([each.row_pitch_m for each in halls])[hall]
    return {"x_m": x_m + (position - 1.0) * position_m, "y_m": y_m + (row - 1.0) * row_m}


def battery_pads(halls: Sequence[Hall], banks: Iterable[tuple[int, Battery]]) -> Iterator[dict[str, float]]:
    """Pad of each bank, given by its units and their product: its south-west corner and its sides.

    Pads stand south of the halls and no wider than these: units side by side in rows.
    """
    floors = hall_floors(halls)
    west, south = min(floors["x_m"], default=0.0), min(floors["y_m"], default=0.0)
    east = max((x + length for x, length in zip(floors["x_m"], floors["length_m"], strict=True)), default=0.0)
    x, y = west, south - CLEAR_M
    deepest = 0.0  # of the pads that begin at y
    for units, product in banks:
        one_m, deep_m = product.width_m + product.spacing_m, product.length_m + product.spacing_m
        side_by_side = min(units, max(1, int((east - west) / one_m)))
        length, width = side_by_side * one_m, ceil(units / max(side_by_side, 1)) * deep_m
        if x > west and x + length > east:
            x, y, deepest = west, y - deepest, 0.0
        yield {"x_m": x, "y_m": y - width, "length_m": length, "width_m": width}
        x, deepest = x + length, max(deepest, width)
