"""Published designs: expansion gives the counts that makers print for their own clusters.

Every record of `published.yaml` goes the whole way from a spec to frames, and the frames are
counted. Where a maker prints something else, `EXCEPTIONS` says what and why.
"""

import re
from collections import ChainMap
from dataclasses import fields
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from strategies import catalog, loaded, node, rack, switch

from topology.catalog.load import load
from topology.catalog.model import Catalog
from topology.expand import expand
from topology.findings import FindingsError
from topology.plan import names
from topology.views import summary

PUBLISHED = YAML(typ="safe", pure=True).load(Path(__file__).with_name("published.yaml"))
RECORDS = {
    record["id"]: {**design, **record, "design": design["title"]}
    for design in PUBLISHED["designs"]
    for record in design["records"]
}
COUNTS = {
    "leaf": "leaf",
    "spine": "spine",
    "core": "core",
    "node_leaf": "node-leaf",
    "leaf_spine": "leaf-spine",
    "spine_core": "spine-core",
}  # a record's word for it, and the word of a plan's summary

# Records whose printed count the rule does not give: the counts that it gives, and why.
EXCEPTIONS = {
    "rubin-nvl8-16": (
        {"spine": 72},
        "printed 64 and, in another table, 72: the 72 uplinks of a leaf do not spread evenly over 64 spines",
    ),
    "vr-nvl72-2": (
        {"spine": 8},
        "printed 9: eight spines have exactly the ports and divide 72; nine divide 72 as well, half used",
    ),
    "hpn-3": (
        {"spine": 32},
        "printed 64: the template has a spine for every uplink; 32 spines of the radix its leaves need hold them",
    ),
    "basepod-64": (
        {"spine": 1, "leaf_spine": 64},
        "printed 0: its two leaves are cabled to each other, a mesh; a Clos joins them with a spine",
    ),
}


def _merged():
    """The built-in catalogue, and over it the products of `published.yaml`."""
    products, built_in = PUBLISHED["products"], load()
    nodes = {slug: node(slug, **entry) for slug, entry in products["nodes"].items()}
    own = catalog(
        [switch(slug, each["cages"], each["protocol"]) for slug, each in products["switches"].items()],
        nodes.values(),
        [rack(slug, nodes[each["node"]], each["nodes"]) for slug, each in products["racks"].items()],
    )
    shelves = [each.name for each in fields(Catalog) if each.name != "sha256"]
    return Catalog(**{shelf: ChainMap(getattr(own, shelf), getattr(built_in, shelf)) for shelf in shelves}, sha256="")


CATALOG = _merged()


def spec_of(wanted, units, **fabric):
    """The spec of a record, or of a size limit: `units` units on one fabric in one hall."""
    network = 20
    return {
        "version": 1,
        "name": "published",
        "site": {"name": "reference", "pue": 1.3},
        "names": {"rack": "{hall}r{rack:06}"},
        "halls": [
            {
                "name": "h1",
                "rows": min(units + network, 1000),
                "positions": 2 * wanted["unit_racks"] + 40,
                "network_rows": list(range(1, network + 1)),
                "rack_limit": {"height_u": 52},
            }
        ],
        "compute": [{"name": "gpu", "rack": wanted["rack"], "units": units, "unit_racks": wanted["unit_racks"]}],
        "fabrics": [
            {
                "name": "compute",
                "kind": wanted.get("kind", "rail-optimized"),
                "protocol": wanted["protocol"],
                "switch": wanted["switch"],
                "port_gbps": wanted["port_gbps"],
                "planes": wanted.get("planes", 1),
                **fabric,
            }
        ],
    }


def plan_of(record):
    """Plan of a record; the nodes that its subnet managers displace are the last ones."""
    data = spec_of(record, record["su"], **record.get("fabric", {}))
    if left_out := record.get("left_out"):
        fabric = {key: value for key, value in data["fabrics"][0].items() if key != "managers"}
        whole = expand(loaded(data | {"fabrics": [fabric]}), CATALOG)
        data["compute"][0]["without"] = names.labels(whole, "nodes").to_list()[-left_out:]
    return expand(loaded(data), CATALOG)


def test_every_record_is_there_once():
    assert len(RECORDS) == sum(len(design["records"]) for design in PUBLISHED["designs"]) == 40
    assert EXCEPTIONS.keys() < RECORDS.keys()
    assert {record["source"] for record in RECORDS.values()} == PUBLISHED["sources"].keys()


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_published_design_has_its_published_counts(record):
    plan = plan_of(record)
    made = summary.counts(plan)
    fabric = made["fabrics"]["compute"]
    counts = {tier: fabric[tier] for tier in ("leaf", "spine", "core")} | fabric["links"]
    assert made["gpus"] == record["gpus"]
    assert made["nodes"] == record["su"] * record["nodes_per_unit"] - record.get("left_out", 0)
    planes = record.get("planes", 1) if record.get("per_plane") else 1
    links = record.get("links_per_cable", 1)
    published = {
        ours: record[theirs] * planes * (links if theirs.count("_") else 1)
        for theirs, ours in COUNTS.items()
        if theirs in record
    }
    given, _ = EXCEPTIONS.get(record["id"], ({}, ""))
    expected = published | {COUNTS[name]: count * planes for name, count in given.items()}
    assert {name: counts[name] for name in expected} == expected
    assert given == {name: given[name] for name in given if given[name] != record[name]}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_published_design_has_the_radix_and_rails_it_says(record):
    """The products are those of the record: ports at its rate, NICs per node, nodes per unit."""
    ports = sum(cage.count * cage.ports[record["port_gbps"]] for cage in CATALOG.switches[record["switch"]].cages)
    assert ports == record.get("radix", ports)
    design = CATALOG.racks[record["rack"]]
    role = record.get("fabric", {}).get("connects", "compute")
    (nic,) = (nic for nic in CATALOG.nodes[design.node].nics if nic.role == role)
    assert nic.count == record["rails"]
    assert design.nodes * record["unit_racks"] == record["nodes_per_unit"]


@pytest.mark.parametrize("name", [name for name in RECORDS if name.startswith(("gb300", "vr"))])
def test_cables_that_are_not_printed_follow_from_full_bandwidth(name):
    fabric = summary.counts(plan_of(RECORDS[name]))["fabrics"]["compute"]
    links = RECORDS[name]["gpus"] * RECORDS[name].get("planes", 1)
    assert (fabric["links"]["node-leaf"], fabric["links"]["leaf-spine"]) == (links, links)
    assert name != "gb300-1" or fabric["spine"] == 4  # four of 144 ports hold 8 leaves of 72 uplinks


def test_gb200_has_a_leaf_per_rack_and_rail_without_being_told():
    """An NVLink domain is never cut, and 18 of 32 ports hold one rack: leaf_down follows by itself."""
    record = RECORDS["gb200-1"]
    told = summary.counts(plan_of(record))["fabrics"]["compute"]
    untold = summary.counts(plan_of({**record, "fabric": {}}))["fabrics"]["compute"]
    assert untold == told


def test_a_leaf_of_the_ocp_design_takes_four_rails_or_two():
    for name, rails in (("ocp-1", 4), ("ocp-3", 2), ("ocp-5", 1)):
        leaves = plan_of(RECORDS[name]).tiers.row(0, named=True)
        assert (leaves["rails"], leaves["down"], leaves["up"]) == (rails, 64, 32)


def test_three_units_of_h100_take_sixteen_spines():
    """Table 4 of RA-11333: twelve have ports enough, but do not divide the 32 uplinks of a leaf."""
    record = {**RECORDS["h100-pdf-t3-4"], "su": 3}
    assert summary.counts(plan_of(record))["fabrics"]["compute"]["spine"] == 16


# --- largest sizes --------------------------------------------------------------------------------

LIDS = 49_151  # unicast LIDs of an InfiniBand subnet, 0x0001 to 0xBFFF


def of_size(limit, units):
    return expand(loaded(spec_of(limit, units, tiers=limit["tiers"])), CATALOG)


def refused(limit, units):
    """The one finding that refuses a cluster of `units` units."""
    with pytest.raises(FindingsError) as error:
        of_size(limit, units)
    (finding,) = error.value.findings
    return finding


def sized(limit):
    """GPUs per unit, and units of the largest cluster."""
    design = CATALOG.racks[limit["rack"]]
    each = design.nodes * limit["unit_racks"] * CATALOG.nodes[design.node].gpus
    units, rest = divmod(limit["gpus"], each)
    assert not rest
    return each, units


def named(limits):
    return [pytest.param(each, id=f"{each['switch']}-{each['port_gbps']}g-{each['tiers']}-tiers") for each in limits]


# Three tiers of InfiniBand end at the LIDs of one subnet, before the ports end.
IN_LIDS = [each for each in PUBLISHED["max_sizes"] if each["protocol"] == "roce" or each["tiers"] == 2]
OVER_LIDS = [each for each in PUBLISHED["max_sizes"] if each not in IN_LIDS]


@pytest.mark.parametrize("limit", named(IN_LIDS))
def test_the_largest_cluster_of_a_switch_fits_and_fills_it(limit):
    _, units = sized(limit)
    fabric = summary.counts(of_size(limit, units))["fabrics"]["compute"]
    assert fabric["tiers"] == limit["tiers"]
    links = list(fabric["links"].values())[: limit["tiers"]]
    assert links == [limit["gpus"]] * limit["tiers"]
    ports = sum(cage.count * cage.ports[limit["port_gbps"]] for cage in CATALOG.switches[limit["switch"]].cages)
    top = fabric[("leaf", "spine", "core")[limit["tiers"] - 1]]
    assert top * ports == limit["gpus"]


@pytest.mark.parametrize("limit", named(IN_LIDS))
def test_one_unit_more_is_refused_with_the_largest_that_fits(limit):
    each, units = sized(limit)
    finding = refused(limit, units + 1)
    assert finding.code == "N201"
    assert f"{(units + 1) * each:,} endpoints" in finding.message
    assert f"{units} such units, {units * each:,} endpoints" in finding.message
    assert f"islands: {{units: {units}}}" in finding.help


@pytest.mark.parametrize("limit", named(OVER_LIDS))
def test_three_tiers_of_infiniband_end_at_the_lids_of_a_subnet(limit):
    each, units = sized(limit)
    finding = refused(limit, units)
    assert finding.code == "N203"
    assert f"{LIDS:,}" in finding.message
    (most,) = map(int, re.findall(r"islands: \{units: (\d+)\}", finding.help))
    fabric = summary.counts(of_size(limit, most))["fabrics"]["compute"]
    assert most * each + fabric["leaf"] + fabric["spine"] + fabric["core"] <= LIDS
    assert refused(limit, most + 1).code == "N203"
