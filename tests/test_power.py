"""The power tree, its failures, its batteries and its supply, worked out a second time with dicts and loops.

Trees are drawn with racks of any load in any row, and go through the builder that expansion
uses. The second calculation only follows what a person sees in the schedules: which device a
feed ends on, and which device feeds that one.
"""

import json
import math
import time
from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import event, given, reject, settings
from hypothesis import strategies as st
from strategies import loaded

from topology import checks
from topology.artifacts.power.files import artifacts
from topology.catalog.load import load as load_catalog
from topology.expand import expand
from topology.expand.fabrics import kinds
from topology.expand.origins import Origins
from topology.expand.power.banks import size_banks
from topology.expand.power.build import sources, tree_and_feeds
from topology.expand.power.sizing import sizing
from topology.findings import FindingsError, Severity
from topology.plan import tables
from topology.source import YamlSource
from topology.spec.load import load
from topology.spec.model import BatteryBanks, Level, Needs, Power, PowerSource, RackFeed, Stage, Workload
from topology.views import failures, supply
from topology.views.banks import planned_banks

STACKS = Path(__file__).parents[1] / "stacks"
TREES = settings(deadline=None, max_examples=200)
KINDS = ("substation", "transformer", "switchgear", "ups", "rpp", "busway")  # from the source down
REDUNDANT = {"N+1", "2N", "4N/3"}


# --- drawn trees ----------------------------------------------------------------------------------


@cache
def tiny():
    """Plan of one rack and one switch; the drawn racks take its racks' place."""
    data = {
        "version": 1,
        "name": "small",
        "site": {"name": "here", "pue": 1.2},
        "halls": [{"name": "h1", "rows": 1, "positions": 2}],
        "compute": [{"name": "dgx", "rack": "nvidia-dgx-h100-x4", "racks": 1, "halls": ["h1"]}],
        "fabrics": [
            {"name": "compute", "kind": "fat-tree", "protocol": "infiniband", "switch": "nvidia-qm9700"}
            | {"port_gbps": 400, "place": {"leaf": "row-end"}}
        ],
    }
    return expand(loaded(data), load_catalog())


def plan_of(power, places, loads_w, stages):
    """Plan of racks at (hall, row) with their loads, fed as `power` says."""
    plan = tiny()
    names = ("s1", "s2")
    spec = replace(
        plan.spec, power=power, stages=tuple(Stage(name, (), path=("stages", at)) for at, name in enumerate(names))
    )
    count = len(places)
    racks = tables.RACKS.frame(
        {
            "rack": np.arange(count),
            "hall": np.array([hall for hall, _ in places]),
            "row": np.array([row for _, row in places]),
            "position": np.arange(count) + 1,
            "number": np.arange(count) + 1,
            "x_m": 0.0,
            "y_m": 0.0,
            "role": pl.Series(["compute"] * count, dtype=tables.RACK_ROLES),
            "design": pl.Series(["nvidia-dgx-h100-x4"] * count),
            "group": pl.Series([0] * count),
            "unit": pl.Series([0] * count),
            "height_u": 48,
            "used_u": 40,
            "power_w": np.array(loads_w),
            "power_typical_w": np.array(loads_w),
            "weight_kg": 900.0,
            "stage": pl.Series(stages),
            "origin": 0,
        }
    )
    origins = Origins()
    nodes, feeds = tree_and_feeds(spec, racks, origins)
    halls = pl.concat([plan.halls.with_columns(hall=pl.lit(at, pl.UInt16), name=pl.lit(f"h{at}")) for at in range(3)])
    rows = {
        "row": np.arange(9),
        "hall": np.arange(9) // 3,
        "number": np.arange(9) % 3 + 1,
        "network": False,
        "origin": 0,
    }
    return replace(
        plan,
        halls=halls,
        rows=tables.ROWS.frame(rows),
        spec=spec,
        racks=racks,
        sources=sources(spec, origins),
        power_nodes=nodes,
        feeds=feeds,
        origins=origins.paths(),
    )


@st.composite
def levels(draw, most_w):
    """One to four levels whose redundancy the builder allows, rated for what may hang on one device."""
    kinds = sorted(draw(st.sets(st.sampled_from(KINDS), min_size=1, max_size=4)), key=KINDS.index)
    made, allowed, below_w = [], ["N", "N+1", "2N", "2N", "4N/3"], most_w
    for kind in reversed(kinds):
        redundancy = draw(st.sampled_from(allowed))
        efficiency = draw(st.sampled_from([1.0, 0.99, 0.95, 0.9]))
        rating = below_w * draw(st.floats(1.02, 6))
        made.append(Level(kind, rating, redundancy, efficiency, path=("power", "levels", len(made))))
        below_w = rating / efficiency
        if redundancy in {"N", "N+1"}:
            allowed = ["N", "N+1"]
        elif redundancy == "4N/3":
            allowed = [each for each in allowed if each != "2N"]
    return tuple(reversed(made))


@st.composite
def trees(draw):
    """Plan of up to 24 racks in up to three halls under a drawn tree."""
    count = draw(st.integers(1, 24))
    rows = [(row // 3, row) for row in range(9)]
    places = sorted(draw(st.lists(st.sampled_from(rows), min_size=count, max_size=count)))
    alike = draw(st.booleans())
    loads_w = [draw(st.integers(1_000, 140_000))] * count
    if not alike:
        loads_w = draw(st.lists(st.integers(0, 140_000), min_size=count, max_size=count))
    stages = draw(st.lists(st.sampled_from([0, 1, None]), min_size=count, max_size=count))
    feed = RackFeed(415.0, 3, 0.8, path=("power", "feed"))
    power = Power(levels=draw(levels(max(*loads_w, 1_000))), feed=feed, path=("power",))
    try:
        plan = plan_of(power, places, loads_w, stages)
    except FindingsError as error:
        if {finding.code for finding in error.findings} != {"P102"}:  # a level too small for what hangs on it
            raise
        reject()
    event(" over ".join(level.redundancy for level in power.levels))
    return plan


# --- the second calculation -----------------------------------------------------------------------


class Pencil:
    """Devices and feeds of a plan as dicts."""

    def __init__(self, plan, stage=None):
        self.levels = plan.spec.power.levels
        self.devices = {row["power_node"]: row for row in plan.power_nodes.iter_rows(named=True)}
        self.pools = defaultdict(list)
        for number, device in self.devices.items():
            self.pools[device["pool"]].append(number)
        self.above = {device["pool"]: device["supply"] for device in self.devices.values()}
        self.level = {device["pool"]: device["level"] for device in self.devices.values()}
        self.racks = {
            row["rack"]: row["power_w"]
            for row in plan.racks.iter_rows(named=True)
            if stage is None or (row["stage"] is not None and row["stage"] <= stage)
        }
        self.feeds = defaultdict(dict)
        for row in plan.feeds.iter_rows(named=True):
            self.feeds[row["rack"]][row["side"]] = row["pool"]

    def way(self, pool):
        """Pools from a feed up to the source."""
        while pool is not None:
            yield pool
            pool = self.above[pool]

    def running(self, failed=()):
        """Load of every pool, racks without power, and watts that changed sides, with some devices out."""
        left = {pool: [each for each in mine if each not in failed] for pool, mine in self.pools.items()}
        load, lost, moved = Counter(), {}, 0.0
        for rack, watts in self.racks.items():
            alive = [pool for pool in self.feeds[rack].values() if all(left[step] for step in self.way(pool))]
            if not alive:
                lost[rack] = watts
                continue
            moved += watts / 2 if len(alive) == 1 else 0
            for pool in alive:
                through = watts / len(alive)
                for step in self.way(pool):
                    load[step] += through
                    through /= self.levels[self.level[step]].efficiency
        room = {pool: len(mine) * self.devices[self.pools[pool][0]]["rating_w"] for pool, mine in left.items()}
        return load, lost, moved, room


def overloaded(load, room):
    """Watts too many by pool."""
    return {pool: load[pool] - room[pool] for pool in room if room[pool] and load[pool] > room[pool] * (1 + 1e-9)}


# --- trees ----------------------------------------------------------------------------------------


@TREES
@given(trees())
def test_every_device_carries_what_the_racks_below_it_draw(plan):
    pencil = Pencil(plan)
    load, _, _, room = pencil.running()
    for device in pencil.devices.values():
        share = load[device["pool"]] / len(pencil.pools[device["pool"]])
        assert device["load_w"] == pytest.approx(share, abs=1e-3)
        assert device["load_w"] <= device["rating_w"] + 1
    assert not {pool: over for pool, over in overloaded(load, room).items() if over > 1}


@TREES
@given(trees())
def test_a_rack_is_fed_twice_from_its_own_row_hall_and_sides(plan):
    pencil = Pencil(plan)
    places = {row["rack"]: (row["hall"], row["row"]) for row in plan.racks.iter_rows(named=True)}
    for rack, (hall, row) in places.items():
        assert set(pencil.feeds[rack]) == {"A", "B"}
        assert pencil.feeds[rack]["A"] != pencil.feeds[rack]["B"]
        for side, pool in pencil.feeds[rack].items():
            steps = list(pencil.way(pool))
            assert [pencil.level[step] for step in steps] == list(range(len(pencil.levels)))[::-1]
            for step in steps:
                device = pencil.devices[pencil.pools[step][0]]
                assert device["hall"] in {None, hall}
                assert device["row"] in {None, row}
                assert device["side"] in {"", side}
    for row in plan.feeds.iter_rows(named=True):
        assert pencil.devices[row["panel"]]["pool"] == row["pool"]
        assert row["load_w"] == pencil.racks[row["rack"]] <= row["capacity_w"]
        assert row["capacity_w"] == int(row["circuits"] * row["breaker_a"] * 0.8 * 415 * math.sqrt(3))


@TREES
@given(trees(), st.sampled_from([None, 0, 1]))
def test_one_device_out_does_what_the_second_calculation_says(plan, stage):
    pencil = Pencil(plan, stage)
    before = pencil.running()[0]
    result = {row["pool"]: row for row in failures.single_failures(plan, stage).iter_rows(named=True)}
    assert set(result) == set(pencil.pools)
    for number, device in pencil.devices.items():
        load, lost, moved, room = pencil.running({number})
        row, over = result[device["pool"]], overloaded(load, room)
        over = {pool: watts for pool, watts in over.items() if pool == device["pool"] or load[pool] > before[pool]}
        assert row["dead"] == (len(pencil.pools[device["pool"]]) == 1)
        assert row["lost_racks"] == len(lost)
        assert row["lost_w"] == pytest.approx(sum(lost.values()))
        assert row["moved_w"] == pytest.approx(moved)
        assert row["overloaded"] == len(over)
        assert row["over_w"] == pytest.approx(max(over.values(), default=0.0), abs=1e-3)
        assert over.get(row["worst_pool"], 0.0) == pytest.approx(row["over_w"], abs=1e-3)
        outcome = failures.failures(plan, [number], stage)
        assert set(outcome.lost_racks) == set(lost)


@TREES
@given(trees(), st.data())
def test_two_devices_out_do_what_the_second_calculation_says(plan, data):
    pencil = Pencil(plan)
    pairs = st.lists(st.sampled_from(sorted(pencil.devices)), min_size=2, max_size=2, unique=len(pencil.devices) > 1)
    for _ in range(5):
        pair = set(data.draw(pairs))
        outcome = failures.failures(plan, sorted(pair))
        load, lost, _, room = pencil.running(pair)
        assert set(outcome.lost_racks) == set(lost)
        for pool in pencil.pools:
            assert outcome.load_w[pool] == pytest.approx(load[pool], abs=1e-3)
            assert outcome.room_w[pool] == pytest.approx(room[pool], abs=1)


@TREES
@given(trees())
def test_where_every_level_is_redundant_no_single_failure_is_felt(plan):
    if not {level.redundancy for level in plan.spec.power.levels} <= REDUNDANT:
        reject()
    pencil = Pencil(plan)
    for number in pencil.devices:
        load, lost, _, room = pencil.running({number})
        assert not lost
        assert not {pool: over for pool, over in overloaded(load, room).items() if over > 1}
    rules = {code: rule for code, rule in checks.registered().items() if code[0] == "P"}
    assert [code for code, rule in rules.items() if rule.query(plan).height] == []


def test_four_thirds_gets_more_blocks_where_loads_are_coarse():
    """Four UPS of 1 MW with two rows of 400 kW would leave one heir of a failed block at 1.2 MW."""
    four = (Level("ups", 1e6, "4N/3", path=("power", "levels", 0)), Level("busway", 800e3, "2N"))
    plan = plan_of(
        Power(levels=four, feed=RackFeed(415.0, 3, 0.8)), [(0, row) for row in range(8)], [700_000] * 8, [0] * 8
    )
    result = failures.single_failures(plan)
    assert result["overloaded"].to_list() == [0] * result.height
    assert plan.power_nodes.filter(pl.col("level") == 0).height > math.ceil(8 * 0.7 / 0.75)


def test_four_thirds_whose_load_no_two_blocks_can_share_is_refused():
    four = (Level("ups", 1e6, "4N/3", path=("power", "levels", 0)), Level("busway", 1.2e6, "2N"))
    with pytest.raises(FindingsError) as refused:
        plan_of(Power(levels=four, feed=RackFeed(415.0, 3, 0.8)), [(0, 0), (0, 1)], [1_100_000] * 2, [0] * 2)
    (finding,) = refused.value.findings
    assert (finding.code, finding.message) == (
        "P102",
        "one load of 1,100.0 kW is above the 1,000.0 kW that a ups carries",
    )


def test_single_phase_circuits_follow_the_positions_of_the_panel():
    one = Power(levels=(Level("rpp", 400e3, "2N"),), feed=RackFeed(230.0, 1, 0.8, 63.0, 2))
    feeds = plan_of(one, [(0, 0)] * 3, [20_000] * 3, [0] * 3).feeds.filter(pl.col("side") == "A")
    assert feeds.select("breaker", "phase").rows() == [(1, "L1-L2"), (3, "L3-L1"), (5, "L2-L3")]


# --- supply ---------------------------------------------------------------------------------------

PLANTS = st.builds(
    PowerSource,
    name=st.sampled_from("abcd"),
    kind=st.just("utility"),
    capacity_mw=st.integers(1, 40).map(float),
    units=st.just(1),
    permit=st.sampled_from(["granted", "pending"]),
    in_service=st.sampled_from([None, "2027-01-01"]),
)


@TREES
@given(
    st.lists(PLANTS, min_size=1, max_size=4, unique_by=lambda plant: plant.name),
    st.lists(st.tuples(st.integers(0, 40), st.sets(st.sampled_from("abcd"))), min_size=1, max_size=4),
    st.none() | st.integers(0, 20),
    st.lists(st.sampled_from([1.0, 0.98, 0.9]), max_size=3),
)
def test_a_stage_has_the_sources_that_stand_or_that_it_names(plants, steps, cooling_mw, losses):
    levels = tuple(Level("ups", 1e6, "2N", loss) for loss in losses)
    power = Power(tuple(plants), levels, cooling_mw=cooling_mw)
    names = [f"s{at}" for at in range(len(steps))]
    spec = replace(
        tiny().spec,
        power=power,
        stages=tuple(
            Stage(name, (), Needs(tuple(permits)) if permits else None)
            for name, (_, permits) in zip(names, steps, strict=True)
        ),
    )
    it_mw = np.cumsum([more for more, _ in steps])
    table = pl.DataFrame({"name": names, "it_w": it_mw * 1_000_000, "origin": 0})
    plan = replace(tiny(), spec=spec, stages=table, sources=sources(spec, Origins()))
    found = supply.stages(plan).rows(named=True)
    may = set()
    for at, (_, permits) in enumerate(steps):
        may |= permits
        have, lacking = 0.0, []
        for plant in plants:
            if plant.name in may or (plant.permit == "granted" and plant.in_service is None):
                have += plant.capacity_mw
            else:
                lacking.append(plant.name)
        load = it_mw[at] * 1.2
        if cooling_mw is not None:
            load = it_mw[at] / math.prod(losses) + (cooling_mw * it_mw[at] / it_mw[-1] if it_mw[-1] else 0)
        assert found[at]["supply_w"] == pytest.approx(have * 1e6)
        assert found[at]["load_w"] == pytest.approx(load * 1e6)
        assert found[at]["short_w"] == pytest.approx(max(load - have, 0) * 1e6, abs=1e-3)
        assert [words.split(" ")[0] for words in found[at]["waiting"].split("), ") if words] == lacking


# --- batteries ------------------------------------------------------------------------------------


def sized(plan):
    """Entries of the spec as a plan holds them whose banks are sized for its racks."""
    return planned_banks(replace(plan, **size_banks(plan.spec, plan.catalog, plan.power_nodes, plan.racks, Origins())))


@TREES
@given(
    st.sampled_from(["tesla-megapack-2xl-4h", "tesla-megapack-2xl-2h"]),
    st.integers(1, 20),
    st.integers(1, 4),
    st.sampled_from(["N", "N+1"]),
    st.floats(0.5, 1),
    st.floats(0, 0.4),
    st.integers(1, 30_000),
    st.lists(st.integers(1_000, 2_000_000), min_size=1, max_size=20),
)
def test_banks_of_a_small_site_carry_what_a_second_calculation_says(
    product, units, banks, redundancy, soc, reserve, ride_s, loads_w
):
    """Units are found by adding one until all of them hold the load that long."""
    path = ("power", "batteries", 0)
    entry = BatteryBanks("bank", product, "ups", banks=banks, redundancy=redundancy, soc=soc, path=path)
    entry = replace(entry, reserve_soc=reserve, ride_through_s=float(ride_s))
    power = Power(
        levels=(Level("ups", 3e6, "2N", 0.96), Level("busway", 2.1e6, "2N", 0.99)),
        feed=RackFeed(415.0, 3, 0.8, 1250.0),
        batteries=(entry,),
    )
    plan = plan_of(power, [(0, 0)] * len(loads_w), loads_w, [0] * len(loads_w))
    one = plan.catalog.batteries[product]
    site_w = sum(loads_w) * plan.spec.site.pue  # at the top level it is the whole facility

    def seconds(count):
        joules = count * one.energy_wh * 3600 * (soc - reserve) * math.sqrt(one.round_trip)
        return joules / site_w if count * one.power_w >= site_w * (1 - 1e-9) else 0.0

    (each,) = sized(plan)
    least = next(count for count in range(1, 10**6) if seconds(count) >= ride_s * (1 - 1e-9))
    spare = banks if redundancy == "N+1" else 0
    assert each.load_w == pytest.approx(site_w)
    assert each.sizing.units == max(least, banks) + spare
    assert sorted(each.sizing.per_bank) == sorted(
        each.sizing.units // banks + (at < each.sizing.units % banks) for at in range(banks)
    )
    power = replace(power, batteries=(replace(entry, units=units),))
    (given,) = sized(replace(plan, spec=replace(plan.spec, power=power)))
    had = given.ride_through
    largest = math.ceil(units / banks)
    assert (had.all_s, had.without_unit_s, had.without_bank_s) == pytest.approx(
        (seconds(units), seconds(units - 1), seconds(units - largest))
    )


def test_the_needs_of_a_small_site_are_those_of_a_pocket_calculator():
    """Ten racks of 40 kW at PUE 1.2 behind 480 kW of banks; a job swings by half of the 400 kW in 10 s."""
    entry = BatteryBanks("bank", "tesla-megapack-2xl-4h", "ups", path=("power", "batteries", 0))
    entry = replace(entry, ride_through_s=7200.0, hold_s=36_000.0, banks=2, redundancy="N+1")
    power = Power(
        levels=(Level("ups", 3e6, "2N", 0.96), Level("busway", 2.1e6, "2N", 0.99)),
        feed=RackFeed(415.0, 3, 0.8, 1250.0),
        workload=Workload(swing=0.5, period_s=10.0, duty=0.4, ramp_limit_mw_per_s=0.01),
        batteries=(entry,),
    )
    plan = plan_of(power, [(0, 0)] * 10, [40_000] * 10, [0] * 10)
    made = size_banks(plan.spec, plan.catalog, plan.power_nodes, plan.racks, Origins())
    assert made["bank_sizings"].rows() == [(0, "bank", 480_000.0, 200_000.0, 200_000.0, 0.0, 2, 0)]
    rows = [row[1:-1] for row in made["bank_needs"].with_columns(pl.col(pl.Float64).round(3)).rows()]
    assert rows == [
        ("bank", "power", 480_000.0, 0.0, 0.8, 1),
        ("bank", "ride-through", 480_000.0, 960_000.0, 0.8, 1),  # of 3,032.5 kWh each
        ("bank", "hold", 480_000.0, 4_800_000.0, 1.0, 2),  # of 3,790.6 kWh each
        ("bank", "swing", 120_000.0, 133.333, 0.8, 1),  # 0.24 x 10 s x 200 kW
        ("bank", "step", 200_000.0, 555.556, 0.8, 1),  # (200 kW)^2 / (2 x 10 kW/s)
    ]
    assert made["batteries"]["units"].to_list() == [2, 2]
    assert made["batteries"]["binding"].to_list() == ["hold", "hold"]


# --- the sites on record --------------------------------------------------------------------------


def stack(name, **changes):
    """Plan of a stack, some values of its spec replaced."""
    path = STACKS / name / "cluster.yaml"
    spec = load(YamlSource.read(path), kinds())[0]
    return expand(replace(spec, **changes), load_catalog())


@cache
def colossus():
    return stack("colossus")


def test_all_single_failures_of_a_million_gpus_are_survived_with_two_of_everything():
    levels = (
        Level("substation", 160e6, "2N", path=("power", "levels", 0)),
        Level("transformer", 2.5e6, "2N", 0.99, path=("power", "levels", 1)),
        Level("ups", 1.25e6, "2N", 0.96, path=("power", "levels", 2)),
        Level("busway", 800e3, "2N", path=("power", "levels", 3)),
    )
    plan = stack("colossus-1m", power=Power(levels=levels, feed=RackFeed(415.0, 3, 0.8), path=("power",)))
    start = time.perf_counter()
    result = failures.single_failures(plan)
    print(f"{result.height:,} failures of {plan.racks.height:,} racks in {time.perf_counter() - start:.2f} s")  # noqa: T201 - for the bench
    assert plan.gpus.height == 1_000_064
    assert result.height == plan.power_nodes.height
    assert result["dead"].all()
    assert (result["lost_racks"].sum(), result["overloaded"].sum(), result["over_w"].sum()) == (0, 0, 0)
    half = plan.racks["power_w"].cast(pl.Float64).sum() / 2
    for level in range(len(levels)):  # each side of each level carries half of every rack, once
        moved = result.filter(pl.col("level") == level)["moved_w"].sum()
        assert moved == pytest.approx(2 * half)


def test_one_level_of_n_in_a_million_gpus_loses_each_rack_once():
    levels = (
        Level("transformer", 2.5e6, "N", path=("power", "levels", 0)),
        Level("busway", 800e3, "2N", path=("power", "levels", 1)),
    )
    plan = stack("colossus-1m", power=Power(levels=levels, feed=RackFeed(415.0, 3, 0.8), path=("power",)))
    result = failures.single_failures(plan).group_by("level").agg(pl.col("lost_racks").sum()).sort("level")
    assert result["lost_racks"].to_list() == [plan.racks.height, 0]


@pytest.mark.parametrize(("product", "units"), [("tesla-megapack-2xl-4h", 154), ("tesla-megapack-2xl-2h", 78)])
def test_150_mw_are_154_units_of_four_hours_or_78_of_two(product, units):
    entry = BatteryBanks("megapacks", product, "substation", power_mw=150.0)
    assert sizing(entry, load_catalog().batteries[product], 150e6, None).units == units


def test_the_sizing_sheet_of_colossus_shows_the_units_counted_on_the_ground():
    made = {str(each.path): bytes(each.data).decode() for each in artifacts(colossus(), [])}
    text = made["power/batteries.md"]
    assert "ceil(150 MW / 0.979 MW) = 154 units" in text
    for line in ("| 154 | 150.8 | 603.1 |", "| 168 | 164.5 | 657.9 |", "| 208 | 203.6 | 814.5 |"):
        assert line in text


def test_the_last_stage_of_colossus_is_refused_without_its_turbines():
    plan = colossus()
    needs = replace(plan.spec.stages[3].needs, permits=())
    spec = replace(plan.spec, stages=(*plan.spec.stages[:3], replace(plan.spec.stages[3], needs=needs)))
    errors = [each for each in checks.run(replace(plan, spec=spec)) if each.severity is Severity.ERROR]
    assert [(each.code, each.message, each.help) for each in errors] == [
        (
            "P301",
            "stage s4 draws 150.5 MW; its supply is 150 MW, 0.5 MW short",
            (
                "not counted: turbines (35 MW, its permit is pending); "
                "name them under needs.permits once the stage waits for them"
            ),
        )
    ]


def test_the_power_figures_of_colossus_are_those_of_its_tables(cli, tmp_path):
    assert cli("build", str(STACKS / "colossus" / "cluster.yaml"), "-o", str(tmp_path / "out")).code == 0
    power = json.loads((tmp_path / "out" / "plan.json").read_text())["power"]
    it_mw = sum(colossus().racks["power_w"].to_list()) / 1e6
    assert power["it_mw"] == pytest.approx(it_mw, abs=1e-6)
    assert power["facility_mw"] == pytest.approx(it_mw * 1.07, abs=1e-6)
    assert power["source_mw"] == 185
    assert power["battery_mw"] == pytest.approx(150.766)
    assert power["battery_mwh"] == pytest.approx(603.064)
    inside_j = 603.064e6 * 3600 * 0.8 * math.sqrt(0.937)
    assert power["ride_through_s"] == pytest.approx(
        0 if it_mw * 1.07 > 150.766 else inside_j / (it_mw * 1.07e6), abs=0.1
    )
    assert power["ride_through_s"] > 0
