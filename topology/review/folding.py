"""Rows of a hall, and whatever else is numbered, folded into ranges of what is alike."""

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from topology.artifacts.pictures import drawing

What = TypeVar("What", bound=Hashable)


def spans(numbers: Iterable[int]) -> str:
    """Numbers as ranges: ``1–4, 7``."""
    return drawing.spans(sorted(set(numbers))).replace("-", "–")


def alike(places: Sequence[tuple[str, int, What]]) -> list[tuple[tuple[str, ...], str, What]]:
    """Places of halls and numbered rows with what happens there, folded twice.

    First the rows of a hall where the same happens become one range; then halls with the same
    ranges become one entry. Halls, ranges and what happens, in the order of first appearance.
    """
    by_hall: dict[str, dict[What, list[int]]] = {}
    for hall, row, what in places:
        by_hall.setdefault(hall, {}).setdefault(what, []).append(row)
    halls: dict[tuple[str, What], list[str]] = {}
    for hall, happenings in by_hall.items():
        for what, rows in happenings.items():
            halls.setdefault((spans(rows), what), []).append(hall)
    return [(tuple(names), rows, what) for (rows, what), names in halls.items()]
