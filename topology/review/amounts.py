"""Amounts and differences as people write them: thousands apart, a true minus sign, units behind."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from topology.review.document import Name, Words, strong

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
MINUS = "−"


def count(number: float) -> str:
    """A whole number: ``25,088``."""
    return f"{number:,.0f}"


def signed(number: float, digits: int = 0) -> str:
    """A difference with its sign, or ``0``."""
    shown = f"{abs(number):,.{digits}f}"
    if float(shown.replace(",", "")) == 0:
        return "0"
    return f"{'+' if number > 0 else MINUS}{shown}"


def megawatts(watts: float) -> str:
    """MW without the unit: one digit behind the point, more below 10 MW."""
    return f"{MINUS if watts < 0 else ''}{abs(watts) / 1e6:,.{_digits(watts)}f}"


def signed_mw(watts: float) -> str:
    """A difference in MW, without the unit."""
    return signed(watts / 1e6, _digits(watts))


def _digits(watts: float) -> int:
    megawatt = abs(watts) / 1e6
    return 1 if megawatt >= 10 else 2 if megawatt >= 1 else 3  # noqa: PLR2004 - three figures that count


def arrow(base: str, head: str) -> Words:
    """``base → head`` where they differ, else the one value."""
    return (head,) if base == head else (base, " → ", strong(head))


def renamed(base: str, head: str) -> Words:
    """As `arrow`, of names out of a spec."""
    return (Name(head),) if base == head else (Name(base), " → ", strong(Name(head)))


def row(name: str, base: Sequence[str], head: Sequence[str]) -> tuple[Words, ...]:
    """A row of a table: the name, then each column as `arrow`."""
    return ((Name(name),), *(arrow(*pair) for pair in zip(base, head, strict=True)))


def both(first: Mapping[Key, Value], second: Mapping[Key, Value]) -> dict[Key, tuple[Value | None, Value | None]]:
    """What two sides have under each name: names of the first, then those that only the second has."""
    return {name: (first.get(name), second.get(name)) for name in dict.fromkeys([*first, *second])}


def plural(number: float, one: str, many: str = "") -> str:
    """``1 rack``, ``2 racks``."""
    return f"{count(number)} {one if number == 1 else many or f'{one}s'}"
