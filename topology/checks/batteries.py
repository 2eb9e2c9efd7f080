"""Rules of battery banks: what they carry, for how long, and with a unit or a bank missing."""

import polars as pl

from topology.catalog.battery_units import capacity_of, enough, one_way_efficiency
from topology.checks import BREACH, check
from topology.plan import Plan
from topology.views.banks import PlannedBanks, planned_banks, smoothing

_CARRY = "n x e x (soc - reserve) x discharge efficiency / load, and n x p at least the load"


def _rows(plan: Plan, found: list[tuple[PlannedBanks, str, str]]) -> pl.DataFrame:
    origin = {path: at for at, path in enumerate(plan.origins)}
    return pl.DataFrame(
        [(origin[each.entry.path], each.entry.name, message, help_) for each, message, help_ in found],
        schema=BREACH,
        orient="row",
    )


@check("B302", "a bank carries its load for as long as the spec asks", _CARRY, keys={"power": "ride_through_s"})
def banks_ride_through(plan: Plan) -> pl.DataFrame:
    """Entries whose units, all or without one unit where N+1 is asked for, fall short of ride_through_s."""
    found = []
    for each in planned_banks(plan):
        asked = each.entry.ride_through_s
        if asked is None:
            continue
        spare = len(each.sizing.per_bank) if each.entry.redundancy == "N+1" else 0
        have = each.ride_through_s(each.sizing.units - spare)
        if each.holds(each.sizing.units) and not each.holds(each.sizing.units - spare):
            continue  # B303 says so
        if not enough(have, asked):
            out = " with one unit of each bank out" if spare else ""
            message = (
                f"{each.entry.name} carries {each.load_w / 1e6:,.1f} MW for {have:,.0f} s{out}, "
                f"not the {asked:,.0f} s asked for"
            )
            found.append((each, message, f"give it {_needed(each):,} units"))
    return _rows(plan, found)


@check(
    "B303",
    "a bank's power holds its load with one unit out where N+1 is asked for",
    _CARRY,
    keys={"power": "redundancy"},
)
def power_holds_without_a_unit(plan: Plan) -> pl.DataFrame:
    """N+1 entries that carry their load with all units, but not with one of each bank out."""
    found = []
    for each in planned_banks(plan):
        if each.entry.redundancy != "N+1" or not _carries(each):
            continue
        units = each.sizing.units - len(each.sizing.per_bank)
        if not each.holds(units):
            power_w = capacity_of(units, each.product).power_w
            message = (
                f"with one unit of each bank out, {each.entry.name} gives {power_w / 1e6:,.1f} MW; "
                f"its load is {each.load_w / 1e6:,.1f} MW"
            )
            found.append((each, message, f"give it {_needed(each):,} units"))
    return _rows(plan, found)


@check(
    "B304",
    "a bank flattens the swing of the training load",
    "d x (1 - d) x T x swing of energy, and its power",
    keys={"power": "power_mw"},
)
def banks_smooth_the_swing(plan: Plan) -> pl.DataFrame:
    """Entries too small to keep the workload's swing, or its start, from the grid."""
    found = []
    for each in planned_banks(plan):
        if each.swing is None:
            continue
        after = smoothing(each.swing, each.sizing.units, each.product, each.window)
        limit = each.swing.ramp_limit_w_per_s
        if limit is not None and not enough(limit, after.ramp_with_w_per_s):
            message = (
                f"when a job starts, the grid behind {each.entry.name} sees {_ramp(after.ramp_with_w_per_s)}; "
                f"{limit / 1e6:g} MW/s is the limit"
            )
            found.append((each, message, f"give it {_needed(each):,} units"))
        elif not after.flat:
            have = capacity_of(each.sizing.units, each.product)
            message = (
                f"{each.entry.name} gives {have.power_w / 1e6:,.1f} MW; the training "
                f"load swings by {each.swing.power_w / 1e6:,.1f} MW around its mean"
            )
            if enough(have.power_w, each.swing.power_w):
                usable = have.energy_wh * each.window * one_way_efficiency(each.product)
                message = (
                    f"{each.entry.name} gives {usable / 1e6:,.3f} MWh above its reserve; each swing of the training "
                    f"load takes {each.swing.energy_wh / 1e6:,.3f} MWh"
                )
            found.append((each, message, f"give it {_needed(each):,} units"))
    return _rows(plan, found)


@check("B305", "every bank of the spec is there", "what is not there carries nothing", keys={"power": "banks"})
def banks_are_there(plan: Plan) -> pl.DataFrame:
    """Entries with fewer banks in the plan than the spec asks for."""
    found = []
    for each in planned_banks(plan):
        if len(each.sizing.per_bank) < each.entry.banks:
            message = (
                f"{len(each.sizing.per_bank)} of {each.entry.banks} banks of {each.entry.name} are there; they carry "
                f"{each.load_w / 1e6:,.1f} MW for {each.ride_through_s(each.sizing.units):,.0f} s"
            )
            found.append((each, message, "put the missing bank back, or lower banks"))
    return _rows(plan, found)


def _carries(each: PlannedBanks) -> bool:
    return each.entry.ride_through_s is not None or each.entry.hold_s is not None or each.entry.power_mw is not None


def _needed(each: PlannedBanks) -> int:
    """Units that meet every need of the entry, and a spare per bank with N+1."""
    spare = each.entry.banks if each.entry.redundancy == "N+1" else 0
    return max([need.units or 0 for need in each.sizing.needs], default=0) + spare


def _ramp(watts_per_s: float) -> str:
    return "a step" if watts_per_s == float("inf") else f"{watts_per_s / 1e6:,.3g} MW/s"
