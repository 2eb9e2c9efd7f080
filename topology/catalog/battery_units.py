"""Units of a battery product: what some of them are together, and how many of them a need takes.

Energies are those a bank delivers or takes at its terminals, unless they are said to be inside it.
Losses are split evenly over charge and discharge, for lack of a source that tells them apart.
Formulas: section 10 of the design.
"""

import math
from dataclasses import dataclass

from topology.catalog.model import Battery

MOST_UNITS = 1_000_000  # of one entry of the spec; the largest plants have some thousands

_ENDLESS = 1e15  # far above any count that is told from another
_HOUR_S = 3600.0
_ROUNDING = 1e-9  # a tenth of a watt in 100 MW: below any meter, above the error of the arithmetic


@dataclass(frozen=True, slots=True)
class Need:
    """One reason for a bank, and what it takes to meet it."""

    name: str  # power, ride-through, hold, swing or step: `binding` in the table of batteries
    power_w: float
    energy_wh: float
    window: float  # share of a unit's energy that may be used for it
    units: int | None = None  # None: no number of units is enough, because the window is empty


@dataclass(frozen=True, slots=True)
class Sizing:
    """Units of each bank, and why so many."""

    per_bank: tuple[int, ...]  # sizes differ by one at most, the larger first
    binding: str  # name of the need that decided; units or power where the spec gives that
    spare: int  # units of these beyond the need, one per bank with N+1
    needs: tuple[Need, ...]  # all that the spec states, also when a count or a power was given

    @property
    def units(self) -> int:
        """Units of all banks together."""
        return sum(self.per_bank)

    @property
    def in_service(self) -> tuple[int, int, int]:
        """Units of all banks, without one unit, and without the largest bank."""
        return self.units, max(0, self.units - 1), self.units - max(self.per_bank, default=0)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a number of units is together."""

    units: int
    power_w: int
    energy_wh: int  # inside, from full to empty


def capacity_of(units: int, battery: Battery) -> Capacity:
    """Power and energy of so many units."""
    return Capacity(units, units * battery.power_w, units * battery.energy_wh)


def one_way_efficiency(battery: Battery) -> float:
    """Energy out over energy in, of the discharge alone or of the charge alone."""
    return math.sqrt(battery.round_trip)


def enough(have: float, need: float) -> bool:
    """Whether `have` meets `need`, rounding errors forgiven."""
    return have >= need * (1 - _ROUNDING)


def whole_units(need: float, each: float) -> int:
    """Units of `each` that meet `need`, rounding errors forgiven; `_ENDLESS` where it is more, or infinite."""
    return math.ceil(min(need / each * (1 - _ROUNDING), _ENDLESS))


def units_for(need: Need, battery: Battery) -> int | None:
    """Units that meet a need in power and in energy; None where its window is empty."""
    by_power = whole_units(need.power_w, battery.power_w)
    if need.energy_wh <= 0:
        return by_power
    usable_wh = battery.energy_wh * need.window * one_way_efficiency(battery)
    return max(by_power, whole_units(need.energy_wh, usable_wh)) if usable_wh > 0 else None


def ride_through_s(units: int, battery: Battery, window: float, load_w: float) -> float:
    """Seconds the units carry the load on a share `window` of their energy: n·e·(s - r)·η / P.

    0 where their power does not hold; infinite without a load.
    """
    if not enough(units * battery.power_w, load_w):
        return 0.0
    energy_wh = units * battery.energy_wh * max(0.0, window) * one_way_efficiency(battery)
    return energy_wh * _HOUR_S / load_w if load_w > 0 else math.inf
