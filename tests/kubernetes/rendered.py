"""Rendered cells: where their folders are, stage by stage, and what is in them, read by another reader than ours."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import golden_cases
import yaml

from topology.verify.cache import alone

STACKS = golden_cases.GOLDEN.parents[1] / "stacks"
SITES = sorted(path.parent.name for path in STACKS.glob("*/cluster.yaml") if "\nkubernetes:" in path.read_text())


@dataclass(frozen=True)
class Cell:
    """A cell of a build at the last of its stages."""

    build: Path
    name: str
    stages: tuple

    def __str__(self):
        return f"{self.build.name}-{self.name}"

    @property
    def folders(self):
        return [self.build / "stages" / stage / "kubernetes" / self.name for stage in self.stages]

    def at(self, stage):
        """The same cell at an earlier stage."""
        return Cell(self.build, self.name, self.stages[: self.stages.index(stage) + 1])


def cells(build):
    """The cells of a build, by name."""
    listed = json.loads((build / "plan.json").read_text()).get("cells", [])
    return [Cell(build, each["name"], tuple(each["stages"])) for each in listed]


def golden_cells():
    """The cells of the golden cases that are about Kubernetes, before any is built."""
    cases = [case for case in golden_cases.every() if "kubernetes" in case.keeps]
    return [replace(cell, build=case.folder) for case in cases for cell in cells(case.expected)]


def built(cell, golden_build):
    """A golden cell with the files that its case builds, all of them, where its case keeps a few."""
    return replace(cell, build=golden_build(golden_cases.Case.read(cell.build)))


def site(name, folder):
    """The Kubernetes cells of a site in `stacks/`, with nodes for KWOK: built below `folder` by the program, once."""
    build, spec = folder / "sites" / name, folder / "sites" / f"{name}.yaml"
    build.parent.mkdir(exist_ok=True)
    with alone(build.with_suffix(".lock")):
        if not (build / "plan.json").exists():
            _build(name, spec, build)
    return cells(build)


def _build(name, spec, build):
    spec.write_text((STACKS / name / "cluster.yaml").read_text().replace("kwok: false", "kwok: true"))
    words = ["build", str(spec), "--only", "kubernetes", "-o", str(build)]
    subprocess.run([sys.executable, "-m", "topology", *words], check=True, capture_output=True)


def objects(path):
    """The objects of a file, as PyYAML's slow and careful reader has them."""
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


def covers(found, written):
    """Whether all that is written is found; lists in their order, and nothing more in them."""
    if isinstance(written, dict):
        return isinstance(found, dict) and all(covers(found.get(key), value) for key, value in written.items())
    if isinstance(written, list):
        return isinstance(found, list) and len(found) == len(written) and all(map(covers, found, written))
    return found == written


def copied(cell, folder):
    """A copy of a cell's build, for a test that plants a fault in it."""
    build = folder / "build"
    for each in cell.folders:
        shutil.copytree(each, build / each.relative_to(cell.build))
    return Cell(build, cell.name, cell.stages)
