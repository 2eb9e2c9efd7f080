"""Sizes of battery banks, against published figures, against their needs and against stepped time."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from topology.artifacts.power.arithmetic import sizing_steps
from topology.catalog.battery_units import capacity_of, enough, ride_through_s
from topology.catalog.model import Battery
from topology.expand.power.sizing import sizing
from topology.spec.model import BatteryBanks, Workload
from topology.spec.swing import Swing, training_swing
from topology.views import banks as views
from topology.views.banks import PlannedBanks, RideThrough, smoothing

FOUR_HOURS = Battery("megapack-4h", "Tesla", "Megapack 2 XL", 979_000, 3_916_000, 0.937, None, 8.8, 1.65, 3, None, ())
TWO_HOURS = replace(FOUR_HOURS, slug="megapack-2h", power_w=1_927_000, energy_wh=3_854_000, round_trip=0.92)
BANKS = BatteryBanks("megapacks", "megapack-4h", "substation")

products = st.builds(
    lambda power_w, hours, round_trip: replace(
        FOUR_HOURS, power_w=power_w, energy_wh=round(power_w * hours), round_trip=round_trip, cycles=10_000
    ),
    st.integers(50_000, 5_000_000),
    st.floats(0.05, 8),
    st.floats(0.6, 1),
)
swings = st.builds(
    lambda swing, period_s, duty, limit, in_rack_j: training_swing(
        Workload(swing, period_s, duty, limit), 150e6, in_rack_j
    ),
    st.floats(0.01, 1),
    st.floats(0.5, 3600),
    st.floats(0.02, 0.98),
    st.none() | st.floats(0.02, 50),
    st.sampled_from([0.0, 6.5e6]) | st.floats(1, 1e9),
)
loads_w = st.floats(1e5, 1e9)
shares = st.floats(0.01, 0.95) | st.floats(1, 1.5)  # just under 1, a step is too coarse to tell the ramps apart
stated = st.builds(
    lambda soc, reserve, ride_through_s, hold_s, banks, redundancy: replace(
        BANKS,
        soc=soc,
        reserve_soc=reserve * soc,
        ride_through_s=ride_through_s,
        hold_s=hold_s,
        banks=banks,
        redundancy=redundancy,
    ),
    st.floats(0.2, 1),
    st.floats(0, 0.9),
    st.none() | st.floats(1, 20_000),
    st.none() | st.floats(1, 20_000),
    st.integers(1, 9),
    st.sampled_from(["N", "N+1"]),
)
PAIRS = settings(deadline=None, max_examples=200)


def planned(banks, battery=FOUR_HOURS, load_w=100e6, swing=None):
    """An entry as a plan holds it, sized for its load."""
    return PlannedBanks(banks, battery, load_w, swing, sizing(banks, battery, load_w, swing))


# Counts


@pytest.mark.parametrize(("battery", "units", "megawatt_hours"), [(FOUR_HOURS, 154, 603.064), (TWO_HOURS, 78, 300.612)])
@pytest.mark.parametrize("banks", [1, 4])
def test_150_megawatts_are_154_four_hour_or_78_two_hour_megapacks(battery, units, megawatt_hours, banks):
    sized = sizing(replace(BANKS, power_mw=150, banks=banks), battery, 300e6, None)
    assert (sized.units, sized.binding, sized.spare) == (units, "power", 0)
    assert capacity_of(units, battery).energy_wh == megawatt_hours * 1e6


def test_reported_counts_of_colossus_are_164_and_204_megawatts_of_the_four_hour_type():
    assert [capacity_of(units, FOUR_HOURS).power_w for units in (168, 208)] == [164_472_000, 203_632_000]
    assert capacity_of(208, TWO_HOURS).power_w == 400_816_000


def test_banks_differ_by_one_unit_at_most():
    assert sizing(replace(BANKS, power_mw=150, banks=4), FOUR_HOURS, 0, None).per_bank == (39, 39, 38, 38)


def test_n_plus_1_adds_a_unit_to_every_bank_and_is_not_what_binds():
    sized = sizing(replace(BANKS, power_mw=150, banks=4, redundancy="N+1"), FOUR_HOURS, 0, None)
    assert (sized.per_bank, sized.binding, sized.spare) == ((40, 40, 39, 39), "power", 4)


def test_every_bank_has_a_unit_and_with_n_plus_1_two():
    small = replace(BANKS, power_mw=0.5, banks=4)
    assert sizing(small, FOUR_HOURS, 0, None).per_bank == (1, 1, 1, 1)
    assert sizing(replace(small, redundancy="N+1"), FOUR_HOURS, 0, None).per_bank == (2, 2, 2, 2)


def test_zero_seconds_ask_for_nothing():
    asked = replace(BANKS, ride_through_s=0, hold_s=0)
    sized = sizing(asked, FOUR_HOURS, 100e6, Swing(60e6, 60e6, 10, 0.4, 1e6))
    assert (sized.binding, sized.units, [need.name for need in sized.needs]) == ("step", 62, ["swing", "step"])


def test_given_units_are_kept_whatever_the_needs():
    asked = replace(BANKS, units=10, banks=3, redundancy="N+1", ride_through_s=60, power_mw=150)
    sized = sizing(asked, FOUR_HOURS, 100e6, None)
    assert (sized.per_bank, sized.binding, sized.spare) == ((4, 3, 3), "units", 0)
    assert {need.name: need.units for need in sized.needs} == {"power": 103, "ride-through": 103}


def test_a_power_that_units_meet_exactly_takes_no_unit_more():
    for units in range(1, 2000):
        assert sizing(replace(BANKS, power_mw=units * 0.979), FOUR_HOURS, 0, None).units == units


# Which need binds


@pytest.mark.parametrize(
    ("change", "swing", "binding", "units"),
    [
        ({}, None, "power", 103),
        ({"ride_through_s": 300}, None, "power", 103),
        # 100 MW for 4 h: 400 MWh / (3.916 MWh · 0.8 · sqrt(0.937)) = 131.9
        ({"ride_through_s": 14_400}, None, "ride-through", 132),
        # The reserve may be used to hold: 400 MWh / (3.916 MWh · sqrt(0.937)) = 105.5
        ({"hold_s": 14_400}, None, "hold", 106),
        ({"ride_through_s": 3600, "hold_s": 14_400}, None, "hold", 106),
        # Power: 60 MW · 0.6 / 0.979 MW = 36.8
        ({}, Swing(60e6, 60e6, 10, 0.4), "swing", 37),
        # Energy: 0.24 · 36,000 s · 60 MW = 144 MWh / (3.916 MWh · 0.8 · sqrt(0.937)) = 47.5
        ({}, Swing(60e6, 60e6, 36_000, 0.4), "swing", 48),
        # Power: 60 MW / 0.979 MW = 61.3
        ({}, Swing(60e6, 60e6, 10, 0.4, 1e6), "step", 62),
        # Energy: (60 MW)² / (2 · 2 kW/s) = 250 MWh / (3.916 MWh · 0.8 · sqrt(0.937)) = 82.4
        ({}, Swing(60e6, 60e6, 10, 0.4, 2e3), "step", 83),
        ({"ride_through_s": 1}, Swing(60e6, 60e6, 10, 0.4, 1e6), "power", 103),
    ],
)
def test_the_binding_need_is_named_with_its_units(change, swing, binding, units):
    sized = sizing(replace(BANKS, **change), FOUR_HOURS, 100e6, swing)
    assert (sized.binding, sized.units) == (binding, units)


def test_energy_from_an_empty_window_is_refused_when_it_sets_the_size_and_told_when_it_does_not():
    empty = replace(BANKS, soc=0.2, reserve_soc=0.2, ride_through_s=60)
    with pytest.raises(ValueError, match=r"no energy between soc 0\.2 and reserve 0\.2"):
        sizing(empty, FOUR_HOURS, 1e6, None)
    sized = sizing(replace(empty, units=5), FOUR_HOURS, 1e6, None)
    assert sized.needs[1].units is None
    assert planned(replace(empty, units=5), load_w=1e6).ride_through == RideThrough(0.0, 0.0, 0.0)


@PAIRS
@given(stated, products, loads_w, st.none() | swings)
def test_sized_units_meet_every_need_and_one_less_misses_the_binding_one(banks, battery, load_w, swing):
    sized = sizing(banks, battery, load_w, swing)
    needed = sized.units - sized.spare
    unit_wh = battery.energy_wh * math.sqrt(battery.round_trip)

    def missed(units, slack=0.0):
        window = banks.soc - banks.reserve_soc
        asked = {"power": (load_w, 0.0)} if banks.ride_through_s or banks.hold_s or swing is None else {}
        if banks.ride_through_s:
            asked["ride-through"] = (load_w, load_w * banks.ride_through_s / 3600 / window)
        if banks.hold_s:
            asked["hold"] = (load_w, load_w * banks.hold_s / 3600 / banks.soc)
        if swing:
            asked["swing"] = (swing.power_w, swing.energy_wh / window)
        if swing and swing.ramp_limit_w_per_s:
            asked["step"] = (swing.step_w, swing.step_wh / window)
        return [
            name
            for name, (power_w, energy_wh) in asked.items()
            if units * battery.power_w < power_w * (1 - slack) or units * unit_wh < energy_wh * (1 - slack)
        ]

    assert not missed(needed, slack=1e-8)
    assert needed == banks.banks or sized.binding in missed(needed - 1, slack=0.99e-9)  # the program forgives 1e-9
    assert len(sized.per_bank) == banks.banks
    assert max(sized.per_bank) - min(sized.per_bank) <= 1
    assert sized.spare == (banks.banks if banks.redundancy == "N+1" else 0)
    if banks.ride_through_s:
        have_s = PlannedBanks(banks, battery, load_w, swing, sized).ride_through.all_s
        assert enough(have_s, banks.ride_through_s)


# Ride-through


def test_ride_through_with_a_unit_or_a_bank_missing_is_nothing_once_their_power_does_not_hold():
    banks = replace(BANKS, units=154, banks=4)
    all_s = 154 * 3.916 * 0.8 * math.sqrt(0.937) / 149 * 3600
    short_s = all_s * 153 / 154
    assert planned(banks, load_w=149e6).ride_through == pytest.approx(RideThrough(all_s, short_s, 0.0))
    assert planned(banks, load_w=150e6).ride_through.without_unit_s == 0.0
    assert planned(banks, load_w=110e6).ride_through.without_bank_s == pytest.approx(all_s * 149 / 110 * 115 / 154)


@PAIRS
@given(products, st.integers(1, 400), st.floats(0.3, 1), st.floats(0, 0.9), st.floats(0.01, 1))
def test_ride_through_is_that_of_a_discharge_stepped_through_time(battery, units, soc, reserve, share):
    load_w, floor = units * battery.power_w * share, reserve * soc
    formula_s = ride_through_s(units, battery, soc - floor, load_w)
    # A charge controller sees state of charge, not seconds: step until the next step would go under the reserve.
    dt_s = units * battery.energy_wh * 3600 / load_w / 4000
    drawn_w = load_w / math.sqrt(battery.round_trip)
    charge = np.full(5000, soc) - np.arange(5000) * drawn_w * dt_s / 3600 / (units * battery.energy_wh)
    stepped_s = np.count_nonzero(charge > floor) * dt_s
    assert formula_s == pytest.approx(stepped_s, rel=0.01, abs=dt_s)


# Swings


def stepped(swing, periods=3, steps=4000):
    """The mean load in each step of whole periods, that of all, and the step in seconds."""
    high = np.clip(swing.duty * steps - np.arange(steps), 0, 1)
    return np.tile(high * swing.height_w, periods), swing.height_w * swing.duty, swing.period_s / steps


@PAIRS
@given(swings)
@example(Swing(60e6, 60e6, 10, 0.5))
def test_energy_and_power_of_a_swing_are_those_of_a_load_stepped_through_time(swing):
    load_w, mean_w, dt_s = stepped(swing)
    # Racks and bank share the deviation so that the racks' storage is just used up.
    away_w = load_w - mean_w
    swept_j = np.ptp(np.cumsum(away_w) * dt_s)
    racks_w = away_w * min(1.0, swing.in_rack_j / swept_j)
    bank_w = away_w - racks_w
    assert np.ptp(np.cumsum(racks_w) * dt_s) <= swing.in_rack_j * 1.001 or swing.in_rack_j == 0
    near = max(swept_j, 1.0) * 0.005
    assert swing.energy_wh * 3600 == pytest.approx(np.ptp(np.cumsum(bank_w) * dt_s), rel=0.01, abs=near)
    assert swing.power_w == pytest.approx(np.abs(bank_w).max(), rel=0.01, abs=np.abs(away_w).max() * 0.005)
    assert np.ptp(load_w - racks_w - bank_w) < 1.0  # the grid sees a constant


@PAIRS
@given(st.floats(1e6, 1e9), st.floats(1e4, 1e8), st.floats(0, 0.95))
def test_energy_and_power_of_a_step_are_those_of_a_ramp_stepped_through_time(height_w, limit_w_per_s, racks):
    racks_j = racks * height_w**2 / (2 * limit_w_per_s)
    swing = Swing(height_w, height_w, 10, 0.5, limit_w_per_s, racks_j)
    dt_s = height_w / limit_w_per_s / 100_000
    gap_w = height_w - (np.arange(100_000) + 0.5) * limit_w_per_s * dt_s
    bank_w = np.where(np.cumsum(gap_w) * dt_s > racks_j, gap_w, 0.0)
    assert swing.step_w == pytest.approx(bank_w.max(), rel=0.01)
    assert swing.step_wh * 3600 == pytest.approx(bank_w.sum() * dt_s, rel=0.01)


@PAIRS
@given(st.floats(1e6, 1e9), st.just(0.0) | st.floats(1e3, 1e10), shares, st.floats(1e3, 1e8))
def test_the_least_ramp_is_the_slowest_that_racks_and_bank_can_fill(height_w, racks_j, share, bank_wh):
    swing = Swing(height_w, height_w, 10, 0.5, None, racks_j)
    power_w = height_w * share
    least = views.least_ramp_w_per_s(swing, power_w, bank_wh)

    def fills(ramp_w_per_s):
        dt_s = height_w / ramp_w_per_s / 20_000
        gap_w = height_w - (np.arange(20_000) + 0.5) * ramp_w_per_s * dt_s
        bank_w = np.where(np.cumsum(gap_w) * dt_s > racks_j, gap_w, 0.0)
        return bank_w.max() <= power_w and bank_w.sum() * dt_s <= bank_wh * 3600

    if math.isinf(least):
        assert racks_j == 0
        assert power_w < height_w
    else:
        assert fills(least * 1.01)
        assert not fills(least * 0.99)


def test_the_capacitors_of_100_000_gb300_are_spent_within_a_second():
    swing = training_swing(Workload(0.4, 10, 0.5, 1.0), 150e6, 65 * 100_000)
    assert swing.left_w == pytest.approx(60e6 - 6.5e6 / 2.5)
    assert swing.energy_wh == pytest.approx((150e6 - 6.5e6) / 3600)
    assert swing.step_wh == pytest.approx((60e6**2 / 2e6 - 6.5e6) / 3600)


def test_storage_in_the_racks_flattens_a_wave_that_is_fast_enough():
    swing = training_swing(Workload(0.4, 0.2, 0.5, 1000.0), 150e6, 65 * 100_000)
    assert (swing.left_w, swing.energy_wh, swing.power_w, swing.step_w, swing.step_wh) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("duty", [0.0, 1.0])
def test_a_load_that_never_changes_asks_nothing_of_a_bank(duty):
    swing = training_swing(Workload(0.4, 10, duty), 150e6)
    assert (swing.energy_wh, swing.power_w) == (0, 0)


# Ageing


def test_cycles_per_day_are_full_cycles_and_give_years():
    battery = replace(FOUR_HOURS, cycles=10_000)
    swing = Swing(60e6, 60e6, 10, 0.5, 1e6)
    done = smoothing(swing, 154, battery, 0.8)
    # 150 MJ each of 8,640 times a day: 360 MWh out, 360 / sqrt(0.937) inside, of 603.064 MWh.
    assert done.full_cycles_per_day == pytest.approx(360 / math.sqrt(0.937) / 603.064)
    assert done.life_years == pytest.approx(10_000 / done.full_cycles_per_day / 365.25)
    assert done.flat
    assert done.ramp_without_w_per_s == math.inf
    assert done.ramp_with_w_per_s < 1e6
    assert not smoothing(swing, 30, battery, 0.8).flat
    assert smoothing(swing, 61, battery, 0.8).ramp_with_w_per_s == math.inf


def test_no_years_without_a_source_for_cycles_or_without_cycles():
    flat = smoothing(Swing(0, 0, 10, 0.5), 154, replace(FOUR_HOURS, cycles=10_000), 0.8)
    assert (flat.full_cycles_per_day, flat.life_years, flat.ramp_with_w_per_s) == (0, None, 0)
    assert smoothing(Swing(60e6, 60e6, 10, 0.5), 154, FOUR_HOURS, 0.8).life_years is None


@PAIRS
@given(swings, products, st.integers(1, 400))
def test_full_cycles_are_those_of_a_day_stepped_through_time(swing, battery, units):
    load_w, mean_w, dt_s = stepped(swing, periods=1)
    out_w = np.clip(load_w - mean_w, 0, None) * (swing.left_w / swing.height_w)
    per_day = out_w.sum() * dt_s / 3600 / math.sqrt(battery.round_trip) * 86_400 / swing.period_s
    cycles = smoothing(swing, units, battery, 0.8).full_cycles_per_day
    assert cycles == pytest.approx(per_day / (units * battery.energy_wh), rel=0.02, abs=1e-9)


# The sheet


def sheet(banks, **given):
    return [str(line) for line in sizing_steps(planned(banks, **given))]


def test_the_sheet_of_150_megawatts_says_how_154_units_come_about():
    assert sheet(replace(BANKS, power_mw=150, banks=4), load_w=140e6) == [
        "η = sqrt(0.937) = 0.967988",
        "n(power) = ceil(140 MW / 0.979 MW) = 144 units",
        "n = ceil(150 MW / 0.979 MW) = 154 units",
        "P(n) = 154 · 0.979 MW = 150.766 MW",
        "E(n) = 154 · 3.916 MWh = 603.064 MWh",
        "t = 603.064 MWh · (1 - 0.2) · 0.967988 / 140 MW = 12008.7 s",
        "t(one unit less) = 599.148 MWh · (1 - 0.2) · 0.967988 / 140 MW = 11930.8 s",
        "t(one bank less) = 115 · 0.979 MW < 140 MW, power does not hold = 0 s",
    ]


def test_the_sheet_of_a_bank_sized_by_its_needs_shows_each_of_them():
    banks = replace(BANKS, banks=2, redundancy="N+1", ride_through_s=300, hold_s=14_400)
    swing = training_swing(Workload(0.5, 10, 0.4, 1.0), 80e6, 65 * 100_000)
    usable = "(3.916 MWh · (1 - 0.2) · 0.967988)"
    assert sheet(banks, swing=swing)[:14] == [
        "η = sqrt(0.937) = 0.967988",
        "ΔP = 40 MW - 6.5 MJ / (0.4 · (1 - 0.4) · 10 s) = 37.2917 MW",
        "P(swing) = 37.2917 MW · max(0.4, 1 - 0.4) = 22.375 MW",
        "E(swing) = 0.4 · (1 - 0.4) · 10 s · 37.2917 MW / 3600 s/h = 24.8611 kWh",
        "P(step) = sqrt((40 MW)² - 2 · 1 MW/s · 6.5 MJ) = 39.8372 MW",
        "E(step) = (39.8372 MW)² / (2 · 1 MW/s) / 3600 s/h = 220.417 kWh",
        "n(power) = ceil(100 MW / 0.979 MW) = 103 units",
        "E(ride-through) = 100 MW · 300 s / 3600 s/h = 8.33333 MWh",
        f"n(ride-through) = max(ceil(100 MW / 0.979 MW), ceil(8.33333 MWh / {usable})) = 103 units",
        "E(hold) = 100 MW · 14400 s / 3600 s/h = 400 MWh",
        "n(hold) = max(ceil(100 MW / 0.979 MW), ceil(400 MWh / (3.916 MWh · 1 · 0.967988))) = 106 units",
        "n(swing) = max(ceil(22.375 MW / 0.979 MW), ceil(24.8611 kWh / (3.916 MWh · (1 - 0.2) · 0.967988))) = 23 units",
        "n(step) = max(ceil(39.8372 MW / 0.979 MW), ceil(220.417 kWh / (3.916 MWh · (1 - 0.2) · 0.967988))) = 41 units",
        "n = max(n(power), n(ride-through), n(hold), n(swing), n(step), 2 banks) = 106 units",
    ]
    assert sheet(banks, swing=swing)[14] == "n(N+1) = 106 + 2 · 1 = 108 units"


@PAIRS
@given(stated, products, loads_w, st.none() | swings, st.none() | st.integers(1, 500))
def test_every_sheet_ends_with_what_the_sizing_carries(banks, battery, load_w, swing, units):
    asked = replace(banks, units=units)
    made = planned(asked, battery, load_w, swing)
    sized, lines = made.sizing, {line.symbol: line for line in sizing_steps(made)}
    assert {f"n({need.name})" for need in sized.needs} | {"n", "P(n)", "E(n)", "t"} <= lines.keys()
    assert int(lines["n"].result.replace(",", "")) == sized.units - sized.spare
    seconds = made.ride_through.all_s
    assert float(lines["t"].result.replace(",", "")) == pytest.approx(seconds, rel=1e-4, abs=0.5)
