"""Battery banks as the plan holds them: how long they carry their load, and what they do to a training job's swing."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from topology.catalog.battery_units import Need, Sizing, capacity_of, enough, one_way_efficiency, ride_through_s
from topology.catalog.model import Battery
from topology.plan.plan import Plan
from topology.spec.model import BatteryBanks
from topology.spec.swing import Swing

_HOUR_S = 3600.0
_DAY_S = 86_400.0
_YEAR_DAYS = 365.25


@dataclass(frozen=True, slots=True)
class RideThrough:
    """Seconds a load is carried; 0 where the power does not hold."""

    all_s: float
    without_unit_s: float
    without_bank_s: float  # the largest


@dataclass(frozen=True, slots=True)
class PlannedBanks:
    """One entry of the spec as the plan holds it: its product, what it carries, and its units."""

    entry: BatteryBanks
    product: Battery
    load_w: float
    swing: Swing | None
    sizing: Sizing

    @property
    def window(self) -> float:
        """Share of the energy that may be used while the grid is there to refill it."""
        return self.entry.soc - self.entry.reserve_soc

    @property
    def ride_through(self) -> RideThrough:
        """How long the load is carried by all units, without one, and without the largest bank."""
        return RideThrough(*(self.ride_through_s(units) for units in self.sizing.in_service))

    def holds(self, units: int) -> bool:
        """Whether the power of some of the units is enough for the load."""
        return enough(units * self.product.power_w, self.load_w)

    def ride_through_s(self, units: int) -> float:
        """Seconds that some of the units carry the load."""
        return ride_through_s(units, self.product, self.window, self.load_w)


@dataclass(frozen=True, slots=True)
class Smoothing:
    """What banks do to a swing, and what it does to them."""

    flat: bool  # power and energy suffice to keep the swing from the grid altogether
    full_cycles_per_day: float  # energy through the cells over the energy they hold
    life_years: float | None  # by the product's cycles alone; None: no source gives them, or nothing cycles
    ramp_without_w_per_s: float  # the least the grid can be shown at a job's start; inf: a step
    ramp_with_w_per_s: float


def planned_banks(plan: Plan) -> Iterator[PlannedBanks]:
    """Every entry of the spec, in order; its banks are those that the table of batteries has."""
    power = plan.spec.power
    if power is None:
        return
    for entry in power.batteries:
        mine = pl.col("name") == entry.name
        row = plan.bank_sizings.row(by_predicate=mine, named=True)
        banks = plan.batteries.filter(mine)
        needs = plan.bank_needs.filter(mine).select("need", "power_w", "energy_wh", "window", "units")
        swing = None
        if power.workload is not None:
            wave, limit = power.workload, power.workload.ramp_limit_mw_per_s
            limit_w_per_s = None if limit is None else limit * 1e6
            swing = Swing(
                row["swing_w"], row["bank_swing_w"], wave.period_s, wave.duty, limit_w_per_s, row["in_rack_j"]
            )
        sizing = Sizing(
            per_bank=tuple(banks["units"]),
            binding=next(iter(banks["binding"]), ""),
            spare=row["spare_units"],
            needs=tuple(Need(*need) for need in needs.iter_rows()),
        )
        yield PlannedBanks(entry, plan.catalog.batteries[entry.product], row["load_w"], swing, sizing)


def shortest_ride_through_s(plan: Plan) -> float | None:
    """Shortest time that any entry carries its load with all its units, seconds; None without batteries."""
    return min((each.ride_through.all_s for each in planned_banks(plan)), default=None)


def smoothing(swing: Swing, units: int, battery: Battery, window: float) -> Smoothing:
    """What `units` do to the swing on a share `window` of their energy, and how it ages them.

    A cycle takes E/η out of the cells. A full cycle is the product's whole energy, so the number of
    cycles per day is that of equivalent full cycles; years on the calendar are not looked at.
    """
    have = capacity_of(units, battery)
    usable_wh = have.energy_wh * max(0.0, window) * one_way_efficiency(battery)
    inside_wh = swing.energy_wh / one_way_efficiency(battery) * _DAY_S / swing.period_s
    per_day = inside_wh / have.energy_wh if units else 0.0
    return Smoothing(
        flat=enough(have.power_w, swing.power_w) and enough(usable_wh, swing.energy_wh),
        full_cycles_per_day=per_day,
        life_years=battery.cycles / per_day / _YEAR_DAYS if battery.cycles is not None and per_day > 0 else None,
        ramp_without_w_per_s=least_ramp_w_per_s(swing, 0.0, 0.0),
        ramp_with_w_per_s=least_ramp_w_per_s(swing, have.power_w, usable_wh),
    )


def least_ramp_w_per_s(swing: Swing, power_w: float, usable_wh: float) -> float:
    """The slowest rise the grid can be given when the job starts; infinite where a step remains.

    The racks' storage C goes first, then a bank of energy E and power p: ΔP²/(2·(C + E)) as far as
    energy goes, and (ΔP² - p²)/(2·C) so that C lasts until p is enough (`Swing.step_w` solved for R).
    """
    by_energy = _ratio(swing.height_w**2, 2 * (swing.in_rack_j + usable_wh * _HOUR_S))
    if enough(power_w, swing.height_w):
        return by_energy
    return max(by_energy, _ratio(swing.height_w**2 - power_w**2, 2 * swing.in_rack_j))


def _ratio(above: float, below: float) -> float:
    """One over the other; 0 of nothing, infinite over nothing."""
    return 0.0 if above <= 0 else above / below if below > 0 else math.inf


@dataclass(frozen=True, slots=True)
class Ride:
    """Seconds that an entry's banks carry their load."""

    power_w: float
    energy_wh: float
    units: int
    all_s: float
    without_unit_s: float
    without_bank_s: float

    @property
    def spare_s(self) -> tuple[float, float]:
        """With one unit out, and with one bank out."""
        return self.without_unit_s, self.without_bank_s


def rides(plan: Plan) -> dict[str, Ride]:
    """Every entry of batteries by name."""
    made = {}
    for each in planned_banks(plan):
        have, seconds = capacity_of(each.sizing.units, each.product), each.ride_through
        times = (seconds.all_s, seconds.without_unit_s, seconds.without_bank_s)
        made[each.entry.name] = Ride(have.power_w, have.energy_wh, have.units, *times)
    return made
