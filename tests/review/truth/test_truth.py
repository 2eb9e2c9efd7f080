"""The comment's first 25 lines hold the truth: every kind of change on every site, against a recount of the tables."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import changes
import pytest

GOLDEN = Path(__file__).parent / "golden"
CASES = [(site, kind) for kind, change in changes.CHANGES.items() for site in change.sites]
Truth = Mapping[str, int]

MEASURES: Mapping[str, Callable[[Truth], int]] = {
    "gpus": lambda truth: truth["gpus after"] - truth["gpus before"],
    "gpus-removed": lambda truth: truth["gpus removed"],
    "gpus-replaced": lambda truth: truth["gpus replaced"],
    "racks": lambda truth: truth["compute racks after"] - truth["compute racks before"],
    "racks-removed": lambda truth: truth["racks removed"],
    "racks-moved": lambda truth: truth["racks moved"],
    "switches-replaced": lambda truth: truth["switches replaced"] + truth["appliances replaced"],
    "cables-new": lambda truth: truth["cables new"],
    "cables-removed": lambda truth: truth["cables removed"],
    "cables-out": lambda truth: truth["cables taken out"],
    "replug": lambda truth: truth["cables replugged"],
    "relaid": lambda truth: truth["cables relaid"],
    "rerated": lambda truth: truth["cables rerated"],
    "power-devices-removed": lambda truth: truth["power devices removed"],
    "power-devices-replaced": lambda truth: truth["power devices with another rating"],
    "feeds-removed": lambda truth: truth["feeds removed from racks that stay"],
    "feeds-moved": lambda truth: truth["feeds from another panel"],
    "nodes-gone": lambda truth: truth["node names go"],
    "cells-removed": lambda truth: truth["cells removed"],
    "nodes-moved-cell": lambda truth: truth["nodes in another cell"],
}
FIGURES = {"GPUs": "gpus", "Nodes": "nodes", "Racks": "racks", "Cables": "cables", "Kubernetes cells": "cells"}
SENTENCE: Mapping[str, str] = {  # what the first sentence says, and the measure that it is
    r"([\d,]+) cables? (?:is|are) re-plugged": "replug",
    r"([\d,]+) cables? comes? out and goe?s? in again": "cables-out",
    r"([\d,]+) cables? (?:is|are) laid anew": "relaid",
    r"([\d,]+) cables? (?:is|are) removed": "cables-removed",
    r"([\d,]+) power devices? (?:is|are) removed": "power-devices-removed",
    r"([\d,]+) `[a-z]+` devices? (?:is|are) replaced": "power-devices-replaced",
    r"([\d,]+) switch(?:es)? of `\w+` (?:is|are) replaced": "switches-replaced",
    r"racks? with ([\d,]+) GPUs? (?:is|are) replaced": "gpus-replaced",
    r"([\d,]+) racks? moves?": "racks-moved",
    r"([\d,]+) feeds? moves? to another": "feeds-moved",
    r"([\d,]+) nodes? changes? (?:its|their) Kubernetes cell": "nodes-moved-cell",
}
COUNTS: Mapping[str, str] = {  # likewise, and what is counted, where no measure is
    r"([\d,]+) nodes? gets? (?:another name|other names)": "nodes under another name",
    r"([\d,]+) racks? (?:is|are) built in another stage": "racks built in another stage",
}
HARMLESS = "no cable is re-plugged"


@pytest.fixture(params=CASES, ids="-".join, scope="module")
def case(request):
    """Site and kind of a change."""
    return request.param


def test_the_first_lines_are_those_on_record(case, tell, update_golden):
    site, kind = case
    path = GOLDEN / site / f"{kind}.md"
    first = tell(site, kind).first
    if update_golden:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(first)
    assert first == path.read_text()


def test_every_measure_is_what_the_tables_hold(case, tell):
    told = tell(*case)
    counted = {word: count(told.truth) for word, count in MEASURES.items()}
    assert {word: told.summary["measures"][word] for word in counted} == counted


def test_figures_of_the_first_table_are_what_the_tables_hold(case, tell):
    told = tell(*case)
    rows = re.findall(r"^\| ([A-Z][\w ]*) \| ([\d,]+) \| ([\d,]+) \|", told.comment, re.MULTILINE)
    shown = {label: tuple(int(each.replace(",", "")) for each in pair) for label, *pair in rows if label in FIGURES}
    truth = {label: (told.truth[f"{word} before"], told.truth[f"{word} after"]) for label, word in FIGURES.items()}
    assert shown == {label: truth[label] for label in shown}
    assert {label for label, (before, after) in truth.items() if before != after} <= shown.keys()


def test_the_first_sentence_counts_what_the_tables_hold(case, tell):
    told = tell(*case)
    sentence = told.first.splitlines()[1]
    said = {
        word: sum(int(number.replace(",", "")) for number in found)
        for pattern, word in (SENTENCE | COUNTS).items()
        if (found := re.findall(pattern, sentence))
    }
    assert said == {word: MEASURES[word](told.truth) if word in MEASURES else told.truth[word] for word in said}
    if HARMLESS in sentence:
        assert not any(told.truth[f"cables {word}"] for word in ("replugged", "relaid", "taken out"))


def test_what_does_not_hold_fails_the_run(case, tell):
    told = tell(*case)
    assert (told.code == 1) == told.first.splitlines()[1].startswith("❌") == (told.summary["measures"]["verdict"] == 2)


def test_every_file_on_record_belongs_to_a_change():
    found = {(path.parent.name, path.stem) for path in GOLDEN.rglob("*.md")}
    assert found == set(CASES)
