"""Where halls and battery pads lie in the floor plan, in metres; x to the east, y to the north."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from topology.plan import Plan
from topology.spec.model import Hall

RACK_DEPTH_M = 1.2  # a usual depth of data-centre cabinets; the catalogue has none
ROW_SHARE = 0.7  # of the row pitch that racks take at most, where rows are pitched closely
WALL_M = 1.5  # drawn around a hall's positions
APART_M = 6.0  # between halls that had to be drawn apart


@dataclass(frozen=True, slots=True)
class Ground:
    """A rectangle by its south-west corner."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: "Ground") -> bool:
        """Whether the two share some area."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


def rack_depth(hall: Hall) -> float:
    """How deep racks are drawn, metres."""
    return min(RACK_DEPTH_M, hall.row_pitch_m * ROW_SHARE)


def floor_of(hall: Hall, x: float, y: float) -> Ground:
    """The positions of a hall whose row 1, position 1 stands at x, y."""
    return Ground(x, y, hall.positions * hall.position_pitch_m, (hall.rows - 1) * hall.row_pitch_m + rack_depth(hall))


def hall_floors(halls: Sequence[Hall]) -> tuple[tuple[Ground, ...], bool]:
    """The floor of each hall, and whether they lie where the spec says.

    Halls that overlap, as those of a spec that gives no origins, are drawn north of each other instead.
    """
    given = tuple(floor_of(hall, *hall.origin_m) for hall in halls)
    if not any(one.overlaps(other) for one, other in combinations(given, 2)):
        return given, True
    apart, y = [], given[0].y
    for hall in halls:
        apart.append(floor_of(hall, given[0].x, y))
        y += apart[-1].height + APART_M
    return tuple(apart), False


def pads(plan: Plan) -> tuple[Ground, ...]:
    """The ground of each battery bank, in the table's order."""
    columns = plan.batteries.select("x_m", "y_m", "length_m", "width_m")
    return tuple(Ground(x, y, width, height) for x, y, width, height in columns.iter_rows())


def around(grounds: Sequence[Ground]) -> Ground:
    """The smallest rectangle that holds all of them."""
    x, y = min(one.x for one in grounds), min(one.y for one in grounds)
    right, top = max(one.x + one.width for one in grounds), max(one.y + one.height for one in grounds)
    return Ground(x, y, right - x, top - y)
