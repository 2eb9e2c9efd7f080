"""Names and folded lists of names: expanded item by item, a list is exactly what was folded.

The oracle in production is `scontrol show hostnames`; tests/slurm asks it for whole sites. The
one here is a dozen lines that share nothing with the program.
"""

import re
from dataclasses import replace
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import SITES, sites

from topology.plan import names
from topology.plan.names import Part
from topology.spec.model import Names

RACKS = [
    "{hall}r{rack:04}",
    "{hall}r{rack}",
    "{hall}-{row:02}-{position:03}",
    "{hall}row{row}p{position}",
    "a{rack:02}{hall}",
]
NODES = ["{rack}n{node:02}", "{rack}-{node}", "n{node:03}-{rack}"]
SWITCH = (
    Part(column="fabric_name"),
    Part("-p"),
    Part(column="plane", width=1),
    Part("-"),
    Part(column="tier"),
    Part("-"),
    Part(column="group", width=4),
    Part("-"),
    Part(column="index", width=3),
)
MOST = 65_536  # hosts in one bracket item, as slurmctld counts


def read_back(hosts):
    """Names in a folded list, in its order: the last bracket counts fastest."""
    found = []
    for one in re.findall(r"(?:[^,\[]|\[[^\]]*\])+", hosts):
        pieces = re.split(r"\[([^\]]*)\]", one)
        ways = [numbers(piece) if at % 2 else [piece] for at, piece in enumerate(pieces)]
        found += map("".join, product(*ways))
    return found


def numbers(bracket):
    """Numbers of a bracket as text, as wide as the first of their range."""
    for item in bracket.split(","):
        low, _, high = item.partition("-")
        yield from (str(number).zfill(len(low)) for number in range(int(low), int(high or low) + 1))


def spelled(frame, template):
    return frame.select(name=names.spell(template))["name"].to_list()


@st.composite
def places(draw, halls=("h1", "h2", "annex"), least=1):
    """Nodes at random places: a set of slots, in runs and alone, of racks in rows of 20 positions.

    Columns: hall_name, row_number, position, number, slot.
    """
    rows = st.integers(1, 6)
    positions = st.integers(1, 20)
    slots = st.one_of(st.integers(1, 5), st.integers(1, 200))
    cell = st.tuples(st.sampled_from(halls), rows, positions, slots)
    block = st.tuples(cell, st.integers(1, 4), st.integers(1, 8), st.integers(1, 6))
    chosen = set(draw(st.sets(cell, min_size=least, max_size=12)))
    for (hall, row, position, slot), tall, wide, deep in draw(st.lists(block, max_size=3)):
        chosen |= {
            (hall, r, p, s)
            for r in range(row, row + tall)
            for p in range(position, min(position + wide, 21))
            for s in range(slot, slot + deep)
        }
    order = draw(st.randoms(use_true_random=False))
    listed = sorted(chosen)
    order.shuffle(listed)
    frame = pl.DataFrame(listed, schema=["hall_name", "row_number", "position", "slot"], orient="row")
    return frame.with_columns(number=(pl.col("row_number") - 1) * 20 + pl.col("position"))


formats = st.builds(Names, rack=st.sampled_from(RACKS), node=st.sampled_from(NODES))


# --- folding ----------------------------------------------------------------------------------------


@SITES
@given(places(), formats)
def test_a_folded_list_of_nodes_reads_back_as_the_same_names(frame, form):
    template = names.node_template(form)
    (hosts,) = names.fold(frame, template)["hosts"]
    assert sorted(read_back(hosts)) == sorted(spelled(frame, template))


@SITES
@given(places(), st.sampled_from(RACKS))
def test_a_folded_list_of_racks_reads_back_as_the_same_names(frame, form):
    template = names.rack_template(Names(rack=form))
    racks = frame.drop("slot").unique()
    (hosts,) = names.fold(racks, template)["hosts"]
    assert sorted(read_back(hosts)) == sorted(spelled(racks, template))


@SITES
@given(places(), formats, st.sampled_from([["hall_name"], ["row_number"], ["number"], ["hall_name", "slot"], ["key"]]))
def test_groups_are_folded_each_for_itself_and_sorted(frame, form, by):
    frame = frame.with_columns(key=pl.col("slot") % 3)
    template = names.node_template(form)
    folded = names.fold(frame, template, by)
    expected = {key: sorted(spelled(part, template)) for key, part in frame.partition_by(by, as_dict=True).items()}
    assert folded.columns == [*by, "hosts"]
    assert [row[:-1] for row in folded.iter_rows()] == sorted(expected)
    assert {row[:-1]: sorted(read_back(row[-1])) for row in folded.iter_rows()} == expected


@SITES
@given(places(), formats, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(frame, form, order):
    at = list(range(frame.height))
    order.shuffle(at)
    template = names.node_template(form)
    assert names.fold(frame[at], template)["hosts"][0] == names.fold(frame, template)["hosts"][0]
    by = ["row_number"]
    assert names.fold(frame[at], template, by).equals(names.fold(frame, template, by))


def test_a_whole_row_of_racks_folds_into_two_brackets():
    """The example of the docstring: what is alike to its right shares a bracket."""
    rack, slot = np.divmod(np.arange(64 * 18), 18)
    frame = pl.DataFrame({"hall_name": "h1", "number": rack + 1, "slot": slot + 1})
    (hosts,) = names.fold(frame, names.node_template(Names()))["hosts"]
    assert hosts == "h1r[0001-0064]n[01-18]"


def test_a_missing_node_costs_one_item():
    rack, slot = np.divmod(np.arange(4 * 3), 3)
    frame = pl.DataFrame({"hall_name": "h1", "number": rack + 1, "slot": slot + 1})
    frame = frame.filter((pl.col("number") != 2) | (pl.col("slot") != 2))
    (hosts,) = names.fold(frame, names.node_template(Names()))["hosts"]
    assert hosts == "h1r[0001,0003-0004]n[01-03],h1r0002n[01,03]"


def test_a_single_name_has_no_bracket():
    frame = pl.DataFrame({"hall_name": ["h1"], "number": [7], "slot": [3]})
    assert names.fold(frame, names.node_template(Names()))["hosts"].to_list() == ["h1r0007n03"]


def test_numbers_that_outgrow_their_width_keep_every_digit():
    frame = pl.DataFrame({"hall_name": "h1", "number": np.arange(9998, 10003)})
    template = names.rack_template(Names())
    (hosts,) = names.fold(frame, template)["hosts"]
    assert sorted(read_back(hosts)) == sorted(spelled(frame, template))
    assert "h1r9999" in read_back(hosts)
    assert "h1r10000" in read_back(hosts)


def test_nothing_folds_into_nothing():
    frame = pl.DataFrame(schema={"hall_name": pl.String, "number": pl.UInt32, "slot": pl.UInt8})
    assert names.fold(frame, names.node_template(Names()), ["hall_name"]).height == 0


# --- size -------------------------------------------------------------------------------------------


def items(hosts):
    """Hosts of every bracket item of a folded list."""
    for bracket in hosts.split("[")[1:]:
        for item in bracket.split("]")[0].split(","):
            low, _, high = item.partition("-")
            yield int(high or low) - int(low) + 1


@pytest.mark.parametrize("first", [0, 1, 12_345, MOST - 1, MOST])
def test_no_bracket_item_holds_more_hosts_than_slurm_takes(first):
    frame = pl.DataFrame({"hall_name": "h1", "number": np.arange(first, first + 3 * MOST)})
    template = names.rack_template(Names(rack="{hall}r{rack:06}"))
    (hosts,) = names.fold(frame, template)["hosts"]
    assert max(items(hosts)) <= MOST
    assert sum(items(hosts)) == 3 * MOST
    assert read_back(hosts) == spelled(frame, template)


def test_a_quarter_of_a_million_names_fold_and_read_back():
    """Fourteen halls of NVL72 racks, a tenth of them short of a tray."""
    node = np.arange(250_000)
    hall, rest = np.divmod(node, 18_000)
    rack, slot = np.divmod(rest, 18)
    frame = pl.DataFrame({"hall": hall, "number": rack + 1, "slot": slot + 1})
    frame = frame.with_columns(hall_name=pl.format("c{}", pl.col("hall") + 1))
    frame = frame.filter((pl.col("number") % 10 != 0) | (pl.col("slot") != pl.col("number") % 17 + 1))
    template = names.node_template(Names())
    folded = names.fold(frame.sample(fraction=1, shuffle=True, seed=1), template, ["hall_name"])
    assert folded["hosts"].str.len_bytes().max() < 8_000
    made = [host for hosts in folded["hosts"] for host in read_back(hosts)]
    assert len(made) == frame.height
    assert set(made) == set(spelled(frame, template))


# --- names of a plan --------------------------------------------------------------------------------


@SITES
@given(sites(), formats)
def test_racks_and_nodes_are_called_what_the_formats_say(site, form):
    plan = replace(site.plan, spec=replace(site.plan.spec, names=form))
    halls, rows = plan.halls["name"], plan.rows["number"]
    racks = [
        form.rack.format(hall=halls[row["hall"]], row=rows[row["row"]], position=row["position"], rack=row["number"])
        for row in plan.racks.iter_rows(named=True)
    ]
    nodes = [
        form.node.format(rack=racks[rack], node=slot) for rack, slot in plan.nodes.select("rack", "slot").iter_rows()
    ]
    assert names.labels(plan, "racks").to_list() == racks
    assert names.labels(plan, "nodes").to_list() == nodes


@SITES
@given(sites())
def test_no_two_racks_nodes_or_switches_share_a_name(site):
    for table in ("racks", "nodes", "switches"):
        assert not names.labels(site.plan, table).is_duplicated().any()


@SITES
@given(sites())
def test_switches_fold_and_read_back_too(site):
    plan = site.plan
    switches = plan.switches.join(plan.fabrics.select("fabric", fabric_name="name"), on="fabric", maintain_order="left")
    switches = switches.with_columns(pl.col("tier").cast(pl.String))
    (hosts,) = names.fold(switches, SWITCH)["hosts"]
    assert sorted(read_back(hosts)) == sorted(names.labels(plan, "switches"))
