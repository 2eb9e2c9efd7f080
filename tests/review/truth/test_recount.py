"""The recount itself, against figures that were worked out by hand."""

import shutil

import polars as pl
import pytest
from recount import Known, recount
from test_truth import MEASURES

DGX = {"gpus": 8, "nodes": 4}  # GPUs of a node, nodes of a rack; a unit has 4 racks, and 8 rails of a leaf each


def test_two_units_more_are_eight_racks_and_a_cable_for_every_card(tell):
    truth = tell("rails", "group-grown").truth
    racks = 2 * 4
    nodes = racks * DGX["nodes"]
    assert truth["gpus added"] == nodes * DGX["gpus"] == 256
    assert truth["nodes added"] == truth["node names come"] == nodes
    assert truth["racks added"] == racks + 1  # and one for the switches
    assert truth["switches added"] == 2 * 8
    assert truth["cables new"] == 2 * nodes * DGX["gpus"]  # as many go up from a leaf as come down
    assert truth["feeds added"] == 2 * (racks + 1)  # A and B
    assert truth["cables untouched"] == truth["cables before"] == 1084


def test_replaced_spines_take_the_cables_of_the_core_along(tell):
    truth = tell("islands", "switch-replaced").truth
    units, islands, nodes, cards = 3, 2, 4 * 18, 4
    assert truth["switches replaced"] == 36
    assert (
        truth["cables taken out"] == 2 * units * nodes * cards + 144
    )  # node-leaf and leaf-spine, and those to the core
    assert truth["cables new"] == truth["cables removed"] == truth["cables replugged"] == 0
    assert islands * 6 + 24 == truth["switches replaced"]  # six spines an island, 24 leaves


def test_a_level_less_takes_its_devices_and_nothing_else(tell):
    truth = tell("rails", "level-removed").truth
    assert {word: truth[word] for word in truth if word.startswith(("power devices", "feeds")) and truth[word]} == {
        "power devices before": 20, "power devices after": 16, "power devices removed": 4,
        "feeds before": 48, "feeds after": 48,
    }  # fmt: skip


@pytest.fixture
def edited(tell, shared, tmp_path):
    """Recounts the tables of a site against the same tables with one of them edited."""

    def count(table, edit):
        tell("rails", "group-grown")
        base = shared / "truth" / "rails" / "group-grown" / "base"
        shutil.copytree(base, tmp_path / "head", dirs_exist_ok=True)
        path = tmp_path / "head" / "tables" / f"{table}.parquet"
        edit(pl.read_parquet(path)).write_parquet(path)
        return recount(base, tmp_path / "head", Known())

    return count


def changed(truth):
    """Words of what is counted and is no level."""
    return {word: n for word, n in truth.items() if n and not word.endswith(("before", "after", "untouched"))}


def test_plugs_that_change_places_are_two_cables_replugged(edited):
    def swapped(cables):
        rows = cables.with_row_index().filter(pl.col("hop") == "node-leaf", pl.col("b") == cables["b"][0])["index"][:2]
        first, second = (cables["b_cage", "b_port"].row(row) for row in rows)
        cages, places = cables["b_cage"].to_list(), cables["b_port"].to_list()
        (cages[rows[0]], places[rows[0]]), (cages[rows[1]], places[rows[1]]) = second, first
        return cables.with_columns(
            pl.Series("b_cage", cages, cables["b_cage"].dtype), pl.Series("b_port", places, cables["b_port"].dtype)
        )

    assert changed(edited("cables", swapped)) == {"cables replugged": 2}


def test_a_cable_less_is_removed(edited):
    assert changed(edited("cables", lambda cables: cables[1:])) == {"cables removed": 1}


def test_a_device_of_another_rating_is_replaced(edited):
    more = pl.col("rating_w") + (pl.col("power_node") == 0).cast(pl.UInt64)
    truth = edited("power_nodes", lambda nodes: nodes.with_columns(rating_w=more))
    assert changed(truth) == {"power devices with another rating": 1}


def test_nothing_is_counted_between_equal_tables(edited):
    truth = edited("cables", lambda cables: cables)
    assert changed(truth) == {}
    assert {word: count(truth) for word, count in MEASURES.items() if count(truth)} == {}
