"""100,352 GPUs grown to 1,000,064, from two built folders: bounded, complete, and counted twice."""

# ruff: noqa: S608 - queries over tables that the test itself has built

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).parents[2]
BASE, HEAD = (ROOT / "stacks" / name / "cluster.yaml" for name in ("colossus", "colossus-1m"))
TOPOLOGY = [sys.executable, "-m", "topology"]
LIMIT_KIB = 2 * 1024 * 1024


def measured(*words: str) -> tuple[bytes, int]:
    """What a command prints, and the most memory it took in KiB."""
    process = subprocess.Popen([*TOPOLOGY, *words], stdout=subprocess.PIPE)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return said, usage.ru_maxrss


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """Tables of both sites, and of the large one with a hall renamed."""
    out = tmp_path_factory.mktemp("builds")
    text = HEAD.read_text()
    renamed = out / "renamed.yaml"
    renamed.write_text(re.sub(r"\bc7\b", "south", text))
    for name, spec in (("base", BASE), ("head", HEAD), ("renamed", renamed)):
        argv = [*TOPOLOGY, "build", str(spec), "-o", str(out / name), "--only", "tables"]
        subprocess.run(argv, check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def review(builds):
    """The comment, the first line of the JSON, the numbers of its lines by table and change, and the memory."""
    file = builds / "diff.jsonl"
    said, peak_kib = measured(
        *("diff", str(builds / "base"), str(builds / "head"), "--fail-on", "errors", "--all-rows"),
        *("--format", "markdown", "--format", f"json={file}"),
    )
    with file.open("rb") as lines:
        first = json.loads(next(lines))
        rows: dict[tuple[bytes, bytes], int] = {}
        for line in lines:
            if line.startswith(b'{"type":"row"'):
                _, _, _, table, _, change = line.split(b'"', 12)[1:12:2]
                rows[table, change] = rows.get((table, change), 0) + 1
    file.unlink()  # two gigabytes
    return said.decode(), first, {(t.decode(), c.decode()): n for (t, c), n in rows.items()}, peak_kib


def test_the_comment_stays_below_its_limit_and_the_run_below_two_gigabytes(review):
    text, _, _, peak_kib = review
    assert len(text) < 60_000
    assert peak_kib < LIMIT_KIB
    for picture in re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL):
        assert len(picture) <= 20_000
        assert len(re.findall(r"--+>|==+>|-\.->", picture)) <= 200


def test_the_json_holds_every_row_that_it_counts(review):
    _, first, rows, _ = review
    assert {(t, c): n for t, changes in first["rows"].items() for c, n in changes.items()} == rows


def test_the_counts_are_those_of_an_independent_query(builds, review):
    text, first, rows, _ = review
    base, head = builds / "base" / "tables", builds / "head" / "tables"

    def ends(tables: Path) -> str:
        """Cables with both plugs by place: what stands in a rack at a height is one box, whatever it is called."""
        return f"""
            select coalesce(nodes.name || '/' || nics.role || nics.index, low_rack.name || ':' || low.u) as a,
              c.a_cage, c.a_port, up_rack.name || ':' || up.u || ' ' || c.b_cage || '/' || c.b_port as b
            from '{tables}/cables.parquet' c
            left join '{tables}/nics.parquet' nics on c.a_table = 'nics' and c.a = nics.nic
            left join '{tables}/nodes.parquet' nodes on nics.node = nodes.node
            left join '{tables}/switches.parquet' low on c.a_table = 'switches' and c.a = low.switch
            left join '{tables}/racks.parquet' low_rack on low.rack = low_rack.rack
            join '{tables}/switches.parquet' up on c.b = up.switch
            join '{tables}/racks.parquet' up_rack on up.rack = up_rack.rack
        """

    same, cables = duckdb.sql(f"""
        select count(n.a), count(*) from ({ends(base)}) w
        left join ({ends(head)}) n on w.a = n.a and w.a_cage = n.a_cage and w.a_port = n.a_port and w.b = n.b
    """).fetchall()[0]
    measures = first["measures"]
    handled = sum(measures[word] for word in ("cables-removed", "replug", "cables-out", "relaid"))
    assert cables - handled == same
    assert rows["cables", "replugged"] == measures["replug"]
    assert f"**{measures['replug']:,} re-plugged**" in text
    for table, label in (("gpus", "GPUs"), ("nodes", "Nodes"), ("racks", "Racks"), ("cables", "Cables")):
        counts = [
            duckdb.sql(f"select count(*) from '{each}/{table}.parquet'").fetchall()[0][0] for each in (base, head)
        ]
        assert f"| {label} | {counts[0]:,} | {counts[1]:,} |" in text
    named = duckdb.sql(
        f"select count(*) from '{head}/racks.parquet' anti join '{base}/racks.parquet' using (name)"
    ).fetchall()[0][0]
    assert rows["racks", "added"] == named
    watts = [duckdb.sql(f"select sum(power_w) from '{each}/racks.parquet'").fetchall()[0][0] for each in (base, head)]
    assert f"| IT load | {watts[0] / 1e6:,.1f} MW | {watts[1] / 1e6:,.1f} MW |" in text


def test_one_hall_renamed_among_a_million_gpus_is_one_line(builds):
    said, _ = measured("diff", str(builds / "head"), str(builds / "renamed"), "--format", "markdown")
    text = said.decode()
    assert text.splitlines()[1].startswith("⚠️ **`colossus-1m`: hall `c7` is renamed `south`")
    assert text.count("`c7` → `south`") == 1
    assert not {"re-plugged", "destroyed"} & set(re.findall(r"\*\*([a-z-]+)\*\*", text))
    assert "| GPUs |" not in text


def test_the_same_million_gpus_do_not_change(builds):
    said, _ = measured("diff", str(builds / "head"), str(builds / "head"), "--exit-code")
    assert said == b"ok: colossus-1m: no change, the two sides are the same.\n"
