"""Whole-program cases: a spec, and those texts of its build that the case is about, as plain files on record."""

import json
import shutil
from collections import defaultdict
from pathlib import Path

import golden_cases
import pytest
from jinja2 import Environment, FileSystemLoader, meta
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from topology.artifacts.slurm.clusters import controllers
from topology.artifacts.slurm.topologies import topologies
from topology.artifacts.targets import TARGETS
from topology.cli.progress import Progress
from topology.cli.reports import Severities
from topology.cli.session import open_plan
from topology.source import YamlSource

CASES = golden_cases.every()
ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "templates"
APART = ("init",)  # what `topology init` writes is no part of a build
AT_MOST = 3  # cases that keep a file of the same template
MORE = {
    "slurm/topology.yaml.j2": 10,  # the shape of a cluster is what most cases are about, and this is where it shows
    "slurm/slurm.conf.j2": 4,  # what a release, a stage and rack-scale NVLink each add to it
}
DEPLOYED = {  # case: digests of a resource of each kind, as stacks that stand hold them
    "islands-and-core": {
        "core-core-p1-0001": "6bf1202c65d70d9f5b0e59f288d77c2af0907971ab65a63ff0ab297660e45196",
        "pod-hopper-p1-0001": "05d1b780b29897cbf5e7584c4bdf43fa71a86402031e6b07d3dc2e7e2e23cc02",
        "unit-h100-0001": "4a23fcc597a51c2120c9bac23e02c764fd1b12a3eea882be3d0e0d02531b604d",
    },
    "power-tree": {
        "power-h1-A": "78697d69558e97cadbcbe4c0890b3b2bf7895c6061662ece4bb90408b88aa773",
        "bank-packs-1": "156a6227fdb3a79a373853fa31a45a62b213412613933a8f11b6799e5c9576a7",
    },
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_spec_renders_the_files_on_record(case, golden_build, update_golden):
    made = case.kept(golden_build(case))
    if update_golden:
        shutil.rmtree(case.expected, ignore_errors=True)
        for path, text in made.items():
            (case.expected / path).parent.mkdir(parents=True, exist_ok=True)
            (case.expected / path).write_text(text)
    assert made == case.on_record()  # a missing or an extra file fails too


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_plan_json_is_what_its_schema_says(case, golden_build):
    schema = json.loads((ROOT / "schemas" / "plan.schema.json").read_text())
    plan = json.loads((golden_build(case) / "plan.json").read_text())
    assert [error.message for error in Draft202012Validator(schema).iter_errors(plan)] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_rendered_reads_back_as_what_was_written(case, golden_build):
    """Every rendered YAML and JSON, by a parser of its own; Slurm's own parsers read the rest in tests/slurm."""
    plan = open_plan(YamlSource.read(case.spec), str(case.spec), Progress(), Severities()).plan
    for stage in range(len(plan.spec.stages)):
        for controller in controllers(plan, stage):
            made, _ = topologies(plan, controller)
            folder = golden_build(case) / "stages" / plan.spec.stages[stage].name / "slurm" / controller.name
            if (folder / "topology.yaml").exists():
                read = YAML(typ="safe", pure=True).load((folder / "topology.yaml").read_text())
                assert [entry["topology"] for entry in read] == [topology.name for topology in made]
                for entry, topology in zip(read, made, strict=True):
                    blocks = entry.get("block", {}).get("blocks", [])
                    assert [(b["block"], b["nodes"]) for b in blocks] == [(b.name, b.nodes) for b in topology.blocks]
                    switches = entry.get("tree", {}).get("switches", [])
                    assert [(s["switch"], s.get("nodes", ""), s.get("children", "")) for s in switches] == [
                        (s.name, s.nodes, s.children) for s in topology.switches
                    ]


def test_every_target_and_every_template_has_cases_and_no_template_has_many(golden_build):
    about = {target for case in CASES for target in case.keeps}
    assert about == {"plan", *TARGETS}
    cases = defaultdict(set)  # that fail when a word of the template changes
    for case in CASES:
        made_by = golden_cases.templates(golden_build(case))
        for path in case.on_record():
            for template in with_included(made_by[path]) if path in made_by else ():
                cases[template].add(case.name)
    every = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.j2")}
    assert cases.keys() == {template for template in every if template.split("/")[0] not in APART}
    many = {template: sorted(found) for template, found in cases.items() if len(found) > MORE.get(template, AT_MOST)}
    assert many == {}, "keep fewer files: a case keeps what it is about"


def with_included(template):
    """A template and all that it includes."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=False)  # noqa: S701 - is only read
    text = (TEMPLATES / template).read_text()
    included = meta.find_referenced_templates(environment.parse(text))
    return {template}.union(*map(with_included, included))


@pytest.mark.parametrize("case", [case for case in CASES if case.name in DEPLOYED], ids=lambda case: case.name)
def test_an_update_finds_the_digests_that_stacks_hold_and_none_is_on_record(case, golden_build):
    """A golden masks digests, so that it changes only with what a person reads; these say that none moved."""
    files = (golden_build(case) / "pulumi" / "inventory").glob("*.json")
    made = {each["name"]: each["digest"] for path in files for each in json.loads(path.read_text())["resources"]}
    assert made.items() >= DEPLOYED[case.name].items()
    assert [digest for digest in made.values() if any(digest in text for text in case.on_record().values())] == []
