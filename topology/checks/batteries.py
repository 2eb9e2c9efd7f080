"""Rules of battery banks: what they carry, for how long, and with a unit or a bank missing."""

import polars as pl

from topology.checks import BREACH, check
from topology.expand.batteries import compared, enough, one_way_efficiency, ride_through_s, smoothed
from topology.expand.power.banks import Banked, banked
from topology.plan import Plan

_CARRY = "n x e x (soc - reserve) x discharge efficiency / load, and n x p at least the load"


def _rows(plan: Plan, found: list[tuple[Banked, str, str]]) -> pl.DataFrame:
    origin = {path: at for at, path in enumerate(plan.origins)}
    return pl.DataFrame(
        [(origin[each.entry.path], each.entry.name, message, help_) for each, message, help_ in found],
        schema=BREACH,
        orient="row",
    )


def _standing(plan: Plan) -> list[tuple[Banked, list[int]]]:
    """Entries with the units of each bank that the plan's own table holds."""
    every = banked(plan.spec, plan.catalog, plan.power_nodes, plan.racks)
    table = plan.batteries.group_by("name", maintain_order=True).agg("units")
    units = {name: list(counts) for name, counts in table.iter_rows()}
    return [(each, units.get(each.entry.name, [])) for each in every]


@check("B302", "a bank carries its load for as long as the spec asks", _CARRY, keys={"power": "ride_through_s"})
def banks_ride_through(plan: Plan) -> pl.DataFrame:
    """Entries whose units, all or without one unit where N+1 is asked for, fall short of ride_through_s."""
    found = []
    for each, banks in _standing(plan):
        asked = each.entry.ride_through_s
        if asked is None:
            continue
        spare = len(banks) if each.entry.redundancy == "N+1" else 0
        have = _seconds(each, sum(banks) - spare)
        without = spare and not enough(compared(sum(banks) - spare, each.product).power_w, each.load_w)
        if without and enough(compared(sum(banks), each.product).power_w, each.load_w):
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
    for each, banks in _standing(plan):
        if each.entry.redundancy != "N+1" or not _carries(each):
            continue
        left = compared(sum(banks) - len(banks), each.product)
        if not enough(left.power_w, each.load_w):
            message = (
                f"with one unit of each bank out, {each.entry.name} gives {left.power_w / 1e6:,.1f} MW; "
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
    for each, banks in _standing(plan):
        if each.swing is None:
            continue
        after = smoothed(each.swing, sum(banks), each.product, each.window)
        limit = each.swing.ramp_limit_w_per_s
        if limit is not None and not enough(limit, after.ramp_with_w_per_s):
            message = (
                f"when a job starts, the grid behind {each.entry.name} sees {_ramp(after.ramp_with_w_per_s)}; "
                f"{limit / 1e6:g} MW/s is the limit"
            )
            found.append((each, message, f"give it {_needed(each):,} units"))
        elif not after.flat:
            have = compared(sum(banks), each.product)
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
    for each, banks in _standing(plan):
        if len(banks) < each.entry.banks:
            message = (
                f"{len(banks)} of {each.entry.banks} banks of {each.entry.name} are there; they carry "
                f"{each.load_w / 1e6:,.1f} MW for {_seconds(each, sum(banks)):,.0f} s"
            )
            found.append((each, message, "put the missing bank back, or lower banks"))
    return _rows(plan, found)


def _carries(each: Banked) -> bool:
    return each.entry.ride_through_s is not None or each.entry.hold_s is not None or each.entry.power_mw is not None


def _seconds(each: Banked, units: int) -> float:
    return ride_through_s(units, each.product, each.window, each.load_w)


def _needed(each: Banked) -> int:
    """Units that meet every need of the entry, and a spare per bank with N+1."""
    spare = each.entry.banks if each.entry.redundancy == "N+1" else 0
    return max([need.units or 0 for need in each.sized.needs], default=0) + spare


def _ramp(watts_per_s: float) -> str:
    return "a step" if watts_per_s == float("inf") else f"{watts_per_s / 1e6:,.3g} MW/s"
