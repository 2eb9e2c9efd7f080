"""The arithmetic of a battery sizing, a line each, as an engineer checks it by hand."""

import math
from dataclasses import dataclass

from topology.catalog.battery_units import Need, capacity_of, one_way_efficiency, whole_units
from topology.catalog.model import Battery
from topology.spec.model import BatteryBanks
from topology.spec.swing import Swing
from topology.views.banks import PlannedBanks

_MWH = 1e6
_GROUPED = 1e5  # figures from here on are written with commas, and without decimals


@dataclass(frozen=True, slots=True)
class SizingStep:
    """One line of a sizing sheet: n = ceil(150 MW / 0.979 MW) = 154 units."""

    symbol: str
    formula: str  # with its figures
    result: str
    unit: str

    def __str__(self) -> str:
        return f"{self.symbol} = {self.formula} = {self.result} {self.unit}".rstrip()


def sizing_steps(banks: PlannedBanks) -> tuple[SizingStep, ...]:
    """The sizing as arithmetic: efficiency, each need, the units, and how long they carry the load.

    Figures are rounded to six digits for reading; the units come from the unrounded ones.
    """
    battery = banks.product
    lines = [SizingStep("η", f"sqrt({battery.round_trip:g})", _figure(one_way_efficiency(battery)), "")]
    if banks.swing is not None:
        lines += _swing_lines(banks.swing)
    for need in banks.sizing.needs:
        lines += _need_lines(need, banks.entry, battery)
    return (*lines, *_size_lines(banks), *_ride_through_lines(banks))


def _swing_lines(swing: Swing) -> list[SizingStep]:
    height, duty = _mw(swing.height_w), f"{swing.duty:g}"
    period, store = f"{swing.period_s:g} s", f"{_figure(swing.in_rack_j / 1e6)} MJ"
    off = f"{height} - {store} / ({duty} · (1 - {duty}) · {period})"
    left = SizingStep("ΔP", f"max(0, {off})" if swing.left_w <= 0 else off, *_mw(swing.left_w).split())
    lines = [
        left,
        SizingStep("P(swing)", f"{_mw(swing.left_w)} · max({duty}, 1 - {duty})", *_mw(swing.power_w).split()),
        SizingStep(
            "E(swing)",
            f"{duty} · (1 - {duty}) · {period} · {_mw(swing.left_w)} / 3600 s/h",
            *_mwh(swing.energy_wh).split(),
        ),
    ]
    if swing.ramp_limit_w_per_s is not None:
        ramp = f"{_mw(swing.ramp_limit_w_per_s)}/s"
        under = f"({height})² - 2 · {ramp} · {store}"
        step = f"sqrt({under})" if swing.step_w > 0 else f"sqrt(max(0, {under}))"
        lines += [
            SizingStep("P(step)", step, *_mw(swing.step_w).split()),
            SizingStep("E(step)", f"({_mw(swing.step_w)})² / (2 · {ramp}) / 3600 s/h", *_mwh(swing.step_wh).split()),
        ]
    return lines


def _need_lines(need: Need, banks: BatteryBanks, battery: Battery) -> list[SizingStep]:
    lines = []
    seconds = {"ride-through": banks.ride_through_s, "hold": banks.hold_s}.get(need.name)
    if seconds is not None:
        energy = f"{_mw(need.power_w)} · {seconds:g} s / 3600 s/h"
        lines.append(SizingStep(f"E({need.name})", energy, *_mwh(need.energy_wh).split()))
    by_power = f"ceil({_mw(need.power_w)} / {_mw(battery.power_w)})"
    share = f"{banks.soc:g}" if need.name == "hold" else f"({banks.soc:g} - {banks.reserve_soc:g})"
    per_unit = f"{_mwh(battery.energy_wh)} · {share} · {_figure(one_way_efficiency(battery))}"
    both = f"max({by_power}, ceil({_mwh(need.energy_wh)} / ({per_unit})))"
    units = ("no number of", "units") if need.units is None else (f"{need.units:,}", "units")
    return [*lines, SizingStep(f"n({need.name})", both if need.energy_wh > 0 else by_power, *units)]


def _size_lines(banks: PlannedBanks) -> list[SizingStep]:
    entry, battery, sizing = banks.entry, banks.product, banks.sizing
    lines = []
    total, least = f"{sizing.units:,}", sizing.units - sizing.spare
    if entry.units is not None:
        formula = "given"
    elif entry.power_mw is not None:
        formula = f"ceil({entry.power_mw:g} MW / {_mw(battery.power_w)})"
        if whole_units(entry.power_mw * 1e6, battery.power_w) < entry.banks:
            formula = f"max({formula}, {entry.banks} banks)"
    else:
        names = [f"n({need.name})" for need in sizing.needs]
        formula = f"max({', '.join([*names, f'{entry.banks} banks'])})"
    lines.append(SizingStep("n", formula, f"{least:,}", "units"))
    if sizing.spare:
        lines.append(SizingStep("n(N+1)", f"{least:,} + {entry.banks} · 1", total, "units"))
    have = capacity_of(sizing.units, battery)
    return [
        *lines,
        SizingStep("P(n)", f"{total} · {_mw(battery.power_w)}", *_mw(have.power_w).split()),
        SizingStep("E(n)", f"{total} · {_mwh(battery.energy_wh)}", *_mwh(have.energy_wh).split()),
    ]


def _ride_through_lines(banks: PlannedBanks) -> list[SizingStep]:
    lines = []
    entry, battery, load = banks.entry, banks.product, _mw(banks.load_w)
    efficiency = _figure(one_way_efficiency(battery))
    for name, units in zip(("t", "t(one unit less)", "t(one bank less)"), banks.sizing.in_service, strict=True):
        energy = _mwh(capacity_of(units, battery).energy_wh)
        formula = f"{energy} · ({entry.soc:g} - {entry.reserve_soc:g}) · {efficiency} / {load}"
        if not banks.holds(units):
            formula = f"{units:,} · {_mw(battery.power_w)} < {load}, power does not hold"
        lines.append(SizingStep(name, formula, _figure(banks.ride_through_s(units)), "s"))
    return lines


def _figure(value: float) -> str:
    return f"{value:,.0f}" if _GROUPED <= value < math.inf else f"{value:.6g}"


def _mw(value_w: float) -> str:
    return f"{_figure(value_w / 1e6)} MW"


def _mwh(value_wh: float) -> str:
    return f"{_figure(value_wh / 1e6)} MWh" if value_wh >= _MWH else f"{_figure(value_wh / 1e3)} kWh"
