"""Specs with a slip or an ill will at a random place: the answer is findings or a plan, never an exception."""

import json
import random
from copy import deepcopy
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from topology.cli import session
from topology.cli.progress import Progress
from topology.cli.reports import Severities
from topology.findings import FindingsError
from topology.source import YamlSource

ROOT = Path(__file__).parents[1]
SPECS = sorted(ROOT.glob("tests/golden/*/cluster.yaml"))
EACH = 4  # mutated specs of a case
VALUES = (
    None, True, "", " ", "x" * 300,
    "../..", "null", "-1", "1e999", "\u202e", "=1+1", "$(id)", -1, 0, 1, 0.5, 8.5,
    1e-300, 1e12, 10**20, 2**53, [], {}, [[]], [None], {"a": 1}, ["h1"], {"units": 1}, {"gpus": 7},
    "2026-02-30", "2N", "auto",
)  # fmt: skip


def places(value, path=()):
    """Paths of everything in a document, itself left out."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*path, key)
        yield from places(item, (*path, key))


def mutated(document, chance):
    """The document with one value dropped, doubled, renamed, moved or replaced."""
    made = deepcopy(document)
    *above, key = chance.choice(list(places(made)))
    holder = made
    for step in above:
        holder = holder[step]
    change = chance.choice(["drop", "double", "rename", "replace", "replace", "move", "scale"])
    if change == "drop":
        del holder[key]
    elif change == "double" and isinstance(holder, list):
        holder.extend(deepcopy([holder[key]]) * chance.choice([1, 50]))
    elif change == "rename" and isinstance(holder, dict):
        holder[f"{key}s"] = holder.pop(key)
    elif change == "move":
        *_, last = chance.choice(list(places(made)))
        holder[key] = deepcopy(document.get(last, last)) if isinstance(last, str) else last
    elif change == "scale" and isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
        holder[key] *= chance.choice([-1, 1000, 1e-6, 2, 3, 7, 1e9])
    else:
        holder[key] = deepcopy(chance.choice(VALUES))
    return made


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.parent.name)
def test_a_mutated_spec_is_answered(spec):
    chance = random.Random(spec.parent.name)  # noqa: S311 - the same changes in every run
    document = YAML(typ="safe", pure=True).load(spec.read_text())
    for _ in range(EACH):
        made = document
        for _ in range(chance.choice([1, 1, 2, 3])):
            made = mutated(made, chance)
        text = json.dumps(made, default=str)
        try:
            source = YamlSource.parse("cluster.yaml", text.encode())
        except FindingsError:
            continue
        seen = session.examine(source, spec.parent, Progress(), Severities())
        assert seen.plan is not None or seen.errors, text
