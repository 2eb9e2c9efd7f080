"""The data dictionary holds: references point at rows, natural keys tell rows apart, and a row has one name."""

from functools import cache
from pathlib import Path

import polars as pl
import pytest

from topology.catalog.load import load as load_catalog
from topology.expand import expand
from topology.expand.fabrics import kinds
from topology.plan import store
from topology.plan.names import Labels
from topology.plan.tables import BY_NAME, ORIGINS, TABLES
from topology.source import YamlSource
from topology.spec.load import load

GOLDEN = Path(__file__).parent / "golden"
CASES = ("h100-unit", "islands-and-core", "kubernetes-nvl72", "own-names", "power-tree")


@cache
def plan_of(case):
    spec, _ = load(YamlSource.read(GOLDEN / case / "cluster.yaml"), kinds())
    return expand(spec, load_catalog())


def frames(case):
    plan = plan_of(case)
    return plan.tables() | {ORIGINS.name: plan.pointers()}


@pytest.mark.parametrize("case", CASES)
def test_every_reference_is_a_row_of_the_table_that_the_dictionary_names(case):
    every = frames(case)
    for name, frame in every.items():
        for column in (column for column in BY_NAME[name].columns if column.to):
            table = pl.col(column.to[1:]).cast(pl.String) if column.to.startswith("@") else pl.lit(column.to)
            at = frame.select(table=table, row=pl.col(column.name))
            at = at.explode("row") if isinstance(column.dtype, pl.List) else at
            assert column.null or isinstance(column.dtype, pl.List) or not at["row"].null_count(), (name, column.name)
            for (table,), rows in at.drop_nulls("row").partition_by("table", as_dict=True).items():
                assert rows["row"].max() < every[table].height, (name, column.name)


@pytest.mark.parametrize("case", CASES)
def test_row_numbers_are_dense_and_every_natural_key_is_unique(case):
    for name, frame in frames(case).items():
        table = BY_NAME[name]
        assert frame.select(table.key).is_unique().all(), name
        if table.columns[0] not in table.facts:
            assert frame[table.columns[0].name].to_list() == list(range(frame.height)), name


@pytest.mark.parametrize("case", CASES)
def test_every_label_is_unique_in_its_table_and_is_the_name_that_is_stored(case):
    plan = plan_of(case)
    labels = Labels(plan)
    for name, frame in store.stored(plan):
        if BY_NAME[name].label:
            made = labels.of(name)
            assert made.null_count() == 0, name
            assert made.n_unique() == frame.height, name
            if "name" in frame.columns and name not in {"batteries", "bank_needs"}:  # their `name` is an entry's
                assert made.to_list() == frame["name"].to_list(), name


def test_every_table_that_others_point_at_has_a_label():
    pointed = {column.to for table in TABLES for column in table.columns if column.to and column.to[0] != "@"}
    assert {name for name in pointed if not BY_NAME[name].label} == set()


def test_labels_read_as_on_the_label():
    power, ufm = Labels(plan_of("power-tree")), Labels(plan_of("h100-unit"))
    assert power.of("rows")[0] == "h1-row01"
    assert power.of("pools")[0] == power.of("power_nodes")[0] == "h1-transformer-01"
    assert "h1-row02-rpp-A01" in power.of("power_nodes").to_list()
    assert power.of("feeds")[0] == "h1r0001-A"
    assert power.of("batteries")[0] == "packs-1"
    assert ufm.of("units")[0] == "dgx-0001"
    assert ufm.of("appliances")[0] == "compute-appliance-01"
    assert ufm.of("nvlink_domains")[0] == "h1r0001-1"
    assert ufm.of("nics")[0] == "h1r0001n01/compute0"
    assert ufm.of("switches")[0] == "compute-p1-leaf-0001-001"
