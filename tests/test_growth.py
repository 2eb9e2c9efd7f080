"""Growth: what is added later renames nothing that stands and re-plugs no cable."""

from copy import deepcopy

import polars as pl
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import FABRIC, SITES, Wish, each_unit, ends, expanded, one_hall, refusal, sites, units_of

from topology.plan import names


def racks(plan):
    return set(names.labels(plan, "racks"))


def hosts(plan):
    return set(names.labels(plan, "nodes"))


def seats(plan):
    """Where every switch stands: name, rack and lowest unit."""
    stood = names.labels(plan, "racks").gather(plan.switches["rack"])
    return set(zip(names.labels(plan, "switches"), stood, plan.switches["u"], strict=True))


def cables(plan):
    """Every cable by the names and ports of its ends; stages are left out."""
    return set(ends(plan).drop("stage").iter_rows())


def assert_kept(before, after):
    """Every name and every cable of `before` is there in `after`."""
    assert hosts(before) <= hosts(after)
    assert set(names.labels(before, "switches")) <= set(names.labels(after, "switches"))
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


ROOM = 3


# --- units ----------------------------------------------------------------------------------------


@SITES
@given(sites(room=ROOM), st.integers(1, ROOM), st.data())
def test_units_added_within_sized_for_change_no_name_and_no_cable(site, more, choice):
    groups = [group["name"] for group in site.data["compute"]]
    trees = [fabric for fabric in site.data["fabrics"] if fabric["kind"] != "core"]
    last = {fabric.get("compute", groups)[-1] for fabric in trees}
    name = choice.draw(st.sampled_from(sorted(last)))
    after = expanded(add_units(site.data, name, more))
    assert_kept(site.plan, after)
    assert seats(site.plan) <= seats(after)


@SITES
@given(sites(room=ROOM, wish=Wish(staged=True, alone=True)), st.data())
def test_a_site_built_up_to_a_stage_is_that_stage_of_the_whole_site(site, choice):
    """The spec as it stood before its last stages were written gives the same names and cables."""
    assume(not any(group.get("without") for group in site.data["compute"]))
    keep = choice.draw(st.integers(1, len(site.data["stages"]) - 1))

    def change(data):
        data["stages"] = data["stages"][:keep]
        for group in data["compute"]:
            added = [stage["add"].get(group["name"], {"units": 0}) for stage in data["stages"]]
            units = sum(each // each_unit(group, kind) for count in added for kind, each in count.items())
            (kind,) = {"gpus", "racks", "units"} & group.keys()
            group[kind] = units * each_unit(group, kind)

    before = expanded(site.changed(change))
    now = ends(site.plan).filter(pl.col("stage") < keep).drop("stage")
    assert cables(before) == set(now.iter_rows())
    assert hosts(before) == set(names.labels(site.plan, "nodes").filter(site.plan.nodes["stage"] < keep))


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
@given(sites(wish=Wish(staged=True)))
def test_a_stage_at_the_end_changes_no_name_and_no_cable(site):
    left = {group["name"]: units_of(group) for group in site.data["compute"]}
    groups = {group["name"]: group for group in site.data["compute"]}
    for stage in site.data["stages"]:
        for name, added in stage["add"].items():
            ((kind, value),) = added.items()
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


OOB = FABRIC | {"name": "oob", "kind": "fat-tree", "connects": "oob", "port_gbps": 200, "switch": "roce-6"}


@SITES
@given(sites())
def test_a_fabric_at_the_end_changes_no_name_and_no_cable(site):
    def change(data):
        for hall in data["halls"]:  # room for its switches
            hall["rows"] += 3
            hall["network_rows"] += range(hall["rows"] - 2, hall["rows"] + 1)
        connected = {"compute": [data["compute"][0]["name"]]}
        data["fabrics"].append(OOB | connected | {"place": {"leaf": "network-row"}})

    after = expanded(site.changed(change))
    assert_kept(site.plan, after)
    assert cables(site.plan) == {cable for cable in cables(after) if cable[0] != "oob"}


@SITES
@given(sites())
def test_a_group_at_the_end_with_a_fabric_of_its_own_changes_no_name_and_no_cable(site):
    def change(data):
        data["halls"][-1]["rows"] += 2
        groups = [group["name"] for group in data["compute"]]
        for fabric in data["fabrics"]:
            if fabric["kind"] != "core":
                fabric.setdefault("compute", groups)  # those that take every group would take the new one too
        data["compute"].append({"name": "new", "rack": "boxes-1x2", "units": 1})
        data["fabrics"].append(OOB | {"name": "new", "connects": "compute", "compute": ["new"]})

    after = expanded(site.changed(change))
    assert_kept(site.plan, after)
    assert cables(site.plan) == {cable for cable in cables(after) if cable[0] != "new"}


# --- single cases ---------------------------------------------------------------------------------


def grown(before, change):
    """Plans of a spec and of the changed spec."""
    after = deepcopy(before)
    change(after)
    return expanded(before), expanded(after)


def test_a_row_at_the_end_of_a_full_hall_takes_no_unit_from_the_next_hall():
    """Twelve units stand in the first hall, as many as the group allows a hall, five more in the second."""
    before = one_hall(
        [{"name": "g", "rack": "boxes-4x4", "units": 17, "units_per_hall": 12}], [{}], rows=3, positions=8
    )
    before["halls"].append({"name": "h2", "rows": 3, "positions": 8, "network_rows": [1]})

    def add_row(data):
        data["halls"][0]["rows"] += 1

    assert_kept(*grown(before, add_row))


def managed(ports, **shape):
    """Three units of a fabric sized for seven; of two NICs each, one node is left out for a manager's ports."""
    compute = [{"name": "g", "rack": "boxes-2x2", "units": 3, "without": ["h1r0021n01"]}]
    fabric = {"switch": "infiniband-16", "protocol": "infiniband", "sized_for": {"units": 7}}
    return one_hall(compute, [fabric | shape | {"managers": {"product": "ufm", "count": 1, "ports": ports}}])


def test_subnet_managers_take_the_ports_of_the_left_out_node_and_none_that_a_later_unit_needs():
    """Units share leaves, so that on the first leaf ports are free that belong to units to come."""
    before = managed(2, leaf_sharing="units")
    assert_kept(expanded(before), expanded(add_units(before, "g", 4)))


def test_subnet_managers_without_ports_of_left_out_nodes_are_refused_though_later_units_have_some():
    """The left-out node frees two ports, the managers ask for four; the leaf keeps 16 for units to come."""
    wrong = refusal(managed(4, kind="fat-tree", port_gbps=200))
    assert [finding.code for finding in wrong] == ["N114"]


def test_outgrowing_sized_for_replugs_uplinks_but_renames_no_node():
    """From two units to four: twice the spines, so that half of every leaf's uplinks move to the new ones."""
    before = one_hall([{"name": "g", "rack": "boxes-4x4", "units": 2}], [{"tiers": 2}])
    plan, after = expanded(before), expanded(add_units(before, "g", 2))
    assert hosts(plan) < hosts(after)
    assert set(names.labels(plan, "switches")) < set(names.labels(after, "switches"))
    lost = {cable[2] for cable in cables(plan) - cables(after)}
    assert lost == {"leaf-spine"}
    sized = deepcopy(before)
    sized["fabrics"][0]["sized_for"] = {"units": 4}
    assert_kept(expanded(sized), expanded(add_units(sized, "g", 2)))
