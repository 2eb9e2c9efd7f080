"""Planted faults: one thing is taken from a plan without errors, and one sentence says so."""

from dataclasses import replace
from functools import cache

import polars as pl
import pytest
from strategies import loaded

from topology import checks
from topology.catalog.load import load as load_catalog
from topology.expand import expand
from topology.plan import names

SITE = {
    "version": 1,
    "name": "small",
    "site": {"name": "here", "pue": 1.2},
    "halls": [{"name": "h1", "rows": 3, "positions": 9, "network_rows": [2], "rack_limit": {"power_kw": 100}}],
    "compute": [{"name": "dgx", "rack": "nvidia-dgx-h100-x4", "racks": 12, "unit_racks": 3, "halls": ["h1"]}],
    "fabrics": [
        {"name": "compute", "kind": "fat-tree", "protocol": "infiniband", "switch": "nvidia-qm9700"}
        | {"port_gbps": 400, "place": {"leaf": "row-end"}}
    ],
    "power": {
        "sources": [
            {"name": "grid", "kind": "utility", "capacity_mw": 0.4, "permit": "granted"},
            {"name": "turbines", "kind": "turbine", "units": 2, "unit_mw": 0.2, "permit": "pending"},
        ],
        "levels": [
            {"kind": "substation", "rating_kw": 400, "redundancy": "N+1"},
            {"kind": "transformer", "rating_kw": 1000},
            {"kind": "ups", "rating_kw": 500, "redundancy": "2N"},
            {"kind": "busway", "rating_kw": 300, "redundancy": "2N"},
        ],
        "feed": {"volts": 415, "phases": 3, "derating": 0.8},
        "workload": {"swing": 0.6, "period_s": 2.0, "duty": 0.7, "ramp_limit_mw_per_s": 0.5},
        "batteries": [
            {"name": "packs", "product": "tesla-megapack-2xl-4h", "attach": "substation", "banks": 2}
            | {"redundancy": "N+1", "ride_through_s": 3600}
        ],
    },
    "stages": [
        {"name": "s1", "add": {"dgx": {"racks": 6}}},
        {"name": "s2", "add": {"dgx": {"racks": 6}}, "needs": {"permits": ["turbines"]}},
    ],
}


@cache
def site():
    """A plan of 12 racks that no rule finds an error in."""
    return expand(loaded(SITE), load_catalog())


def said(plan):
    """Codes and sentences of power and batteries."""
    return [(each.code, each.message) for each in checks.run(plan) if each.code[0] in "PB"]


WAITS = ("P302", "stage s2 rests on turbines (0.4 MW, its permit is pending)")


def with_power(plan, **changes):
    return replace(plan, spec=replace(plan.spec, power=replace(plan.spec.power, **changes)))


def with_bank(plan, **changes):
    return with_power(plan, batteries=(replace(plan.spec.power.batteries[0], **changes),))


def on_one_device(plan):
    """Both feeds of the first rack from its A busway."""
    a = plan.feeds.row(0, named=True)
    move = (pl.col("rack") == 0) & (pl.col("side") == "B")
    return replace(
        plan,
        feeds=plan.feeds.with_columns(
            pl.when(move).then(pl.lit(a[name], plan.feeds[name].dtype)).otherwise(pl.col(name)).alias(name)
            for name in ("pool", "panel")
        ),
    )


def without(plan, name):
    """The plan without one device."""
    keep = names.labels(plan, "power_nodes") != name
    assert (~keep).sum() == 1
    return replace(plan, power_nodes=plan.power_nodes.filter(keep))


def heavier(plan, factor):
    """Every rack draws more; its circuits too."""
    grown = (pl.col(name) * factor for name in ("load_w", "capacity_w"))
    return replace(plan, feeds=plan.feeds.with_columns(grown))


def with_units(plan, units):
    """Banks of as many units each."""
    product = plan.catalog.batteries["tesla-megapack-2xl-4h"]
    count = pl.lit(units, pl.UInt32)
    return replace(
        plan,
        batteries=plan.batteries.with_columns(
            units=count, power_w=count * product.power_w, energy_wh=count * product.energy_wh
        ),
    )


def with_workload(plan, **changes):
    return with_power(plan, workload=replace(plan.spec.power.workload, **changes))


def on_one_phase(plan):
    feed = replace(plan.spec.power.feed, phases=1)
    return with_power(replace(plan, feeds=plan.feeds.with_columns(phase=pl.lit("L1"))), feed=feed)


def without_permits(plan):
    stages = tuple(replace(stage, needs=None) for stage in plan.spec.stages)
    return replace(plan, spec=replace(plan.spec, stages=stages))


FAULTS = {
    "a feed is missing": lambda plan: replace(plan, feeds=plan.feeds.filter(pl.col("feed") != 1)),
    "both feeds of a rack are missing": lambda plan: replace(plan, feeds=plan.feeds.filter(pl.col("rack") != 0)),
    "a busway is missing": lambda plan: without(plan, "h1-row01-busway-A01"),
    "a ups is missing": lambda plan: without(plan, "h1-ups-B01"),
    "both feeds come from one busway": on_one_device,
    "racks draw more than a busway carries": lambda plan: heavier(plan, 3),
    "racks draw more than one side carries": lambda plan: heavier(plan, 2),
    "breakers are half as large": lambda plan: replace(
        plan, feeds=plan.feeds.with_columns(pl.col("breaker_a") / 2, pl.col("capacity_w") // 2)
    ),
    "a spare substation is missing": lambda plan: without(plan, "site-substation-03"),
    "a bank is missing": lambda plan: replace(plan, batteries=plan.batteries.filter(pl.col("bank") != 2)),
    "the spec asks for a longer ride-through": lambda plan: with_bank(plan, ride_through_s=40_000.0),
    "banks have a unit each": lambda plan: with_units(plan, 1),
    "no unit stands when a job starts": lambda plan: with_units(with_bank(plan, ride_through_s=None), 0),
    "banks are nearly empty and jobs swing for hours": lambda plan: with_bank(
        with_workload(plan, ramp_limit_mw_per_s=None, period_s=10_000.0), soc=0.21, ride_through_s=None
    ),
    "no stage rests on the turbines": without_permits,
    "single-phase circuits of one phase only": on_one_phase,
}


SENTENCES = {
    "a feed is missing": [("P203", "rack h1r0001 has no B feed")],
    "both feeds of a rack are missing": [("P203", "rack h1r0001 has no A and no B feed")],
    "a busway is missing": [
        ("P207", "the A feed of rack h1r0001 is dead: a device on its way to the source is missing")
    ],
    "a ups is missing": [("P207", "the B feed of rack h1r0001 is dead: a device on its way to the source is missing")],
    "both feeds come from one busway": [("P204", "both feeds of rack h1r0001 come from h1-row01-busway-A01")],
    "racks draw more than a busway carries": [
        (
            "P201",
            "site-substation-01 and the others on its bus carry 1572 kW in normal running; they are rated 1200 kW",
        ),
        ("P201", "h1-row01-busway-A01 carries 382.7 kW in normal running; it is rated 300 kW"),
    ],
    "racks draw more than one side carries": [
        ("P202", "when site-substation-01 fails, the others on its bus are 248 kW over their rating"),
        (
            "P202",
            "when h1-transformer-A01 fails, h1-row01-busway-B01 inherits its load and is 210.2 kW over its rating",
        ),
        ("P202", "when h1-ups-A01 fails, h1-row01-busway-B01 inherits its load and is 210.2 kW over its rating"),
        (
            "P202",
            "when h1-row01-busway-A01 fails, h1-row01-busway-B01 inherits its load and is 210.2 kW over its rating",
        ),
    ],
    "breakers are half as large": [("P205", "rack h1r0001 draws up to 40.8 kW; its A feed of 1 x 40 A carries 23 kW")],
    "a spare substation is missing": [
        ("P202", "when site-substation-01 fails, the others on its bus are 124 kW over their rating")
    ],
    "a bank is missing": [("B305", "1 of 2 banks of packs are there; they carry 0.6 MW for 34,723 s")],
    "the spec asks for a longer ride-through": [
        ("B302", "packs carries 0.6 MW for 34,723 s with one unit of each bank out, not the 40,000 s asked for")
    ],
    "banks have a unit each": [("B303", "with one unit of each bank out, packs gives 0.0 MW; its load is 0.6 MW")],
    "no unit stands when a job starts": [
        ("B304", "when a job starts, the grid behind packs sees a step; 0.5 MW/s is the limit")
    ],
    "banks are nearly empty and jobs swing for hours": [
        ("B304", "packs gives 0.152 MWh above its reserve; each swing of the training load takes 0.183 MWh")
    ],
    "no stage rests on the turbines": [("P301", "stage s2 draws 0.6 MW; its supply is 0.4 MW, 0.2 MW short")],
    "single-phase circuits of one phase only": [
        ("P206", "panel h1-row01-busway-A01 has 127.6 kW on one phase and 0 kW on another")
    ],
}


def test_the_site_has_no_error():
    assert said(site()) == [WAITS]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_answered_with_one_sentence(fault):
    assert [each for each in said(FAULTS[fault](site())) if each != WAITS] == SENTENCES[fault]


@cache
def nvl():
    """A plan of eight racks with eight shelves of 33 kW each, two of them spare."""
    site = {
        "version": 1,
        "name": "nvl",
        "site": {"name": "lab", "pue": 1.2},
        "halls": [{"name": "h1", "rows": 3, "positions": 12, "network_rows": [2]}],
        "compute": [{"name": "gb300", "rack": "nvidia-gb300-nvl72", "units": 1, "unit_racks": 8}],
        "fabrics": [],
        "power": {"shelves": "N+2"},
    }
    return expand(loaded(site), load_catalog())


def said_of_shelves(plan):
    """What is said when every rack draws 200 kW, and of how many racks."""
    drawn = plan.racks.with_columns(power_w=pl.lit(200_000, pl.UInt32))
    return [(each.message, each.count) for each in checks.run(replace(plan, racks=drawn)) if each.code == "P208"]


def test_shelves_that_carry_a_rack_only_with_their_spares_are_found():
    """Eight shelves of 33 kW, two of them spare, carry 198 kW."""
    assert [finding for finding in checks.run(nvl()) if finding.code == "P208"] == []
    assert said_of_shelves(nvl()) == [("rack h1r0001 draws up to 200.0 kW; 6 of its 8 shelves carry 198.0 kW", 8)]


def test_an_unrelated_shelf_of_the_overlay_carries_no_rack(tmp_path):
    """A rack is carried by the product that its shelves are, whatever else the catalogue holds."""
    text = "kind: power\nextends: nvidia-nvl72-power-shelf-33kw\nrating: {w: 66000}\n"
    (tmp_path / "power").mkdir()
    (tmp_path / "power/shelf-66kw.yaml").write_text(
        text + "sources: [{covers: [rating], document: a type plate, mark: maker}]\n"
    )
    plan = replace(nvl(), catalog=load_catalog(tmp_path))
    assert plan.catalog.power["shelf-66kw"].rating_w == 66_000
    assert said_of_shelves(plan) == said_of_shelves(nvl())
