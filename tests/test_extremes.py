"""Every number of the spec and of the catalogue at the ends of what its schema takes.

A process of its own checks one site after the other, under a limit of memory and of processor time: whatever a
number does to a site, the answer is a plan of finite figures or findings.
"""

import json
import os
import resource
import subprocess
import sys
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from topology.catalog import library
from topology.catalog.entry import figures

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
CHECK = """
import dataclasses, json, resource, sys
from pathlib import Path
import polars as pl
from topology.cli import session
from topology.cli.progress import Progress
from topology.cli.reports import Severities
from topology.source import YamlSource
from topology.views import summary

def not_finite(plan):
    for field in dataclasses.fields(plan):
        table = getattr(plan, field.name)
        if isinstance(table, pl.DataFrame):
            floats = table.select(pl.selectors.float())
            yield from (f"{field.name}.{one.name}" for one in floats if not one.drop_nulls().is_finite().all())

folder, specs = Path(sys.argv[1]), sys.stdin.read().splitlines()
for line in specs:
    words, spec = json.loads(line)
    print(words, end=": ", flush=True)
    seen = session.examine(YamlSource.parse("spec.yaml", json.dumps(spec).encode()), folder, Progress(), Severities())
    if seen.plan is not None:
        json.dumps([summary.counts(seen.plan), summary.power(seen.plan)], allow_nan=False)
        assert not list(not_finite(seen.plan)), list(not_finite(seen.plan))
    print(" ".join(sorted({finding.code for finding in seen.findings})) or "fine", flush=True)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
TINY = 5e-324  # the least number above zero that a computer holds


class Language:
    """A schema, its numbers and where they stand."""

    def __init__(self, file, start=()):
        self.rules = json.loads((ROOT / "schemas" / file).read_text())
        self.start = self.rules["$defs"][start] if start else self.rules

    def resolve(self, rule):
        name = rule.get("$ref", "").removeprefix("#/$defs/")
        return {**self.resolve(self.rules["$defs"][name]), **rule} if name else rule

    def numbers(self, rule=None, path=()):
        """(path, rule) of every number; a list is shown by its first entry, a mapping of free keys by '*'."""
        rule = self.resolve(self.start if rule is None else rule)
        if {"integer", "number"} & set(rule["type"] if isinstance(rule.get("type"), list) else [rule.get("type")]):
            yield path, rule
        inside = rule.get("properties", {})
        yield from (found for key, sub in inside.items() for found in self.numbers(sub, (*path, key)))
        if isinstance(rule.get("additionalProperties"), dict):
            yield from self.numbers(rule["additionalProperties"], (*path, "*"))
        if "items" in rule:
            yield from self.numbers(rule["items"], (*path, 0))
        for choice in rule.get("oneOf", ()):
            yield from self.numbers(choice, path) if "required" not in choice else ()

    def siblings(self, path):
        """Keys that may not stand beside the last of `path`."""
        rule = self.resolve(self.start)
        for step in path[:-1]:
            if isinstance(step, int):
                rule = self.resolve(rule["items"])
            elif step == "*":
                rule = self.resolve(rule["additionalProperties"])
            else:
                inside = rule.get("properties") or next(
                    one["properties"] for one in rule["oneOf"] if "properties" in one
                )
                rule = self.resolve(inside[step])
        choices = set(rule.get("x-one-of", ()))
        return choices - {path[-1]} if path[-1] in choices else set()


def ends(rule):
    """The largest legal value of a number, the least but for one of a thing, and one far below any sense above zero."""
    if "exclusiveMinimum" in rule:
        return TINY, 1e-7, rule["maximum"]
    if "integer" in rule["type"]:
        return (rule["maximum"],) if rule["minimum"] == 1 else (rule["minimum"], rule["maximum"])
    return (rule["minimum"], rule["maximum"]) + ((TINY,) if rule["minimum"] == 0 else ())


def put(document, path, value, without=()):
    """A copy of the document with a value at a path; what is not there on the way is made, keys of `without` go."""
    at = made = deepcopy(document)
    for key, following in pairwise(path):
        step = next(iter(at), "400G") if key == "*" else key
        empty = [] if isinstance(following, int) else {}
        if isinstance(at, list):
            at.extend([empty] if not at else [])
        elif not isinstance(at.get(step), dict | list):
            at[step] = empty
        at = at[step]
    for key in without:
        at.pop(key, None)
    if isinstance(at, list):
        at[:1] = [value]
    else:
        at[next(iter(at), "400G") if path[-1] == "*" else path[-1]] = value
    return made


SPEC = Language("cluster.schema.json")


def site(case):
    return YAML(typ="safe", pure=True).load(
        (GOLDEN / case / "cluster.yaml").read_text().replace("2027-03-01", '"2027-03-01"')
    )


def sites(case, sections):
    """(words, spec) of every number of some sections of a golden case, at each of its ends."""
    base = site(case)
    for path, rule in SPEC.numbers():
        if path[0] not in sections or (path[0] == "stages" and "stages" not in base):
            continue
        for value in ends(rule):
            spec = put(base, path, value, SPEC.siblings(path))
            yield f"{'.'.join(map(str, path))} = {value!r}", spec


def levels():
    """(words, spec) of every number of a level of the power tree, at each level and with each redundancy."""
    base = site("power-tree")
    for path, rule in SPEC.numbers():
        for at in range(len(base["power"]["levels"])) if path[:2] == ("power", "levels") else ():
            for redundancy in ("N", "N+1", "2N", "4N/3"):
                for value in ends(rule)[:2]:
                    spec = put(base, ("power", "levels", at, path[-1]), value, SPEC.siblings(path))
                    for lower in spec["power"]["levels"]:
                        lower["redundancy"] = redundancy
                    yield f"{redundancy} levels.{at}.{path[-1]} = {value!r}", spec


OWN = {  # products of two sites, by the case whose site has them
    "power-tree": (
        ("node", "nodes/nvidia-dgx-h100"),
        ("rack", "racks/nvidia-dgx-h100-x2"),
        ("switch", "switches/nvidia-qm9700"),
        ("appliance", "appliances/nvidia-ufm"),
        ("battery", "batteries/tesla-megapack-2xl-4h"),
    ),
    "gb300-two-units": (
        ("node", "nodes/nvidia-gb300-nvl72-tray"),
        ("rack", "racks/nvidia-gb300-nvl72"),
        ("power", "power/nvidia-nvl72-power-shelf-33kw"),
    ),
}


def products(case, folder):
    """(words, spec) of a golden case, each with one number of one of its products at one of its ends."""
    base = site(case) | {"catalog": "own"}
    if case == "power-tree":
        base = put(base, ("fabrics", 0, "managers"), {"product": "nvidia-ufm", "count": 1, "ports": 2})
    for kind, product in OWN[case]:
        shelf, slug = product.split("/")
        built_in = library.Library(library.built_in(), {}).entry(library.Key(shelf, slug)).data
        for path, rule in Language("catalog.schema.json", kind).numbers():
            for value in ends(rule):
                spec = base | {"catalog": f"own{len(list(folder.iterdir()))}"}
                given = put({path[0]: built_in[path[0]]} if path[0] in built_in else {}, path, value)
                covers = list(figures(given)) or [path[0]]
                own = {"kind": kind, "extends": slug} | given
                own["sources"] = [{"covers": covers, "document": "a slip of the pen", "mark": "project"}]
                file = folder / spec["catalog"] / f"{product}.yaml"
                file.parent.mkdir(parents=True)
                file.write_text(json.dumps(own))
                yield f"{product} {'.'.join(map(str, path))} = {value!r}", spec


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, 6 * 2**30))  # the tables' threads take addresses, not memory
    resource.setrlimit(resource.RLIMIT_CPU, (300, 300))


def told(specs, folder):
    """What is said of each spec, in order; the whole run takes less than 1 GiB."""
    run = subprocess.run(
        [sys.executable, "-c", CHECK, folder],
        input="".join(f"{json.dumps(each)}\n" for each in specs),
        env={**os.environ, "PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "2"},
        capture_output=True, text=True, preexec_fn=limited, check=False,
    )  # fmt: skip
    *said, largest = run.stdout.splitlines() or [""]
    assert (run.returncode, run.stderr) == (0, ""), f"{largest}\n{run.stderr[-2000:]}"
    assert int(largest) < 2**20  # KiB
    return said


@pytest.mark.parametrize(
    ("case", "sections"),
    [
        ("power-tree", ["site", "halls", "compute", "stages", "fabrics"]),
        ("power-tree", ["power"]),
        ("power-tree", ["slurm", "kubernetes"]),
        ("dragonfly-plus", ["fabrics", "compute"]),
        ("islands-and-core", ["fabrics"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_a_number_of_the_spec_at_its_ends_is_built_or_refused(case, sections, tmp_path):
    specs = list(sites(case, sections))
    assert len(told(specs, tmp_path)) == len(specs) > 10


def test_a_number_of_a_power_level_is_built_or_refused_whatever_the_redundancy(tmp_path):
    specs = list(levels())
    said = told(specs, tmp_path)
    assert len(said) == len(specs)
    assert {line.partition(": ")[0] for line in said if "P104" in line}  # too many devices
    assert {line.partition(": ")[0] for line in said if "P102" in line}  # a load beyond one device


@pytest.mark.parametrize("case", OWN)
def test_a_number_of_a_product_at_its_ends_is_built_or_refused(case, tmp_path):
    specs = list(products(case, tmp_path))
    assert len(told(specs, tmp_path)) == len(specs) > 30


@pytest.mark.parametrize(
    ("key", "code", "words"),
    [
        ("amps: 80, circuits: 2", "P105", "would take 355 circuits of 0.3 A on each side; the most is 48"),
        ("rating_kva: 300", "P104", "2,891,667 devices of 0.095 W each would carry"),
        ("rating_kw: 150", "P102", "is above the 1e-06 W that a rpp carries"),
        ("ramp_limit_mw_per_s: 0.5", "B307", "would take more than 1,000,000 units of tesla-megapack-2xl-4h"),
    ],
)
def test_a_slip_of_the_unit_is_told_with_its_figure(key, code, words, cli, tmp_path):
    slips = {"P105": "amps: 0.3", "P104": "rating_kva: 0.0001", "P102": "rating_kw: 0.000000001"}
    text = (GOLDEN / "power-tree" / "cluster.yaml").read_text()
    assert key in text
    (tmp_path / "cluster.yaml").write_text(text.replace(key, slips.get(code, "ramp_limit_mw_per_s: 1e-300")))
    run = cli("check", str(tmp_path / "cluster.yaml"))
    assert run.code == 1
    assert f"error[{code}]" in run.out
    assert words in run.out


def test_a_count_beyond_a_column_of_the_plan_is_a_finding(cli, tmp_path):
    source = "sources: [{covers: [%s], document: a slip of the pen, mark: project}]"
    own = {
        "nodes/nvidia-gb300-nvl72-tray": "kind: node\ngpu: {count: 64}\n" + source % "gpu.count",
        "racks/nvidia-gb300-nvl72": "kind: rack\nnvlink: {links_per_gpu: 255}\n" + source % "nvlink.links_per_gpu",
    }
    for product, text in own.items():
        file = tmp_path / "own" / f"{product}.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(f"extends: {product.split('/')[1]}\n{text}\n")
    group = {"name": "gb300", "rack": "nvidia-gb300-nvl72", "units": 1}
    spec = {key: value for key, value in site("gb300-two-units").items() if key not in {"stages", "power"}}
    (tmp_path / "cluster.yaml").write_text(json.dumps(spec | {"catalog": "own", "compute": [group]}))
    run = cli("check", str(tmp_path / "cluster.yaml"))
    assert (run.code, run.err) == (1, "")
    assert "error[S356]: links of the table nvlink_domains is beyond the range of UInt16" in run.out
