"""The policy pack, run by the real engine on a preview."""

import hashlib
import json
import re

import pytest

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
    for each in plan["artifacts"]:
        if each["path"] == "pulumi/inventory/s1.json":
            each["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (build / "plan.json").write_text(json.dumps(plan))


def test_a_plan_of_ours_passes(attested, pack):
    said = attested.must("preview", "-s", "s1", "--policy-pack", pack)
    assert "site-invariants" in said
    assert "mandatory" not in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: re.sub(r'"feeds": 6', '"feeds": 5', text, count=1), "has 3 racks and 5 feeds; every rack has 2"),
        (lambda text: re.sub(r'"supply_mw": [\d.]+', '"supply_mw": 0.05', text), "its sources give 0.05 MW"),
    ],
)
def test_a_stack_that_breaks_an_invariant_is_refused(attested, pack, change, said):
    tampered(attested, change)
    ran = attested.pulumi("preview", "-s", "s1", "--policy-pack", pack)
    assert ran.code != 0
    assert said in ran.out


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
