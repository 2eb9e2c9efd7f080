"""Dragonfly+: what makes it one, on sites that Hypothesis draws, and one small site by hand."""

import json

import polars as pl
import pytest
import rustworkx as rx
from hypothesis import given
from hypothesis import strategies as st
from strategies import SITES, expanded, one_hall, refusal

from topology.plan import names
from topology.views import summary


def fabric(**keys):
    return {"name": "df", "kind": "dragonfly-plus", "protocol": "roce", "switch": "roce-32", "port_gbps": 400, **keys}


def site(units, *, rack="boxes-2x2", **keys):
    """One group of `units` on one dragonfly; rows enough for any of them."""
    return one_hall([{"name": "g", "rack": rack, "units": units, "unit_racks": 2}], [fabric(**keys)], rows=60)


@st.composite
def dragonflies(draw):
    groups, units = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    keys = {"groups": groups, "global_links": draw(st.integers(1, 5)), "planes": draw(st.integers(1, 2))}
    keys["oversubscription"] = draw(st.sampled_from([1, 2]))
    built = draw(st.integers(1, groups * units))
    size = {"units": groups * units, "links": keys["global_links"]}
    return site(built, rack=draw(st.sampled_from(["boxes-2x2", "boxes-3x4", "domain-4x1"])), **keys), size


def plan_of(data, size):
    data["fabrics"][0]["sized_for"] = {"units": size["units"]}
    return expanded(data)


def between_switches(plan):
    """Cables between switches, with the group of either end: a leaf's pod is its group, as a spine's."""
    switches = plan.switches.select("switch", "plane", pl.col("tier").cast(pl.String), group="piece_number")
    cables = plan.cables.filter(pl.col("a_table") == "switches").select("a", "b", "stage")
    for end in "ab":
        columns = {name: f"{end}_{name}" for name in ("plane", "tier", "group")}
        cables = cables.join(switches.rename(columns), left_on=end, right_on="switch", maintain_order="left")
    return cables


@SITES
@given(dragonflies())
def test_every_port_takes_one_link(drawn):
    plan = plan_of(*drawn)
    near = plan.cables.select(pl.col("a_table").cast(pl.String), "a", "a_cage", "a_port")
    far = plan.cables.select(pl.lit("switches").alias("a_table"), a="b", a_cage="b_cage", a_port="b_port")
    assert pl.concat([near, far]).is_duplicated().sum() == 0
    assert (
        plan.cables.filter(pl.col("a_table") == "nics").height
        == plan.nics.filter(pl.col("role") == "compute").height * plan.fabrics["planes"].item()
    )


@SITES
@given(dragonflies())
def test_any_two_groups_share_as_many_links_as_asked_in_every_plane(drawn):
    plan, links = plan_of(*drawn), drawn[1]["links"]
    across = between_switches(plan).filter(pl.col("a_tier") == pl.col("b_tier"))
    pairs = across.group_by("a_plane", "a_group", "b_group").len()
    groups = plan.switches["piece_number"].n_unique()
    assert (across["a_plane"] == across["b_plane"]).all()
    assert (across["a_group"] > across["b_group"]).all()
    assert pairs.height == groups * (groups - 1) // 2 * plan.fabrics["planes"].item()
    assert (pairs["len"] == links).all()


@SITES
@given(dragonflies())
def test_global_links_of_a_group_are_spread_over_its_spines_even_within_one(drawn):
    plan = plan_of(*drawn)
    across = between_switches(plan).filter(pl.col("a_tier") == pl.col("b_tier"))
    ends = pl.concat([across["a"], across["b"]]).value_counts(name="links").rename({"a": "switch"})
    spines = plan.switches.filter(pl.col("tier") == "spine").join(ends, on="switch", how="left")
    each = spines.with_columns(pl.col("links").fill_null(0)).group_by("plane", "piece_number")
    spread = each.agg(low=pl.col("links").min(), high=pl.col("links").max())
    assert (spread["high"] - spread["low"] <= 1).all()


@SITES
@given(dragonflies())
def test_every_leaf_of_a_group_has_as_many_links_to_each_of_its_spines(drawn):
    plan = plan_of(*drawn)
    local = between_switches(plan).filter(pl.col("a_tier") != pl.col("b_tier"))
    assert (local["a_group"] == local["b_group"]).all()
    pairs = local.group_by("a", "b").len()
    leaves, spines = (plan.switches.filter(pl.col("tier") == tier) for tier in ("leaf", "spine"))
    expected = leaves.join(spines, on=["plane", "piece_number"])
    assert pairs.height == expected.height
    assert pairs["len"].n_unique() == 1


@SITES
@given(dragonflies())
def test_leaves_are_three_switch_hops_apart_at_most(drawn):
    plan = plan_of(*drawn)
    graph = rx.PyGraph()
    graph.extend_from_edge_list(between_switches(plan).select("a", "b").rows())
    for plane in plan.switches["plane"].unique():
        leaves = plan.switches.filter((pl.col("tier") == "leaf") & (pl.col("plane") == plane))["switch"].to_list()
        hops = rx.distance_matrix(graph)[leaves][:, leaves]
        assert hops.max() <= 3
        assert (hops[hops > 0] >= 2).all()


@SITES
@given(dragonflies())
def test_what_is_built_later_moves_no_cable(drawn):
    data, size = drawn
    named = []
    for units in (data["compute"][0]["units"], size["units"]):
        data["compute"][0]["units"] = units
        plan = plan_of(data, size)
        spelled = pl.Series(names.labels(plan, "switches"))
        cables = plan.cables.filter(pl.col("a_table") == "switches")
        ends = {end: pl.lit(spelled).gather(end) for end in "ab"}
        named.append(set(cables.select("a_cage", "a_port", "b_cage", "b_port", **ends).rows()))
    assert named[0] <= named[1]


def test_a_small_one_by_hand():
    """Six units of 4 nodes with 2 NICs, 32 cages of two 400G ports: a leaf per unit, in three groups of two units.

    A leaf has 8 node ports and 8 uplinks. One spine of a group would have 16 leaf ports and 2 x 3 global ones, and has
    64: so there is one, with 8 links from each of its two leaves and 3 links to each of the two others.
    """
    plan = expanded(site(6, groups=3, global_links=3))
    counted = summary.counts(plan)["fabrics"]["df"]
    assert counted["switches"] == {"leaf": 6, "spine": 3}
    assert counted["links"] == {"node-leaf": 48, "leaf-spine": 48, "spine-core": 0, "spine-spine": 9}
    assert plan.localities.select("word", "name", "places", "parent").rows() == [
        *((("leaf-group", f"df-leaf-000{unit + 1}", 4, 6 + unit // 2)) for unit in range(6)),
        *((("group", f"df-spine-000{group + 1}", 8, None)) for group in range(3)),
    ]
    tapers = plan.tiers.select("word", "down", "up", "taper").rows()
    assert tapers == [("leaf", 8, 8, 1.0), ("spine", 16, 0, pytest.approx(16 / 6))]


@pytest.mark.parametrize(
    ("keys", "code", "help_"),
    [
        ({"groups": 4}, "N202", "write groups: 2 or 3, or sized_for: {units: 8}"),
        ({"groups": 6, "global_links": 400}, "N201", "write more groups, fewer global_links"),
        ({"groups": 6, "uplink_gbps": 100}, "N101", "write one of 200, 400, 800"),
    ],
)
def test_what_does_not_fit_is_said(keys, code, help_):
    found = refusal(site(6, **keys))
    assert [finding.code for finding in found][:1] == [code]
    assert help_ in found[0].help


def test_keys_of_a_tree_are_refused(cli, tmp_path):
    spec = site(6, rack="nvidia-dgx-h100-x4", switch="nvidia-sn5600", pod_units=1)
    (tmp_path / "cluster.yaml").write_text(json.dumps(spec))
    run = cli("check", str(tmp_path / "cluster.yaml"))
    assert run.code == 1
    assert "S335" in run.out
    assert "a fabric of kind dragonfly-plus has no pod_units" in run.out


def test_the_diff_tells_of_groups_in_the_words_of_the_kind(cli, tmp_path):
    for name, links in (("base", 1), ("head", 2)):
        spec = site(6, rack="nvidia-dgx-h100-x4", switch="nvidia-sn5600", groups=3, global_links=links)
        (tmp_path / f"{name}.yaml").write_text(json.dumps(spec))
    run = cli("diff", str(tmp_path / "base.yaml"), str(tmp_path / "head.yaml"))
    assert run.code == 0, run.err
    assert "spine-spine" in run.out
    assert "groups 1–2" in run.out
