"""One thing has one name: in the stored tables, the diff, the comment and the records of the inventory."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from topology.catalog.load import load as load_catalog
from topology.expand import expand
from topology.expand.fabrics import kinds
from topology.plan import store
from topology.review.chapters.wires import plugs
from topology.source import YamlSource
from topology.spec.load import load
from topology.views.records import Register

SPEC = Path(__file__).parents[1] / "golden" / "h100-unit" / "cluster.yaml"  # one unit with two UFM appliances


@pytest.fixture(scope="module")
def plan():
    spec, _ = load(YamlSource.read(SPEC), kinds())
    return expand(spec, load_catalog())


@pytest.fixture(scope="module")
def tables(plan):
    """Stored tables."""
    return dict(store.stored(plan))


@pytest.fixture(scope="module")
def records(tables):
    """Records of the only stage."""
    return Register.of({name: frame.lazy() for name, frame in tables.items()}).stage(0)


@pytest.fixture
def added(repository, cli):
    """Rows of the diff against nothing, as dictionaries by table: every row of the plan."""
    repository.commit(README="no spec yet")
    repository.write("cluster.yaml", SPEC.read_text())
    run = cli("diff", "HEAD:cluster.yaml", "cluster.yaml", "--format", "json", "--all-rows", "--fail-on", "never")
    assert run.code == 0, run.err
    rows = [line for line in map(json.loads, run.out.splitlines()) if line["type"] == "row"]
    return {table: [row["after"] for row in rows if row["table"] == table] for table in {row["table"] for row in rows}}


def names(rows, column="name"):
    return {row[column] for row in rows}


def test_a_ufm_appliance_a_unit_and_a_domain_have_one_name_each(added, tables, records):
    boxes = set(tables["appliances"]["name"])
    assert boxes == {"compute-appliance-01", "compute-appliance-02"}
    assert boxes == names(added["appliances"]) == set(records["appliances"]["name"])
    assert boxes == names((row for row in added["cables"] if row["a_table"] == "appliances"), "a")
    units = set(tables["units"]["name"])
    assert units == {"dgx-0001"} == names(added["units"]) == names(added["nodes"], "unit")
    assert {f"unit-{name}" for name in units} == set(records["nodes"]["owner"])
    domains = set(tables["nvlink_domains"]["name"])
    assert "h1r0001-1" in domains
    assert domains == names(added["nvlink_domains"]) == names(added["nodes"], "domain")
    assert domains == set(records["nodes"]["domain"])


def test_every_table_of_the_diff_calls_a_row_as_the_stored_table_does(added, tables):
    for table, rows in added.items():
        if "name" in tables[table].columns:
            assert [row["name"] for row in rows] == tables[table]["name"].to_list(), table


def test_both_plugs_of_a_cable_have_one_name_in_the_comment_the_diff_and_the_inventory(added, plan, records):
    plain = records["cables"].with_columns(pl.col(pl.Enum).cast(pl.String))
    ends = plain.select(pl.format("{} {}", "a_device", "a_port"), pl.format("{} {}", "b_device", "b_port"))
    said = plugs(plan, np.arange(plan.cables.height))
    assert sorted(said) == sorted(ends.rows())
    assert ("h1r0001n01 compute0", "compute-p1-leaf-0001-001 1/1") in said
    cards = {row["a"].replace("/", " ") for row in added["cables"] if row["a_table"] == "nics"}
    assert cards == {a for a, _ in said if a.startswith("h1r") and "/" not in a}
