"""An inventory server takes a switch only into a rack that is there, and a cable only between ports that are."""

import polars as pl
import pytest
import site_records

from topology.artifacts.pulumi.resources import resources

GOLDEN = site_records.STACKS.parent / "tests/golden"
SPECS = [site_records.SITE, GOLDEN / "three-tiers/cluster.yaml", GOLDEN / "islands-and-core/cluster.yaml"]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.parent.name)
def test_all_that_a_record_names_belongs_to_its_own_resource_or_to_one_made_before_it(spec):
    register, _ = site_records.register_of(spec)
    there = set()
    for stage in range(register.tables["stages"].collect().height):
        made = {}
        for resource in resources(register, stage, {}):
            records = site_records.owned(spec, stage)[f"{register_name(spec)}/{stage}/{resource.name}"]
            made[resource.name] = names(records)
            before = there.union(*(made[name] for name in resource.after), made[resource.name])
            assert referred(records) <= before, resource.name
        there = there.union(*made.values())


def register_name(spec):
    return site_records.register_of(spec)[1]


def names(records):
    """What the records bring."""
    tables = ("racks", "nodes", "switches", "appliances", "power_nodes")
    return {name for table in tables if table in records for name in records[table]["name"]}


def referred(records):
    """What the records name beside themselves."""
    columns = {"rack": "rack", "panel": "panel", "a_device": "device", "b_device": "device"}
    found = [frame.get_column(column) for frame in records.values() for column in columns if column in frame.columns]
    return set(pl.concat(found)) if found else set()
