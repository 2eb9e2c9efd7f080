"""Where halls and battery pads lie in the floor plan, in metres; x to the east, y to the north."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import polars as pl

WALL_M = 1.5  # drawn around a hall's positions
APART_M = 6.0  # between halls that had to be drawn apart


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle by its south-west corner."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: "Rectangle") -> bool:
        """Whether the two share some area."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


def hall_floors(halls: pl.DataFrame) -> tuple[tuple[Rectangle, ...], bool]:
    """The floor of each hall, and whether they lie where the spec says.

    Halls that overlap, as those of a spec that gives no origins, are drawn north of each other instead.
    """
    given = rectangles(halls)
    if not any(one.overlaps(other) for one, other in combinations(given, 2)):
        return given, True
    apart, y = [], given[0].y
    for floor in given:
        apart.append(replace(floor, x=given[0].x, y=y))
        y += floor.height + APART_M
    return tuple(apart), False


def rectangles(placed: pl.DataFrame) -> tuple[Rectangle, ...]:
    """The floor of each hall, or the pad of each bank of batteries, in the table's order."""
    columns = placed.select("x_m", "y_m", "length_m", "width_m")
    return tuple(Rectangle(*row) for row in columns.iter_rows())


def around(parts: Sequence[Rectangle]) -> Rectangle:
    """The smallest rectangle that holds all of them."""
    x, y = min(one.x for one in parts), min(one.y for one in parts)
    right, top = max(one.x + one.width for one in parts), max(one.y + one.height for one in parts)
    return Rectangle(x, y, right - x, top - y)
