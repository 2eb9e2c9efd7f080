"""Whole-program cases: a spec, and those texts of its build that the case is about, as plain files on record."""

import json
import shutil
from collections import defaultdict
from pathlib import Path

import golden_cases
import pytest
from golden_cases import CASES, GOLDEN
from jinja2 import Environment, FileSystemLoader, meta
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from topology.artifacts.slurm.clusters import controllers
from topology.artifacts.slurm.topologies import topologies
from topology.artifacts.targets import TARGETS
from topology.cli.progress import Progress
from topology.cli.reports import Severities
from topology.cli.session import open_plan
from topology.source import Source

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "templates"
APART = ("init",)  # what `topology init` writes is no part of a build
AT_MOST = 3  # cases that keep a file of the same template
MORE = {
    "slurm/topology.yaml.j2": 9,  # the shape of a cluster is what most cases are about, and this is where it shows
    "slurm/slurm.conf.j2": 4,  # what a release, a stage and rack-scale NVLink each add to it
}
# A stack that stands holds these digests: another one means that an update writes all records of the resource anew.
DEPLOYED = {
    "power-tree": {},
    "islands-and-core": {},
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
    plan = open_plan(Source.read(case.spec), str(case.spec), Progress(), Severities()).plan
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


@pytest.mark.parametrize("name", DEPLOYED)
def test_digests_that_deployed_stacks_hold_stay_what_they_are(name, golden_build):
    (case,) = (case for case in CASES if case.name == name)
    files = (golden_build(case) / "pulumi" / "inventory").glob("*.json")
    made = {each["name"]: each["digest"] for path in files for each in json.loads(path.read_text())["resources"]}
    assert made.items() >= DEPLOYED[name].items()
    kept = case.kept(golden_build(case))
    assert all(digest not in text for digest in made.values() for text in kept.values())
