"""Kubernetes cells: whole units and domains, names that stay, and files that add up to the plan."""

from collections import Counter
from copy import deepcopy
from dataclasses import replace
from functools import cache
from ipaddress import IPv4Network
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import EXAMPLES, SITES, TINY, Wish, each_unit, expanded, one_hall, sites
from test_growth import ROOM, add_units

from topology import checks
from topology.artifacts.kubernetes import files
from topology.catalog.load import load as load_catalog
from topology.expand import expand
from topology.expand.fabrics import kinds
from topology.plan import names
from topology.source import YamlSource
from topology.spec.load import load
from topology.views.quotas import MOST_CLUSTERS, cell_divisions, nodes_by_cell, quotas

GOLDEN = Path(__file__).parent / "golden"
FILES = settings(SITES, max_examples=EXAMPLES // 4)  # each example renders and reads back a whole site
ANY = Wish()
EVERY_OPTION = {"network_operator": True, "volcano": True, "slinky": True, "metal3": {}}


@st.composite
def celled(draw, size=TINY, wish=ANY, room=None, *, shared=False):
    """A site and its cells; `shared`: all groups fill the same ones."""
    site = draw(sites(size, wish, room))
    kubernetes = {"max_nodes_per_cell": draw(st.integers(1, 40)), **EVERY_OPTION}
    if shared:
        kubernetes["pools"] = [{"name": "all", "compute": [group["name"] for group in site.data["compute"]]}]
    site.data = site.data | {"kubernetes": kubernetes}
    site.plan = expanded(site.data)
    return site


def homes(plan):
    """Name of the cell of every node, by the node's name."""
    cell = plan.units["cell"].gather(plan.nodes["unit"])
    return dict(zip(names.labels(plan, "nodes"), plan.cells["name"].gather(cell), strict=True))


def rendered(plan, stage=None):
    """Texts by path, of one stage or all."""
    stages = range(len(plan.spec.stages)) if stage is None else [stage]
    return {str(made.path): made.data.decode() for made in files.artifacts(plan, list(stages))}


def documents(text):
    """Objects of a file."""
    return [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]


def as_it_stands(plan, stage):
    """Objects of every cell at a stage: the node files up to it, the other files of the last folder."""
    found = {}
    for at in range(stage + 1):
        for path, text in rendered(plan, at).items():
            _, _, _, cell, *rest = path.split("/")
            of_nodes = rest[-1].startswith(("10-nodes", "70-hosts"))
            found[(cell, "/".join(rest), at if of_nodes else None)] = documents(text)
    return found


def of_kind(found, cell, kind, folder=""):
    """Objects of a kind that stand in a cell; those in its sub-folders only when asked for."""
    inside = [docs for (home, path, _), docs in found.items() if home == cell and path.rpartition("/")[0] == folder]
    return [each for docs in inside for each in docs if each["kind"] == kind]


# --- how the plan is cut --------------------------------------------------------------------------


@SITES
@given(celled(shared=True) | celled())
def test_cells_partition_the_units_and_hold_what_they_may(site):
    plan = site.plan
    assert plan.units["cell"].null_count() == 0
    assert sorted(plan.units["cell"].unique()) == plan.cells["cell"].to_list()
    assert plan.cells["name"].is_unique().all()
    for column, total in (("units", plan.units.height), ("nodes", plan.nodes.height), ("gpus", plan.gpus.height)):
        assert plan.cells[column].sum() == total
    over = plan.cells.filter(pl.col("nodes") > plan.spec.kubernetes.max_nodes_per_cell)
    assert (over["units"] == 1).all()  # a unit that is larger than a cell is the finding K104, and never cut
    assert over.height == sum(finding.count for finding in checks.run(plan) if finding.code == "K104")


@SITES
@given(celled())
def test_no_cell_cuts_an_nvlink_domain(site):
    plan = site.plan
    cell = plan.units["cell"].gather(plan.nodes["unit"])
    domains = plan.nodes.select("domain", cell=cell).group_by("domain").n_unique()
    assert (domains["cell"] == 1).all()


@SITES
@given(celled(), st.data())
def test_a_cell_is_closed_only_when_the_next_unit_does_not_fit(site, choice):
    """No cell but the last of its pool has room for the unit that begins the one after it."""
    plan = site.plan
    name = choice.draw(st.sampled_from(plan.cells["pool"].unique(maintain_order=True).to_list()))
    pool = plan.cells.filter(pl.col("pool") == name)
    index = [group.name for group in plan.spec.compute].index(name)
    group = plan.spec.compute[index]
    size = (group.nodes_per_rack or plan.catalog.racks[group.rack].nodes) * group.unit_racks
    pods = [each["pod_units"] for each in site.data["fabrics"] if "pod_units" in each]
    islands = [each["islands"]["units"] for each in site.data["fabrics"] if "islands" in each]
    room = plan.spec.kubernetes.max_nodes_per_cell - pool["units"].head(-1).cast(pl.Int64) * size
    assert (room < size * max([1, *pods, *islands])).all()


def test_one_hundred_thousand_gpus_in_boxes_are_three_cells():
    plan = site_of("boxes", "supermicro-4u-hgx-h100-x8", 100352)
    assert plan.cells["nodes"].to_list() == [4608, 4608, 3328]


def test_a_million_gpus_in_nvl72_racks_are_fifty_five_cells_in_three_federations():
    plan = site_of("racks", "nvidia-gb200-nvl72", 576 * 1737)
    assert plan.cells.height == 55
    assert set(plan.cells["nodes"].head(-1)) == {4608}
    assert Counter(cell_divisions(plan)["division"]) == {"racks": 20, "racks-2": 20, "racks-3": 15}


@cache
def site_of(name, rack, gpus):
    """A site without fabrics in two large halls."""
    data = one_hall([{"name": name, "rack": rack, "gpus": gpus, "unit_racks": 8}], [], rows=310, positions=32)
    data["halls"].append(data["halls"][0] | {"name": "h2"})
    text = yaml.safe_dump(data | {"kubernetes": {"kwok": False}})
    return expand(load(YamlSource.parse("site.yaml", text.encode()), kinds())[0], load_catalog())


@pytest.mark.parametrize(("pod", "sizes"), [(None, [4, 4, 2]), (3, [3, 3, 3, 1]), (2, [4, 4, 2]), (5, [4, 4, 2])])
def test_a_pod_that_the_spec_gives_a_size_is_not_cut_where_it_fits(pod, sizes):
    """Ten units of four nodes, eighteen nodes to a cell."""
    fabric = {"kind": "fat-tree"} | ({"pod_units": pod, "tiers": 3} if pod else {})
    data = one_hall([{"name": "g", "rack": "boxes-4x1", "units": 10}], [fabric])
    plan = expanded(data | {"kubernetes": {"max_nodes_per_cell": 18}})
    assert plan.cells["units"].to_list() == sizes


# --- growth ---------------------------------------------------------------------------------------


@SITES
@given(celled(room=ROOM), st.integers(1, ROOM), st.data())
def test_units_added_later_move_no_node_to_another_cell(site, more, choice):
    groups = [group["name"] for group in site.data["compute"]]
    trees = [fabric for fabric in site.data["fabrics"] if fabric["kind"] != "core"]
    last = {fabric.get("compute", groups)[-1] for fabric in trees}
    after = expanded(add_units(site.data, choice.draw(st.sampled_from(sorted(last))), more))
    assert homes(site.plan).items() <= homes(after).items()
    kept = site.plan.cells.select("name", "pool", "index").rows()
    assert set(kept) <= set(after.cells.select("name", "pool", "index").rows())


def staged_whole(data):
    """The spec with no more units than its stages add, so that whatever is added later is the last to arrive."""
    data = deepcopy(data)
    for group in data["compute"]:
        added = [stage["add"].get(group["name"], {"units": 0}) for stage in data["stages"]]
        units = sum(each // each_unit(group, kind) for count in added for kind, each in count.items())
        (kind,) = {"gpus", "racks", "units"} & group.keys()
        group[kind] = units * each_unit(group, kind)
        group.pop("without", None)
    for fabric in data["fabrics"]:
        fabric.pop("managers", None)  # they take the ports of nodes that are left out
    return data


@FILES
@given(celled(room=ROOM, wish=Wish(staged=True), shared=True), st.integers(1, ROOM))
def test_groups_that_share_cells_stay_where_they_are_when_a_stage_follows(site, more):
    data = staged_whole(site.data)
    before, after = expanded(data), expanded(add_units(data, data["compute"][-1]["name"], more))
    assert homes(before).items() <= homes(after).items()
    assert rendered(before).items() <= rendered(after).items()


@FILES
@given(celled(wish=Wish(staged=True)))
def test_a_stage_at_the_end_changes_no_file_of_another_and_has_folders_of_the_cells_it_adds_to(site):
    last = len(site.data["stages"]) - 1
    earlier = expanded(site.changed(lambda data: data["stages"].pop()))
    before, now = rendered(earlier), rendered(site.plan)
    assert before.items() <= now.items()
    new = {path.split("/")[3] for path in now.keys() - before.keys()} - {"federation"}
    arriving = site.plan.nodes.filter(pl.col("stage") == last)
    touched = site.plan.units["cell"].gather(arriving["unit"]).unique()
    assert new == set(site.plan.cells["name"].gather(touched))


# --- what is written adds up to the plan ----------------------------------------------------------


def golden(case):
    """Plan of a golden case."""
    spec, _ = load(YamlSource.read(GOLDEN / case / "cluster.yaml"), kinds())
    return expand(spec, load_catalog())


PLANS = ["kubernetes-nvl72", "kubernetes-boxes"]


@pytest.mark.parametrize("case", PLANS)
def test_labels_fakes_and_hosts_name_every_node_of_the_plan_once(case):
    assert_nodes(golden(case))


@FILES
@given(celled())
def test_every_node_is_labelled_in_its_cell_once_it_stands(site):
    assert_nodes(site.plan)


def assert_nodes(plan):
    home = homes(plan)
    last = len(plan.spec.stages) - 1
    built = {
        host for host, stage in zip(names.labels(plan, "nodes"), plan.nodes["stage"], strict=True) if stage is not None
    }
    found = as_it_stands(plan, last)
    for folder, kind in (("", "Node"), ("kwok", "Node"), ("", "BareMetalHost")):
        if kind == "BareMetalHost" and plan.spec.kubernetes.metal3 is None:
            continue
        seen = [
            (each["metadata"]["name"], cell)
            for cell in plan.cells["name"]
            for each in of_kind(found, cell, kind, folder)
        ]
        assert len(seen) == len(set(seen))
        assert dict(seen) == {host: home[host] for host in built}
    for cell in plan.cells["name"]:
        real, fake = of_kind(found, cell, "Node"), of_kind(found, cell, "Node", "kwok")
        for one, other in zip(real, fake, strict=True):
            assert one["metadata"]["labels"].items() <= other["metadata"]["labels"].items()
            assert all(isinstance(value, str) and len(value) <= 63 for value in one["metadata"]["labels"].values())


@FILES
@given(celled(wish=Wish(staged=True)), st.data())
def test_quotas_and_fakes_are_the_gpus_that_stand(site, choice):
    assert_quotas(site.plan, choice.draw(st.integers(0, len(site.plan.spec.stages) - 1)))


@pytest.mark.parametrize("case", PLANS)
def test_the_quotas_of_all_cells_and_of_the_federation_are_the_gpus_of_the_plan(case):
    plan = golden(case)
    for stage in range(len(plan.spec.stages)):
        assert_quotas(plan, stage)


def gpus_of(queues):
    """GPUs that some ClusterQueues hand out, by flavor."""
    found = Counter()
    for queue in queues:
        for flavor in queue["spec"]["resourceGroups"][0]["flavors"]:
            amounts = {each["name"]: each["nominalQuota"] for each in flavor["resources"]}
            found[flavor["name"]] += int(amounts["nvidia.com/gpu"])
    return found


def assert_quotas(plan, stage):
    found = as_it_stands(plan, stage)
    cells = {home for home, _, _ in found} - {"federation"}
    total = Counter()
    for cell in cells:
        handed = gpus_of(of_kind(found, cell, "ClusterQueue"))
        fakes = Counter()
        for node in of_kind(found, cell, "Node", "kwok"):
            group = node["metadata"]["labels"][
                "cluster-topology/group"
                if "cluster-topology/group" in node["metadata"]["labels"]
                else "topology.example/group"
            ]
            fakes[group] += int(node["status"]["allocatable"]["nvidia.com/gpu"])
        assert handed == fakes
        total += handed
    assert sum(total.values()) == plan.stages["gpus"][stage]
    if len(cells) > 1:
        assert gpus_of(of_kind(found, "federation", "ClusterQueue")) == total
        listed = [
            name for each in of_kind(found, "federation", "MultiKueueConfig") for name in each["spec"]["clusters"]
        ]
        assert sorted(listed) == sorted(cells)
        for queue in of_kind(found, "federation", "LocalQueue"):  # MultiKueue looks for the same name in the worker
            assert any(
                (own["metadata"]["name"], own["metadata"]["namespace"])
                == (queue["metadata"]["name"], queue["metadata"]["namespace"])
                for cell in cells
                for own in of_kind(found, cell, "LocalQueue")
            )


SCHEMES = {
    "topograph-v1": ["accelerator.topograph.run/domain", "fabric.topograph.run/tier-0", "fabric.topograph.run/tier-1"],
    "topograph-v0": [f"network.topology.nvidia.com/{word}" for word in ("accelerator", "leaf", "spine")],
    "own": [f"site.example/{word}" for word in ("nvlink-domain", "leaf", "spine")],
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nodes_say_their_place_in_the_keys_of_the_scheme_that_is_asked_for(scheme):
    data = one_hall([{"name": "g", "rack": "domain-4x2", "units": 4}], [{"tiers": 2}])
    plan = expanded(data | {"kubernetes": {"labels": scheme, "label_prefix": "site.example"}})
    (cell,) = plan.cells["name"]
    nodes = of_kind(as_it_stands(plan, 0), cell, "Node")
    own = {f"site.example/{word}" for word in ("group", "hall", "unit", "rack")}
    assert all(each["metadata"]["labels"].keys() == own | set(SCHEMES[scheme]) for each in nodes)
    first = nodes[0]["metadata"]["labels"]
    assert [first[key] for key in SCHEMES[scheme]] == ["h1r0021", "f-leaf-0001", "f-spine-0001"]


@FILES
@given(celled(), st.lists(st.integers(1, 1000), min_size=1, max_size=5))
def test_shares_of_any_size_hand_out_whole_nodes_and_all_of_them(site, shares):
    queues = [{"name": f"q{at}", "share": share} for at, share in enumerate(shares)]
    plan = expanded(site.data | {"kubernetes": site.data["kubernetes"] | {"queues": queues}})
    everything = len(plan.spec.stages)
    parts = quotas(plan, plan.spec.kubernetes, everything)
    stood = nodes_by_cell(plan, everything)
    assert parts.group_by("cell", "group").agg(pl.col("nodes").sum()).sort("cell", "group")["nodes"].to_list() == (
        stood["nodes"].to_list()
    )
    assert (parts["nodes"] >= 0).all()


@FILES
@given(celled() | celled(shared=True))
def test_hypernodes_hold_every_node_of_their_cell_once_in_every_tier(site):
    plan = site.plan
    found = as_it_stands(plan, len(plan.spec.stages) - 1)
    for cell in {home for home, _, _ in found} - {"federation"}:
        nodes = Counter()
        for node in of_kind(found, cell, "Node"):
            for key, value in node["metadata"]["labels"].items():
                nodes[key, value] += 1
        size, members = {}, Counter()
        made = [each["metadata"]["name"] for each in of_kind(found, cell, "HyperNode")]
        assert len(made) == len(set(made))
        for made in of_kind(found, cell, "HyperNode"):
            selectors = [each["selector"] for each in made["spec"]["members"]]
            if "labelMatch" in selectors[0]:
                ((label,),) = (each["labelMatch"]["matchLabels"].items() for each in selectors)
                size[made["metadata"]["name"]] = (made["spec"]["tier"], nodes[label])
            else:
                inside = [each["exactMatch"]["name"] for each in selectors]
                members.update(inside)
                size[made["metadata"]["name"]] = (made["spec"]["tier"], sum(size[name][1] for name in inside))
        assert not members or max(members.values()) == 1
        assert sum(count for tier, count in size.values() if tier == 1) == len(of_kind(found, cell, "Node"))
        for tier in {tier for tier, _ in size.values()}:
            assert sum(count for own, count in size.values() if own == tier) <= len(of_kind(found, cell, "Node"))


@FILES
@given(celled())
def test_every_level_of_a_kueue_topology_is_whole_inside_the_one_above(site):
    """Kueue reads levels as a tree: a value of a lower level never stands under two values of a higher one."""
    plan = site.plan
    found = as_it_stands(plan, len(plan.spec.stages) - 1)
    for cell in {home for home, _, _ in found} - {"federation"}:
        labels = [node["metadata"]["labels"] for node in of_kind(found, cell, "Node", "kwok")]
        for topology in of_kind(found, cell, "Topology"):
            keys = [level["nodeLabel"] for level in topology["spec"]["levels"]]
            assert keys[-1] == "kubernetes.io/hostname"
            mine = [each for each in labels if each["cluster-topology/group"] == topology["metadata"]["name"]]
            assert mine
            assert all(set(keys) <= each.keys() for each in mine)
            for above, below in pairwise(keys):
                parents = {(each[below], each[above]) for each in mine}
                assert len(parents) == len({each[below] for each in mine})


@FILES
@given(celled())
def test_jobs_ask_for_no_more_nodes_than_the_largest_place_they_name_has(site):
    plan = site.plan
    found = as_it_stands(plan, len(plan.spec.stages) - 1)
    for cell in {home for home, _, _ in found} - {"federation"}:
        labels = [node["metadata"]["labels"] for node in of_kind(found, cell, "Node", "kwok")]
        queues = {each["metadata"]["name"] for each in of_kind(found, cell, "LocalQueue")}
        for job in of_kind(found, cell, "Job", "examples"):
            notes = job["spec"]["template"]["metadata"]["annotations"]
            group = job["metadata"]["name"].rpartition("-")[0].removeprefix("compute-domain-")
            key = notes["kueue.x-k8s.io/podset-required-topology"]
            held = Counter(
                each[key]
                for each in labels
                if each["cluster-topology/group"] in (group, job["metadata"]["name"].removeprefix("compute-domain-"))
            )
            assert job["spec"]["parallelism"] == max(held.values())
            assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] in queues


@FILES
@given(celled())
def test_the_address_pools_of_all_rails_and_cells_are_apart_and_hold_every_node(site):
    plan = site.plan
    assume(not {"K104", "K109"} & {finding.code for finding in checks.run(plan)})
    found = as_it_stands(plan, len(plan.spec.stages) - 1)
    networks = []
    for cell in {home for home, _, _ in found} - {"federation"}:
        for pool in of_kind(found, cell, "IPPool"):
            network = IPv4Network(pool["spec"]["subnet"])
            assert pool["spec"]["gateway"] in map(str, network.hosts())
            assert len(of_kind(found, cell, "Node")) * pool["spec"]["perNodeBlockSize"] + 3 <= network.num_addresses
            networks.append(network)
    networks.sort()
    assert all(not one.overlaps(other) for one, other in pairwise(networks))


# --- rules that no spec can break -----------------------------------------------------------------


def breaches(plan, code):
    """Rows that a check finds."""
    return checks.registered()[code].query(plan)


def test_a_domain_in_two_cells_is_found():
    data = one_hall([{"name": "g", "rack": "domain-4x2", "units": 4}], [{}])
    plan = expanded(data | {"kubernetes": {"max_nodes_per_cell": 8}})
    assert not breaches(plan, "K105").height
    second = pl.int_range(pl.len()) % 2
    cut = replace(plan, nodes=plan.nodes.with_columns(unit=pl.col("unit") * 0 + second.cast(pl.UInt32) * 2))
    assert breaches(cut, "K105").height == plan.nvlink_domains.height


def test_two_nodes_of_one_name_are_found():
    data = one_hall([{"name": "g", "rack": "boxes-4x2", "units": 4}], [{}])
    plan = expanded(data | {"kubernetes": {}})
    assert not breaches(plan, "K107").height
    alike = replace(plan, nodes=plan.nodes.with_columns(slot=pl.lit(1, pl.UInt8)))
    assert breaches(alike, "K107")["example"].to_list() == [f"h1r{rack:04}n01" for rack in (21, 22, 23, 24)]


def test_quotas_that_are_not_the_gpus_are_found():
    data = one_hall([{"name": "g", "rack": "boxes-4x2", "units": 4}], [{}])
    plan = expanded(data | {"kubernetes": {}})
    assert not breaches(plan, "K108").height
    (wrong,) = breaches(replace(plan, gpus=plan.gpus.head(-1)), "K108")["message"]
    assert wrong == "queues hand out 32 of the 31 GPUs of g in cell g-01"


def test_more_cells_in_a_federation_than_kueue_takes_are_found():
    data = one_hall([{"name": "g", "rack": "boxes-1x1", "units": 41}], [{"kind": "fat-tree", "switch": "roce-32"}])
    plan = expanded(data | {"kubernetes": {"max_nodes_per_cell": 1}})
    assert Counter(cell_divisions(plan)["division"]) == {"g": MOST_CLUSTERS, "g-2": MOST_CLUSTERS, "g-3": 1}
    assert not breaches(plan, "K110").height
    crowded = replace(plan, cells=plan.cells.with_columns(index=pl.lit(1, pl.UInt32)))
    assert breaches(crowded, "K110")["message"].to_list() == ["41 cells are in the federation g"]
