"""What the comment says of each kind of change, as files on record."""

from pathlib import Path

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

GOLDEN = Path(__file__).parent / "golden"
SITE = Path(__file__).parent / "site.yaml"

CHANGES = {  # name: pairs of a text of site.yaml and what takes its place
    "a-stage-added": [
        ("units: 4, unit_racks", "units: 6, unit_racks"),
        ("units: 8, banks", "units: 12, banks"),
        ("\nslurm:", "  - {name: s3, add: {gb300: {units: 2}}, needs: {banks: 2}}\n\nslurm:"),
    ],
    "racks-moved": [("halls: [h3]", "halls: [h1]")],
    "a-hall-renamed": [("name: h2,", "name: annex,"), ("halls: [h1, h2]", "halls: [h1, annex]")],
    "a-switch-model-changed": [("nvidia-sn5600", "nvidia-sn5610")],
    "a-port-speed-changed": [("    port_gbps: 400\n", "    port_gbps: 400\n    uplink_gbps: 800\n")],
    "a-plane-added": [("    port_gbps: 400\n", "    port_gbps: 400\n    planes: 2\n")],
    "feeds-removed": [("  feed: {volts: 415, phases: 3, derating: 0.8}\n", "")],
    "a-source-removed": [("    - {name: turbines, kind: turbine, units: 2, unit_mw: 2.5, permit: granted}\n", "")],
    "redundancy-given-up": [("redundancy: 2N", "redundancy: N")],
    "a-bank-shrunk": [("units: 8, banks", "units: 6, banks")],
    "a-supply-too-small": [("capacity_mw: 8,", "capacity_mw: 2,"), ("unit_mw: 2.5", "unit_mw: 1")],
    "a-partition-renamed": [("name: train", "name: big")],
    "smaller-cells": [("max_nodes_per_cell: 300", "max_nodes_per_cell: 150")],
    "a-queue-taken-away": [(", {name: product, share: 1}", "")],
    "a-group-renamed": [
        ("{name: dgx,", "{name: hopper,"),
        ("compute: [dgx], switch", "compute: [hopper], switch"),
        ("dgx: {racks: 8}", "hopper: {racks: 8}"),
        ("{name: ib, compute: [dgx]}", "{name: ib, compute: [hopper]}"),
        ("{name: small, compute: [dgx],", "{name: small, compute: [hopper],"),
    ],
    "oversubscription-2": [("    port_gbps: 400\n", "    port_gbps: 400\n    oversubscription: {leaf: 2}\n")],
    "a-spec-that-does-not-build": [("units: 4, unit_racks", "gpus: 1000, unit_racks")],
    "a-spec-that-is-no-yaml": [("halls:\n", "halls: [\n")],
    "comments-only": [("version: 1\n", "version: 1 # of the language\n# and a line more\n")],
    "nothing-changed": [],
}
AS_TEXT = ("a-stage-added", "a-hall-renamed", "a-spec-that-does-not-build", "nothing-changed")


def changed(name: str) -> str:
    """site.yaml with the change made."""
    text = SITE.read_text()
    for old, new in CHANGES[name]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def on_record(path: Path, text: str, *, update: bool) -> None:
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("name", CHANGES)
def test_the_comment_says_what_is_on_record(name, reviewed, update_golden):
    run = reviewed(changed(name), "--format", "markdown", "--fail-on", "never")
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("<!-- topology:cluster.yaml -->\n")
    on_record(GOLDEN / f"{name}.md", run.out, update=update_golden)


@pytest.mark.parametrize("name", AS_TEXT)
def test_a_terminal_is_told_the_same(name, reviewed, update_golden):
    run = reviewed(changed(name), "--fail-on", "never")
    assert (run.code, run.err) == (0, "")
    on_record(GOLDEN / f"{name}.txt", run.out, update=update_golden)


def test_every_file_on_record_belongs_to_a_change():
    known = {f"{name}.md" for name in CHANGES} | {f"{name}.txt" for name in AS_TEXT} | {"artifacts.md"}
    assert {path.name for path in GOLDEN.iterdir()} == known


@pytest.mark.parametrize("name", CHANGES)
def test_a_gfm_parser_finds_the_tables_and_the_folds(name):
    text = (GOLDEN / f"{name}.md").read_text()
    html = cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)
    tables = sum(set(line) <= set("|-:") and "---" in line for line in text.splitlines())
    assert html.count("<table>") == html.count("</table>") == tables
    assert html.count("<details>") == html.count("</details>") == text.count("\n<details>\n")
    for line in text.splitlines():
        if line.startswith("| "):  # every row became a row: a bar in a name would make it longer than its head
            assert line.replace("\\|", "").count("|") == line.replace("\\|", "").count(" | ") + 2
    assert "<a " not in html
    assert "<img" not in html


@pytest.mark.parametrize("name", CHANGES)
def test_what_needs_a_decision_is_never_inside_a_fold(name):
    text = (GOLDEN / f"{name}.md").read_text()
    open_part = text.split("<details>", 1)[0]
    for word in ("**destroyed**", "**re-plugged**", "**feed removed**", "**redundancy", "**source removed**"):
        assert text.count(word) == open_part.count(word)


def test_changed_lines_of_rendered_files_are_shown_on_request(reviewed, update_golden):
    run = reviewed(changed("a-partition-renamed"), "--format", "markdown", "--artifacts")
    assert "-PartitionName=train" in run.out
    assert "+PartitionName=big" in run.out
    on_record(GOLDEN / "artifacts.md", run.out, update=update_golden)
