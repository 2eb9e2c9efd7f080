"""Growth: what is added later renames nothing that stands and re-plugs no cable."""

from copy import deepcopy

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import SITES, Site, buildable, each_unit, ends, expanded, sites, units_of

from topology.plan import names


def racks(plan):
    return set(names.rack_names(plan))


def hosts(plan):
    return set(names.node_names(plan))


def seats(plan):
    """Where every switch stands: name, rack and lowest unit."""
    stood = names.rack_names(plan).gather(plan.switches["rack"])
    return set(zip(names.switch_names(plan), stood, plan.switches["u"], strict=True))


def cables(plan):
    """Every cable by the names and ports of its ends; stages are left out."""
    return set(ends(plan).drop("stage").iter_rows())


def assert_kept(before, after):
    """Every name and every cable of `before` is there in `after`."""
    assert hosts(before) <= hosts(after)
    assert set(names.switch_names(before)) <= set(names.switch_names(after))
    assert racks(before) <= racks(after)
    assert cables(before) <= cables(after)


def add_units(data, name, units):
    """The spec with some more units in one group, in a stage of their own where it has stages."""
    data = deepcopy(data)
    group = next(group for group in data["compute"] if group["name"] == name)
    kind = next(kind for kind in ("gpus", "racks", "units") if kind in group)
    group[kind] += units * each_unit(group, kind)
    if "stages" in data:
        data["stages"].append({"name": "later", "add": {name: {"units": units}}})
    return data


@st.composite
def roomy(draw, **options):
    """A site whose fabrics are all sized for up to three more units, and how many more."""
    site = draw(sites(**options))
    data, room = deepcopy(site.data), draw(st.integers(1, 3))
    for fabric in data["fabrics"]:
        if fabric["kind"] != "core":
            mine = [group for group in data["compute"] if group["name"] in fabric["compute"]]
            fabric["sized_for"] = {"units": sum(units_of(group) for group in mine) + room}
    data["halls"][-1]["rows"] += room * len(data["compute"])
    return Site(*buildable(data)), draw(st.integers(1, room))


# --- units ----------------------------------------------------------------------------------------


@SITES
@given(roomy(), st.data())
def test_units_added_within_sized_for_change_no_name_and_no_cable(grown, choice):
    site, more = grown
    last = {fabric["compute"][-1] for fabric in site.data["fabrics"] if fabric["kind"] != "core"}
    name = choice.draw(st.sampled_from(sorted(last)))
    after = expanded(add_units(site.data, name, more))
    assert_kept(site.plan, after)
    assert seats(site.plan) <= seats(after)


@SITES
@given(roomy(accept=lambda data: len(data.get("stages", ())) > 1), st.data())
def test_a_site_built_up_to_a_stage_is_that_stage_of_the_whole_site(grown, choice):
    """The spec as it stood before its last stage was written gives the same names and cables."""
    site, _ = grown
    data = deepcopy(site.data)
    whole = {group["name"]: units_of(group) for group in data["compute"]}
    groups = {group["name"]: group for group in data["compute"]}
    assume(all(fabric["kind"] == "core" or len(fabric["compute"]) == 1 for fabric in data["fabrics"]))
    assume(not any(group.get("without") for group in data["compute"]))
    keep = choice.draw(st.integers(1, len(data["stages"]) - 1))
    data["stages"] = data["stages"][:keep]
    built = dict.fromkeys(whole, 0)
    for stage in data["stages"]:
        for name, added in stage["add"].items():
            (kind, value), = added.items()
            built[name] += value // each_unit(groups[name], kind)
    assume(all(built.values()))
    for name, group in groups.items():
        kind = next(kind for kind in ("gpus", "racks", "units") if kind in group)
        group[kind] = built[name] * each_unit(group, kind)
    before = expanded(data)
    now = ends(site.plan).filter(pl.col("stage") < keep).drop("stage")
    assert cables(before) == set(now.iter_rows())
    assert hosts(before) == set(names.node_names(site.plan).filter(site.plan.nodes["stage"] < keep))


# --- halls, rows, stages, fabrics, groups ---------------------------------------------------------


@SITES
@given(sites(), st.booleans())
def test_a_row_at_the_end_of_the_last_hall_changes_no_name_and_no_cable(site, network):
    def change(data):
        hall = data["halls"][-1]
        hall["rows"] += 1
        if network:
            hall["network_rows"].append(hall["rows"])

    after = expanded(site.changed(change))
    assert_kept(site.plan, after)
    assert cables(after) == cables(site.plan)
    assert seats(after) == seats(site.plan)


@SITES
@given(sites())
def test_a_hall_at_the_end_changes_no_name_and_no_cable(site):
    after = expanded(site.changed(lambda data: data["halls"].append({"name": "new", "rows": 9, "positions": 30})))
    assert_kept(site.plan, after)
    assert cables(after) == cables(site.plan)
    assert seats(after) == seats(site.plan)


@SITES
@given(sites(accept=lambda data: "stages" in data))
def test_a_stage_at_the_end_changes_no_name_and_no_cable(site):
    left = {group["name"]: units_of(group) for group in site.data["compute"]}
    groups = {group["name"]: group for group in site.data["compute"]}
    for stage in site.data["stages"]:
        for name, added in stage["add"].items():
            (kind, value), = added.items()
            left[name] -= value // each_unit(groups[name], kind)
    add = {name: {"units": units} for name, units in left.items() if units}
    assume(add)
    after = expanded(site.changed(lambda data: data["stages"].append({"name": "last", "add": add})))
    assert cables(after) == cables(site.plan)
    assert seats(after) == seats(site.plan)
    stages = len(site.data["stages"])
    for frame, grown in zip(site.plan.tables().values(), after.tables().values(), strict=True):
        if "stage" in frame.columns and frame.height == grown.height:
            stood = frame["stage"].is_not_null()
            assert frame.filter(stood)["stage"].equals(grown.filter(stood)["stage"])
            assert (grown.filter(~stood)["stage"] == stages).all()


OOB = {"name": "oob", "kind": "fat-tree", "protocol": "roce", "connects": "oob", "port_gbps": 200, "switch": "roce-16"}


@SITES
@given(sites())
def test_a_fabric_at_the_end_changes_no_name_and_no_cable(site):
    def change(data):
        groups = [data["compute"][0]["name"]]
        data["fabrics"].append(OOB | {"compute": groups, "place": {"leaf": "network-row"}})

    after = expanded(site.changed(change))
    assert_kept(site.plan, after)
    assert cables(site.plan) == {cable for cable in cables(after) if cable[0] != "oob"}


@SITES
@given(sites())
def test_a_group_at_the_end_with_a_fabric_of_its_own_changes_no_name_and_no_cable(site):
    def change(data):
        data["halls"][-1]["rows"] += 2
        data["compute"].append({"name": "new", "rack": "boxes-1x2", "units": 1})
        data["fabrics"].append(OOB | {"name": "new", "connects": "compute", "compute": ["new"]})

    after = expanded(site.changed(change))
    assert_kept(site.plan, after)
    assert cables(site.plan) == {cable for cable in cables(after) if cable[0] != "new"}
