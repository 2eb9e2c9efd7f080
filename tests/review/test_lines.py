"""The JSON is complete, and says of every row what an independent comparison of the tables says."""

# ruff: noqa: S608 - queries over tables that the test itself has built

import json
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from jsonschema import Draft202012Validator

SITE = Path(__file__).parent / "site.yaml"
TEXT = SITE.read_text()
SCHEMA = Draft202012Validator(json.loads((Path(__file__).parents[2] / "schemas" / "diff.schema.json").read_text()))
HEADS = {
    "oversubscription": TEXT.replace("    port_gbps: 400\n", "    port_gbps: 400\n    oversubscription: {leaf: 2}\n"),
    "growth": TEXT.replace("units: 4, unit_racks", "units: 6, unit_racks").replace(
        "units: 8, banks", "units: 12, banks"
    ),
    "moved": TEXT.replace("halls: [h3]", "halls: [h1]"),
    "renamed": TEXT.replace("name: h2,", "name: annex,").replace("[h1, h2]", "[h1, annex]"),
    "other-switch": TEXT.replace("nvidia-sn5600", "nvidia-sn5610"),
    "broken": TEXT.replace("halls:\n", "halls: [\n"),
}


@pytest.fixture
def lines(repository, cli):
    """Lines of the comparison of site.yaml with another text, and the folders of both builds."""

    def compared(text: str, *options: str) -> list[dict]:
        repository.write("base.yaml", TEXT)
        repository.write("head.yaml", text)
        run = cli(
            "diff", "base.yaml", "head.yaml", "--format", "json", "--fail-on", "never", *(options or ("--all-rows",))
        )
        assert run.code == 0, run.err
        return [json.loads(line) for line in run.out.splitlines()]

    return compared


@pytest.mark.parametrize("name", HEADS)
def test_every_line_is_what_the_schema_says(name, lines):
    for line in [*lines(HEADS[name]), *lines(HEADS[name], "--max-chars", "6000")]:
        assert [error.message for error in SCHEMA.iter_errors(line)] == []


@pytest.mark.parametrize("name", ["oversubscription", "growth", "moved", "renamed"])
def test_the_first_line_counts_the_lines_that_follow(name, lines):
    first, *others = lines(HEADS[name])
    counted = Counter((line["table"], line["change"]) for line in others if line["type"] == "row")
    assert {(t, c): n for t, changes in first["rows"].items() for c, n in changes.items()} == counted


@pytest.mark.parametrize("name", ["oversubscription", "growth", "moved", "other-switch"])
def test_alike_rows_are_told_once_and_their_numbers_are_those_of_all_rows(name, lines):
    first, *each = lines(HEADS[name])
    folded = [line for line in lines(HEADS[name], "--max-chars", "6000")[1:] if line["type"] == "rows"]
    sums = Counter()
    for line in folded:
        sums[line["table"], line["change"]] += line["count"]
        for side, row in line["first"].items():
            differing = {column for column in row if line["first"].get("before", row)[column] != row[column]}
            assert differing <= set(line["differing"]), side
    assert sums == {(t, c): n for t, changes in first["rows"].items() for c, n in changes.items()}
    rows = [line for line in each if line["type"] == "row"]
    assert len(folded) < len(rows) / 8
    examples = [{"before": row.get("before"), "after": row.get("after")} for row in rows]
    for line in folded:
        assert {"before": None, "after": None} | line["first"] in examples
        assert {"before": None, "after": None} | line["last"] in examples


def ends(folder: Path, names: str = "name") -> str:
    """SQL for the cables of a build with the names of both ends."""
    tables = folder / "tables"
    return f"""
        select coalesce(nodes.name || '/' || nics.role || nics.index, lower.{names}) as a, cables.a_cage, cables.a_port,
          upper.{names} as b, cables.b_cage, cables.b_port
        from '{tables}/cables.parquet' cables
        left join '{tables}/nics.parquet' nics on cables.a_table = 'nics' and cables.a = nics.nic
        left join '{tables}/nodes.parquet' nodes on nics.node = nodes.node
        left join '{tables}/switches.parquet' lower on cables.a_table = 'switches' and cables.a = lower.switch
        join '{tables}/switches.parquet' upper on cables.b = upper.switch
    """


@pytest.mark.parametrize("name", ["oversubscription", "growth"])
def test_cables_are_those_that_a_join_by_name_finds(name, lines, cli, repository):
    made = lines(HEADS[name])
    for side in ("base", "head"):
        run = cli("build", f"{side}.yaml", "-o", f"out/{side}", "--only", "tables")
        assert run.code == 0, run.err
    base, head = (ends(repository.folder / "out" / side) for side in ("base", "head"))
    lower, upper, row = "a, a_cage, a_port", "b, b_cage, b_port", "n.a, n.a_cage, n.a_port, n.b, n.b_cage, n.b_port"
    with duckdb.connect() as db:
        db.sql(f"create table was as {base}")
        db.sql(f"create table now as {head}")
        db.sql(f"create table new as from now anti join was using ({lower})")
        db.sql(f"create table gone as from was anti join now using ({lower})")
        stay = "g.a in (select a from now) and n.a in (select a from was)"
        db.sql(f"create table other as select {row}, g.a as w from gone g join new n using ({upper}) where {stay}")
        new = db.sql(f"from new anti join other using ({upper})").fetchall()
        gone = db.sql(f"from gone anti join other using ({upper})").fetchall()
        moved = db.sql("select * exclude (w) from other").fetchall()
        moved += db.sql(
            f"select {row} from now n join was w using ({lower}) "
            "where (n.b, n.b_cage, n.b_port) <> (w.b, w.b_cage, w.b_port)"
        ).fetchall()
    keys = ("a", "a_cage", "a_port", "b", "b_cage", "b_port")

    def told(change: str, side: str) -> list[tuple]:
        rows = (line[side] for line in made if line.get("table") == "cables" and line["change"] == change)
        return sorted(tuple(row[key] for key in keys) for row in rows)

    assert told("added", "after") == sorted(new)
    assert told("removed", "before") == sorted(gone)
    assert told("replugged", "after") == sorted(moved)
    assert moved or name == "growth"


def test_a_moved_rack_is_neither_removed_nor_added(lines):
    first, *others = lines(HEADS["moved"])
    racks = [line for line in others if line.get("table") == "racks"]
    moved = [line for line in racks if line["change"] == "changed" and line["before"]["name"] != line["after"]["name"]]
    assert len(moved) == first["measures"]["racks-moved"] == 8
    assert {(line["before"]["hall"], line["after"]["hall"]) for line in moved} == {("h3", "h1")}
    assert not [line for line in racks if line["change"] in {"added", "removed"} and line[_side(line)]["design"]]
    assert not [
        line for line in others if line.get("table") in {"nodes", "gpus", "nics"} and line["change"] != "changed"
    ]
    assert first["measures"]["relaid"] == sum(line.get("change") == "relaid" for line in others) == 256


def _side(line: dict) -> str:
    return "after" if line["change"] == "added" else "before"


def test_a_renamed_hall_changes_no_row(lines):
    first, *others = lines(HEADS["renamed"])
    assert first["renamed"] == {"hall": {"h2": "annex"}}
    assert [line for line in others if line["type"] == "row"] == []
    assert {"type": "rename", "kind": "hall", "before": "h2", "after": "annex"} in others
    assert first["rows"] == {}
