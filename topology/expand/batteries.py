"""Battery banks: how many units, which need asked for them, and what they then carry.

Energies are those a bank delivers or takes at its terminals, unless they are said to be inside it.
Losses are split evenly over charge and discharge, for lack of a source that tells them apart. Banks
share the load they are attached to. Formulas: section 10 of the design.
"""

import math
from dataclasses import dataclass

from topology.catalog.model import Battery
from topology.spec.model import BatteryBanks, Workload

_HOUR_S = 3600.0
_DAY_S = 86_400.0
_YEAR_DAYS = 365.25
_ROUNDING = 1e-9  # a tenth of a watt in 100 MW: below any meter, above the error of the arithmetic


@dataclass(frozen=True, slots=True)
class Swing:
    """A training job's square wave, and what is left of it after the storage in the racks."""

    height_w: float  # as the load makes it
    left_w: float  # as a bank has to flatten it
    period_s: float
    duty: float  # share of the period at full load
    ramp_limit_w_per_s: float | None = None
    in_rack_j: float = 0.0

    @property
    def power_w(self) -> float:
        """What a bank gives at full load, (1 - d)·ΔP, or takes at low load, d·ΔP, whichever is more."""
        return self.left_w * max(self.duty, 1 - self.duty)

    @property
    def energy_wh(self) -> float:
        """What a bank gives in one period and takes back in it: d·(1 - d)·T·ΔP."""
        return self.duty * (1 - self.duty) * self.period_s * self.left_w / _HOUR_S

    @property
    def step_w(self) -> float:
        """Power a bank must give when the job starts: sqrt(ΔP² - 2·R·C); 0 without a ramp limit.

        The grid follows at R, so the gap falls from ΔP to nothing in ΔP/R. The racks' storage C
        fills the first of it, where it is widest; the bank begins at what is left.
        """
        if self.ramp_limit_w_per_s is None:
            return 0.0
        return math.sqrt(max(0.0, self.height_w**2 - 2 * self.ramp_limit_w_per_s * self.in_rack_j))

    @property
    def step_wh(self) -> float:
        """Energy a bank gives then: ΔP²/(2·R) - C; 0 without a ramp limit."""
        if self.ramp_limit_w_per_s is None:
            return 0.0
        return self.step_w**2 / (2 * self.ramp_limit_w_per_s) / _HOUR_S


@dataclass(frozen=True, slots=True)
class Need:
    """One reason for a bank, and what it takes to meet it."""

    name: str  # units, power, ride-through, hold, swing or step: `binding` in the table of batteries
    power_w: float
    energy_wh: float
    window: float  # share of a unit's energy that may be used for it
    units: int | None  # None: no number of units is enough, because the window is empty


@dataclass(frozen=True, slots=True)
class Sizing:
    """Units of each bank, and why so many."""

    per_bank: tuple[int, ...]  # sizes differ by one at most, the larger first
    binding: str  # name of the need that decided
    spare: int  # units of these beyond the need, one per bank with N+1
    needs: tuple[Need, ...]  # all that the spec states, also when a count or a power was given

    @property
    def units(self) -> int:
        """Units of all banks together."""
        return sum(self.per_bank)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a number of units is together."""

    units: int
    power_w: int
    energy_wh: int  # inside, from full to empty


@dataclass(frozen=True, slots=True)
class Carried:
    """Seconds a load is carried; 0 where the power does not hold."""

    all_s: float
    without_unit_s: float
    without_bank_s: float  # the largest


@dataclass(frozen=True, slots=True)
class Smoothed:
    """What banks do to a swing, and what it does to them."""

    flat: bool  # power and energy suffice to keep the swing from the grid altogether
    full_cycles_per_day: float  # energy through the cells over the energy they hold
    life_years: float | None  # by the product's cycles alone; None: no source gives them, or nothing cycles
    ramp_without_w_per_s: float  # the least the grid can be shown at a job's start; inf: a step
    ramp_with_w_per_s: float


def training_swing(workload: Workload, it_load_w: float, in_rack_j: float = 0.0) -> Swing:
    """The job's square wave over an IT load, less what storage in the racks takes off.

    Storage of C joules lowers the wave by ΔP_c = C / (d·(1 - d)·T), as d·(1 - d)·T·ΔP_c is the energy
    it then gives and takes back in a period: what the bank sees falls by C in energy, and in power in
    proportion. C is 65 J per GPU in GB300 NVL72 racks. Source: NVIDIA's developer blog, "How New GB300
    NVL72 Features Provide Steady Power for AI"; it gives no limit of the storage's power, so none is set.
    """
    height_w = workload.swing * it_load_w
    spread_s = workload.duty * (1 - workload.duty) * workload.period_s
    limit = workload.ramp_limit_mw_per_s
    return Swing(
        height_w=height_w,
        left_w=max(0.0, height_w - in_rack_j / spread_s) if spread_s > 0 else 0.0,
        period_s=workload.period_s,
        duty=workload.duty,
        ramp_limit_w_per_s=None if limit is None else limit * 1e6,
        in_rack_j=in_rack_j,
    )


def one_way_efficiency(battery: Battery) -> float:
    """Energy out over energy in, of the discharge alone or of the charge alone."""
    return math.sqrt(battery.round_trip)


def enough(have: float, need: float) -> bool:
    """Whether `have` meets `need`, rounding errors forgiven."""
    return have >= need * (1 - _ROUNDING)


def sizing(banks: BatteryBanks, battery: Battery, load_w: float, swing: Swing | None) -> Sizing:
    """Units per bank for what the spec gives: a count, else a power, else the needs.

    A given count is kept as it is; to any other, N+1 adds a unit per bank. Every sized bank has a
    unit. The banks need not carry the whole load if smoothing is all that is asked of them.

    Raises:
        ValueError: the spec let through a state of charge at or under a reserve that energy is to come from.
    """
    needs = _needs(banks, battery, load_w, swing)
    if banks.units is not None:
        return Sizing(_spread(banks.units, banks.banks), "units", 0, needs)
    if banks.power_mw is not None:
        binding, units = "power", whole_units(banks.power_mw * 1e6, battery.power_w)
    else:
        counts = {need.name: need.units for need in needs if need.units is not None}
        if len(counts) < len(needs):
            raise ValueError(f"banks {banks.name}: no energy between soc {banks.soc} and reserve {banks.reserve_soc}")
        binding, units = max(counts.items(), key=lambda item: item[1])  # the first of equals
    spare = banks.banks if banks.redundancy == "N+1" else 0
    return Sizing(_spread(max(units, banks.banks) + spare, banks.banks), binding, spare, needs)


def compared(units: int, battery: Battery) -> Capacity:
    """Power and energy of so many units: to set reported counts beside a sizing."""
    return Capacity(units, units * battery.power_w, units * battery.energy_wh)


def ride_through_s(units: int, battery: Battery, window: float, load_w: float) -> float:
    """Seconds the units carry the load on a share `window` of their energy: n·e·(s - r)·η / P.

    0 where their power does not hold; infinite without a load.
    """
    if not enough(units * battery.power_w, load_w):
        return 0.0
    energy_wh = units * battery.energy_wh * max(0.0, window) * one_way_efficiency(battery)
    return energy_wh * _HOUR_S / load_w if load_w > 0 else math.inf


def carried(sized: Sizing, battery: Battery, window: float, load_w: float) -> Carried:
    """How long the load is carried by all units, without one, and without the largest bank."""
    return Carried(*(ride_through_s(units, battery, window, load_w) for units in left(sized)))


def smoothed(swing: Swing, units: int, battery: Battery, window: float) -> Smoothed:
    """What `units` do to the swing on a share `window` of their energy, and how it ages them.

    A cycle takes E/η out of the cells. A full cycle is the product's whole energy, so the number of
    cycles per day is that of equivalent full cycles; years on the calendar are not looked at.
    """
    have = compared(units, battery)
    usable_wh = have.energy_wh * max(0.0, window) * one_way_efficiency(battery)
    inside_wh = swing.energy_wh / one_way_efficiency(battery) * _DAY_S / swing.period_s
    per_day = inside_wh / have.energy_wh if units else 0.0
    return Smoothed(
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
    by_energy = _over(swing.height_w**2, 2 * (swing.in_rack_j + usable_wh * _HOUR_S))
    if enough(power_w, swing.height_w):
        return by_energy
    return max(by_energy, _over(swing.height_w**2 - power_w**2, 2 * swing.in_rack_j))


def _needs(banks: BatteryBanks, battery: Battery, load_w: float, swing: Swing | None) -> tuple[Need, ...]:
    """What the spec asks for, in the order in which equals are named."""
    window = banks.soc - banks.reserve_soc
    timed = [
        Need(name, load_w, load_w * seconds / _HOUR_S, share, None)
        for name, seconds, share in (
            ("ride-through", banks.ride_through_s, window),
            ("hold", banks.hold_s, banks.soc),
        )
        if seconds  # zero seconds ask for nothing
    ]
    needs = [Need("power", load_w, 0.0, window, None), *timed] if timed or swing is None else []
    if swing is not None:
        needs.append(Need("swing", swing.power_w, swing.energy_wh, window, None))
        if swing.ramp_limit_w_per_s is not None:
            needs.append(Need("step", swing.step_w, swing.step_wh, window, None))
    return tuple(Need(need.name, need.power_w, need.energy_wh, need.window, _units(need, battery)) for need in needs)


def _units(need: Need, battery: Battery) -> int | None:
    """Units that meet the need in power and in energy."""
    by_power = whole_units(need.power_w, battery.power_w)
    if need.energy_wh <= 0:
        return by_power
    usable_wh = battery.energy_wh * need.window * one_way_efficiency(battery)
    return max(by_power, whole_units(need.energy_wh, usable_wh)) if usable_wh > 0 else None


def whole_units(need: float, each: float) -> int:
    """Units of `each` that meet `need`, rounding errors forgiven."""
    return math.ceil(need / each * (1 - _ROUNDING))


def _over(above: float, below: float) -> float:
    return 0.0 if above <= 0 else above / below if below > 0 else math.inf


def left(sized: Sizing) -> tuple[int, int, int]:
    """Units of all banks, without one unit, and without the largest bank."""
    return sized.units, max(0, sized.units - 1), sized.units - max(sized.per_bank)


def _spread(units: int, banks: int) -> tuple[int, ...]:
    """As equal as whole units can be, the larger banks first."""
    least, larger = divmod(units, banks)
    return (least + 1,) * larger + (least,) * (banks - larger)
