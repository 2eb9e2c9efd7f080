"""The sites under stacks/: the published SuperPOD, Colossus, and Colossus with a million GPUs."""

from functools import cache
from pathlib import Path

import polars as pl
import pytest

from topology import checks
from topology.catalog.load import load as load_catalog
from topology.expand import expand
from topology.expand.fabrics import kinds
from topology.findings import Severity
from topology.source import YamlSource
from topology.spec.load import load
from topology.views import summary

STACKS = Path(__file__).parents[1] / "stacks"


@cache
def plan_of(name):
    """Plan of a site's `cluster.yaml`."""
    spec, _ = load(YamlSource.read(STACKS / name / "cluster.yaml"), kinds())
    return expand(spec, load_catalog())


@pytest.fixture(scope="module")
def superpod():
    return plan_of("superpod-h100")


@pytest.fixture(scope="module")
def colossus():
    return plan_of("colossus")


@pytest.fixture(scope="module")
def million():
    return plan_of("colossus-1m")


def nic_cables(plan):
    """Cables from NICs, with the unit, the group and the rail of the NIC and the island of the leaf."""
    return (
        plan.cables.filter(pl.col("a_table") == "nics")
        .select("fabric", "plane", "b", nic="a")
        .join(plan.nics.select("nic", "node", "index"), on="nic")
        .join(plan.nodes.select("node", "unit", "group"), on="node")
        .join(plan.switches.select("switch", "island"), left_on="b", right_on="switch")
    )


@pytest.mark.parametrize("name", ["superpod-h100", "colossus", "colossus-1m"])
def test_a_site_passes_every_check(name):
    wrong = [finding for finding in checks.run(plan_of(name)) if finding.severity is not Severity.NOTE]
    assert wrong == []


# --- the published SuperPOD -------------------------------------------------------------------------


def test_the_superpod_counts_what_its_reference_architecture_prints(superpod):
    """RA-11333, table 4: four units of 32 nodes, one node less for UFM."""
    counts = summary.counts(superpod)
    assert (counts["gpus"], counts["nodes"], counts["racks"], counts["units"]) == (1016, 127, 32, 4)
    assert counts["cables"] == 1020 + 1024
    fabric = counts["fabrics"]["compute"]
    assert fabric["tiers"] == 2
    assert (fabric["leaf"], fabric["spine"], fabric["core"]) == (32, 16, 0)
    assert fabric["links"] == {"node-leaf": 1020, "leaf-spine": 1024, "spine-core": 0}


def test_ufm_takes_four_of_the_ports_of_the_missing_node(superpod):
    """Two appliances with two ports each, on leaves of the last unit."""
    assert superpod.appliances["product"].to_list() == ["nvidia-ufm"] * 2
    ufm = superpod.cables.filter(pl.col("a_table") == "appliances")
    assert sorted(ufm["a"]) == [0, 0, 1, 1]
    assert set(superpod.switches["group"].gather(ufm["b"])) == {4}
    full = superpod.cables.filter(pl.col("hop") == "node-leaf").group_by("b").len()
    assert full.filter(pl.col("len") == 32).height == 28  # 24 of the full units, 4 with a UFM port
    assert full.filter(pl.col("len") == 31).height == 4


# --- Colossus ---------------------------------------------------------------------------------------


def test_colossus_is_one_hundred_thousand_gpus_in_four_halls(colossus):
    counts = summary.counts(colossus)
    assert counts["gpus"] == 100_352
    assert counts["nodes"] == 12_544
    assert counts["racks"] == 1_568
    assert counts["units"] == 196
    assert counts["nvlink_domains"] == 12_544
    halls = colossus.racks.filter(pl.col("role") == "compute").group_by("hall").len().sort("hall")
    assert halls["len"].to_list() == [392] * 4


def test_colossus_is_one_fabric_of_three_tiers_at_full_bandwidth(colossus):
    fabric = summary.counts(colossus)["fabrics"]["compute"]
    assert (fabric["tiers"], fabric["planes"], fabric["islands"]) == (3, 1, 1)
    assert fabric["leaf"] == 196 * 8
    assert fabric["links"]["node-leaf"] == fabric["links"]["leaf-spine"] == 100_352
    assert fabric["links"]["spine-core"] == fabric["spine"] * 64 >= 100_352  # 64 of 128 ports look up
    assert fabric["core"] * 128 >= fabric["links"]["spine-core"]


def test_the_eight_rails_of_a_colossus_array_meet_on_eight_leaves(colossus):
    cables = nic_cables(colossus)
    rails = cables.group_by("unit", "index").agg(pl.len(), leaves=pl.col("b").n_unique())
    assert rails.height == 196 * 8
    assert (rails["len"] == 64).all()
    assert (rails["leaves"] == 1).all()
    assert cables["b"].n_unique() == 196 * 8


def test_each_stage_of_colossus_is_a_hall(colossus):
    stages = summary.stages(colossus)
    assert [stage["gpus"] for stage in stages] == [25_088, 50_176, 75_264, 100_352]
    assert [stage["nodes"] for stage in stages] == [3_136, 6_272, 9_408, 12_544]
    assert [stage["racks"] for stage in stages] == [392, 784, 1_176, 1_568]
    assert [stage["units"] for stage in stages] == [49, 98, 147, 196]
    assert stages[-1]["cables"] == colossus.cables.height
    racks = colossus.racks.filter(pl.col("role") == "compute")
    assert (racks["stage"] == racks["hall"]).all()


# --- a million GPUs ---------------------------------------------------------------------------------

GROUPS = {"h100": (196, 512), "gb200": (191, 576), "gb300": (1_371, 576)}  # units, GPUs of a unit


def test_the_million_is_the_smallest_count_of_whole_units_above_it(million):
    counts = summary.counts(million)
    assert counts["gpus"] == sum(units * gpus for units, gpus in GROUPS.values()) == 1_000_064
    assert counts["gpus"] - 576 < 1_000_000 <= counts["gpus"]
    assert counts["units"] == 1_758
    assert million.gpus.height == 1_000_064
    assert million.units.group_by("group").len().sort("group")["len"].to_list() == [196, 191, 1_371]


def test_every_cable_of_the_million_is_a_row(million):
    fabrics = summary.counts(million)["fabrics"]
    planes = {"h100": 1, "gb200": 1, "gb300": 2}
    for name, (units, gpus) in GROUPS.items():
        links = fabrics[name]["links"]
        assert links["node-leaf"] == links["leaf-spine"] == units * gpus * planes[name]
        assert links["spine-core"] == fabrics[name]["spine"] * 64
    total = sum(sum(fabric["links"].values()) for fabric in fabrics.values())
    assert million.cables.height == total > 5_000_000


def test_every_gpu_of_the_million_has_a_port_in_every_plane(million):
    """Compute NICs are as many as GPUs; those of GB300 have one cable in each of two planes."""
    cables = nic_cables(million)
    compute = million.nics.filter(pl.col("role") == "compute")
    assert compute.height == 1_000_064
    assert not cables.select("nic", "plane").is_duplicated().any()
    assert cables["nic"].n_unique() == compute.height
    per_group = cables.group_by("group", "plane").len().sort("group", "plane")
    assert per_group.rows() == [(0, 1, 100_352), (1, 1, 110_016), (2, 1, 789_696), (2, 2, 789_696)]


def test_ten_stages_or_more_build_the_million(million):
    stages = summary.stages(million)
    assert len(stages) >= 10
    gpus = [stage["gpus"] for stage in stages]
    assert gpus == sorted(set(gpus))
    assert gpus[-1] == 1_000_064
    assert stages[-1]["cables"] == million.cables.height
    for table in (million.units, million.nodes, million.switches, million.cables):
        assert table["stage"].null_count() == 0


def test_an_island_is_whole_units(million):
    """98 units each, two H100 halls or one NVL72 hall; the last of a kind may be smaller."""
    units = nic_cables(million).select("fabric", "unit", "island").unique()
    assert not units["unit"].is_duplicated().any()  # no unit is cut
    sizes = units.group_by("fabric", "island").len().sort("fabric", "island")
    by_fabric = sizes.group_by("fabric", maintain_order=True).agg("len")["len"].to_list()
    assert by_fabric == [[98, 98], [98, 93], [98] * 13 + [97]]
    between = million.cables.filter((pl.col("fabric") < 3) & (pl.col("a_table") == "switches"))
    islands = million.switches["island"]
    assert (islands.gather(between["a"]) == islands.gather(between["b"])).all()


def test_one_core_reaches_every_island_in_every_plane(million):
    core = million.cables.filter(pl.col("fabric") == 3)
    tops = million.switches.select(a="switch", joined="fabric", island="island")
    trees = core.join(tops, on="a").group_by("joined", "island", "plane").agg(pl.col("b").n_unique())
    assert trees.height == 2 + 2 + 14 * 2
    assert (trees["b"] == million.switches.filter(pl.col("fabric") == 3).height).all()


def test_the_core_carries_a_quarter_of_what_an_island_holds(million):
    tops = million.switches.select(a="switch", joined="fabric", island="island")
    core = million.cables.filter(pl.col("fabric") == 3).join(tops, on="a")
    upward = core.group_by("joined", "island").agg(gbps=pl.col("rate_gbps").cast(pl.Int64).sum())
    inside = nic_cables(million).group_by("island", joined="fabric").agg(ports=pl.len())
    both = upward.join(inside, on=["joined", "island"])
    assert both.height == 18
    assert (both["gbps"] * 4 >= both["ports"] * 400).all()
