"""Long files: four times the lines take four times the work, whatever stands on them.

Each shape is checked at two lengths in one run and the processor times are compared, so that no machine is too slow.
What is not linear takes sixteen times as long; the bound lies between, above the noise of a busy machine.
"""

import time
from pathlib import Path

import pytest

from topology.cli import session
from topology.cli.progress import Progress
from topology.cli.reports import Severities
from topology.findings import FindingsError
from topology.findings_format import as_sarif, as_text
from topology.rules import RULES
from topology.source import YamlSource

BASE = (Path(__file__).parent / "golden" / "one-rack" / "cluster.yaml").read_text()
LINES, TIMES, MOST, TRIES = 1_000, 4, 8, 3


def repeat(form, count):
    return "".join(form.format(i=i) for i in range(count))


def below(key, form):
    """A spec whose list or mapping of a key begins with many entries more."""
    return lambda n: BASE.replace(f"{key}:\n", f"{key}:\n{repeat(form, n)}", 1)


def beside(form, key="x"):
    """A spec with one more key, over many entries."""
    return lambda n: f"{BASE}{key}:\n{repeat(form, n)}"


NAMED = "".join(f"  - {{name: x{i}, rows: 2, positions: 8}}\n" for i in range(900))  # halls that guesses look through
GROUP = "  - {name: g, rack: nvidia-dgx-h100-x4, racks: 1, "
SHAPES = {
    "ignores of nothing": lambda n: BASE + repeat("# topology: ignore[N302] reason {i}\n", n),
    "ignores above the last line": lambda n: repeat("# topology: ignore[N302] reason {i}\n", n) + BASE,
    "ignores beside quoted texts": beside('  k{i}: "a" # topology: ignore[S201] reason\n'),
    "ignores without a code": lambda n: BASE + repeat("# topology: ignore\n", n),
    "ignores of many codes": lambda n: f"{BASE}# topology: ignore[{', '.join(['N302'] * n)}] reason\n",
    "comments": lambda n: BASE + "# a word\n" * n,
    "empty lines": lambda n: BASE + "\n" * n,
    "unknown keys": lambda n: BASE + repeat("key{i}: 1\n", n),
    "unknown keys on one line": lambda n: BASE.replace("site: {", f"site: {{{repeat('key{i}: 1, ', n)}", 1),
    "unknown keys for missing ones": lambda n: "version: 1\n" + repeat("fabrics{i}: 1\n", n),
    "one key again and again": lambda n: BASE + repeat("key: {i}\n", n),
    "keys that differ by case": lambda n: BASE + repeat("key{i}: 1\nKEY{i}: 2\n", n),
    "anchors": beside("  - &a{i} 1\n"),
    "one anchor again and again": beside("  - &a 1\n"),
    "an alias of none of many anchors": lambda n: beside("  - &a{i} 1\n")(n) + "y: *b\n",
    "aliases": lambda n: BASE + "a: &a 1\nx:\n" + "  - *a\n" * n,
    "merges": lambda n: BASE + "b: &b {q: 1}\nx:\n" + repeat("  k{i}: {{<<: *b}}\n", n),
    "a merge of many": lambda n: BASE + "b: &b {q: 1}\nx: {<<: [" + "*b, " * n + "]}\n",
    "a merge of a large mapping": lambda n: BASE + "b: &b {" + repeat("k{i}: 1, ", n) + "}\nx: {<<: *b}\n",
    "merges of merges": lambda n: BASE + "k0: &k0 {a: 1}\n" + "".join(
        f"k{i}: &k{i} {{<<: *k{i - 1}, x{i}: 1}}\n" for i in range(1, n // 20)
    ),
    "numbers that are none": beside("  - .inf\n"),
    "tags": beside("  - !t 1\n"),
    "tabs": beside("  - a\tb\n"),
    "hidden characters": beside('  - "\\u200b"\n'),
    "secrets": beside("  password{i}: abc\n"),
    "secrets in a file that is no YAML": lambda n: beside("  password{i}: abc\n")(n) + "  - [\n",
    "halls of one name": below("halls", "  - {{name: h1, rows: 2, positions: 8}}\n"),
    "fabrics with a slip": below("fabrics", "  - {{name: f{i}, kin: a}}\n"),
    "entries of the wrong type": below("fabrics", "  - {i}\n"),
    "one row again and again": lambda n: below(
        "halls", f"  - {{{{name: x, rows: 2, positions: 8, network_rows: [{'1, ' * n}]}}}}\n"
    )(1),
    "mappings for names": lambda n: BASE.replace("compute:\n", f"compute:\n{GROUP}halls: [{'{a: 1}, ' * n}]}}\n", 1),
    "halls that are not there": lambda n: BASE.replace("halls:\n", f"halls:\n{NAMED}", 1).replace(
        "compute:\n", "compute:\n" + "".join(
            f"  - {{name: g{i}, rack: nvidia-dgx-h100-x4, racks: 1, halls: [{repeat('xx{i}, ', 100)}]}}\n"
            for i in range(n // 100)
        ), 1,
    ),
    "groups that are not there": lambda n: BASE + "slurm:\n  partitions:\n" + "".join(
        f"  - {{name: p{i}, compute: [{repeat('g{i}, ', 100)}]}}\n" for i in range(n // 100)
    ),
    "a long line": lambda n: f'{BASE}x: "{"a b " * 10 * n}"\n',
    "a long comment": lambda n: f"{BASE}# {'# topology: ' * 10 * n}\n",
    "a long comment of blanks": lambda n: f"{BASE}# topology: ignore[N302]{' ' * 40 * n}\n",
    "a text of many lines": lambda n: BASE + "x: |\n" + "  text\n" * n,
    "a quoted text of empty lines": lambda n: f'{BASE}x: "a{chr(10) * n}"\n',
    "a list on one line": lambda n: f"{BASE}x: [{'1, ' * n}]\n",
}  # fmt: skip


def work_s(text):
    """Processor time of a check, findings printed for people and machines, seconds."""
    begun = time.process_time()
    try:
        source = YamlSource.parse("cluster.yaml", text.encode())
        seen = session.examine(source, Path(), Progress(), Severities())
        findings, lines = seen.findings, seen.lines
    except FindingsError as error:
        findings, lines = error.findings, error.lines
    as_text(findings, lines)
    as_sarif(findings, RULES.values(), "1")
    return time.process_time() - begun


@pytest.fixture(scope="module")
def plain_s():
    """What the same spec takes without anything added; the first run loads the tables."""
    work_s(BASE)
    return min(work_s(BASE) for _ in range(3))


@pytest.mark.parametrize("shape", SHAPES)
def test_four_times_the_lines_take_four_times_the_work(shape, plain_s):
    short, long = (SHAPES[shape](lines) for lines in (LINES, TIMES * LINES))
    ratios = (work_s(long) / max(work_s(short), plain_s) for _ in range(TRIES))
    assert any(ratio < MOST for ratio in ratios)  # a busy machine disturbs one try, not all
