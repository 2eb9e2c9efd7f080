"""The policy pack, run by the real engine on a preview."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from topology.artifacts.output.manifest import ListedFile, render
from topology.deploy import policy

pytestmark = pytest.mark.pulumi


@pytest.fixture
def pack(attested):
    """A program that starts the pack.

    The engine's own Python host starts the folder itself; the one of an older release that tests use
    has another notion of where such a program stands, so the engine is given the program.
    """
    program = attested.state.parent / "pack"
    program.write_text(f'#!/bin/sh\nexec python3 {attested.project}/policy/__main__.py "$@"\n')
    program.chmod(0o755)
    return str(program)


def tampered(deployment, change):
    """An inventory that is not what expansion made, in a build that says it is."""
    build = deployment.project.parent
    path = build / "pulumi/inventory/s1.json"
    text = change(path.read_text())
    path.write_text(text)
    plan = json.loads((build / "plan.json").read_text())
    listed = [ListedFile(each["path"], each["sha256"], each["bytes"]) for each in plan.pop("artifacts")]
    digest = hashlib.sha256(text.encode()).hexdigest()
    entries = [replace(each, sha256=digest) if each.path == "pulumi/inventory/s1.json" else each for each in listed]
    del plan["plan_sha256"]
    (build / "plan.json").write_bytes(render(plan, entries))


def test_a_plan_of_ours_passes(attested, pack):
    said = attested.must("preview", "-s", "s1", "--policy-pack", pack)
    assert "site-invariants" in said
    assert "mandatory" not in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: re.sub(r'"feeds": 6', '"feeds": 5', text, count=1), "has 3 racks and 5 feeds; every rack has 2"),
        (
            lambda text: re.sub(r', "feeds": \d+', "", re.sub(r'"supply": {[^}]*}', '"supply": {}', text)),
            (
                "has 3 racks and 0 feeds; every rack has 2",
                "does not say what its stage draws and what its sources give",
            ),
        ),
        (lambda text: re.sub(r'"supply_mw": [\d.]+', '"supply_mw": 0.05', text), "its sources give 0.05 MW"),
    ],
)
def test_a_stack_that_breaks_an_invariant_is_refused(attested, pack, change, said):
    tampered(attested, change)
    ran = attested.pulumi("preview", "-s", "s1", "--policy-pack", pack)
    assert ran.code != 0
    assert all(each in ran.out for each in ([said] if isinstance(said, str) else said)), ran.out


def test_a_stack_of_more_than_two_thousand_resources_is_refused(attested, pack):
    def crowded(text):
        document = json.loads(text)
        (unit,) = [each for each in document["resources"] if each["name"] == "unit-dgx-0001"]
        document["resources"] += [unit | {"name": f"unit-dgx-{number}", "after": []} for number in range(1000, 3000)]
        return json.dumps(document)

    tampered(attested, crowded)
    ran = attested.pulumi("preview", "-s", "s1", "--policy-pack", pack)
    assert ran.code != 0
    assert "2,000 are the most" in ran.out


GOLDEN = sorted(Path(__file__).parents[1].glob("golden/*/expected/pulumi/inventory/*.json"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parts[-5]}-{path.stem}")
def test_a_unit_without_any_feed_passes_only_where_the_site_has_no_power_tree(path):
    said = []
    inventory = json.loads(path.read_text())
    fed = any(each["counts"].get("feeds") for each in inventory["resources"])
    units = [each for each in inventory["resources"] if each["kind"] == "scalable-unit"]
    for bare in (False, True):
        for each in units:
            counts = {word: count for word, count in each["counts"].items() if not (bare and word == "feeds")}
            props = {"owner": each["name"], "counts": counts}
            kind = "pulumi-python:dynamic/inventory:ScalableUnit"
            policy.two_feeds(kind, props, lambda line, _: said.append(line), power_tree=fed)
        assert len(said) == (len(units) if fed and bare else 0)


@pytest.mark.parametrize(
    ("power", "passes"),
    [
        ({"load_mw": 1, "supply_mw": 1.0}, True),
        ({"load_mw": 1.1, "supply_mw": 1}, False),
        ({"load_mw": 1, "supply_mw": float("nan")}, False),
        ({"load_mw": 1}, False),
        ({"load_mw": "1", "supply_mw": "2"}, False),
        ({}, False),
    ],
)
def test_a_stage_that_does_not_say_its_supply_passes_only_where_no_source_is_named(power, passes):
    said = []
    policy.supply(policy.POWER, power, lambda line, _: said.append(line), sources=True)
    assert (not said) == passes
    policy.supply(policy.POWER, {}, lambda line, _: said.append(line), sources=False)
    assert (not said) == passes


def test_a_stack_without_its_power_path_is_refused(attested, pack):
    program = attested.project / "__main__.py"
    program.write_text(program.read_text().replace("power = Power(stage)", "power = Batteries(stage)"))
    program.write_text(program.read_text().replace("batteries = Batteries(stage)", "batteries = power"))
    ran = attested.pulumi("preview", "-s", "s1", "--policy-pack", pack)
    assert ran.code != 0
    assert "the stack has no cluster:power:Power; its program makes one with Power(stage)" in ran.out
