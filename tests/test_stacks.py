"""The folders under stacks/ are what a user copies: a spec and the Pulumi project that a build makes of it."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from topology.artifacts.pulumi.files import project
from topology.catalog.load import load as load_catalog
from topology.checks.deployment import stacks_are_bounded
from topology.expand import expand
from topology.expand.fabrics import kinds
from topology.plan import names
from topology.source import YamlSource
from topology.spec.load import load
from topology.views import owners

STACKS = Path(__file__).parents[1] / "stacks"
SITES = sorted(path.name for path in STACKS.iterdir() if path.is_dir())


@cache
def plan_of(name, text=None):
    spec, _ = load(
        YamlSource.parse("cluster.yaml", (text or (STACKS / name / "cluster.yaml").read_text()).encode()), kinds()
    )
    return expand(spec, load_catalog())


@pytest.mark.parametrize("name", SITES)
def test_a_folder_under_stacks_carries_the_project_of_its_spec(name, update_golden):
    folder = STACKS / name
    made = dict(project(plan_of(name), f"../../build/{name}", "cluster.yaml", "../../.venv", "-e ../.."))
    if update_golden:
        for file, text in made.items():
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_bytes(text)
    assert {file: (folder / file).read_bytes() for file in made} == made
    stacks = {path.name for path in folder.glob("Pulumi.*.yaml")}
    assert stacks == {f"Pulumi.{stage.name}.yaml" for stage in plan_of(name).spec.stages}


@pytest.mark.parametrize("package", ["cluster-topology", "-e ../.."])
def test_pip_finds_what_a_project_requires_in_an_environment_of_a_checkout(package, tmp_path):
    """As `pulumi install` runs it, in the project's folder; nothing is fetched here, where all is there already."""
    folder = tmp_path / "checkout/stacks/site"
    folder.mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE", "topology", "templates", "schemas"):
        (tmp_path / "checkout" / name).symlink_to(STACKS.parent / name)
    files = dict(project(plan_of("superpod-h100"), "..", package=package))
    (folder / "requirements.txt").write_bytes(files["requirements.txt"])
    words = ["--dry-run", "--no-index", "--no-build-isolation", "--no-deps", "-r", "requirements.txt"]
    argv = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *words]
    ran = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "cluster-topology" in ran.stdout


def resources(plan):
    """Resources of each stage's stack."""
    tables = {name: frame.lazy() for name, frame in plan.tables().items()}
    tables["units"] = plan.units.with_columns(names.labels(plan, "units")).lazy()
    return owners.sizes(tables)["resources"].to_list()


@pytest.mark.parametrize("name", SITES)
def test_every_stage_of_a_site_is_a_stack_of_a_few_hundred_resources(name):
    assert max(resources(plan_of(name))) <= 600
    assert stacks_are_bounded(plan_of(name)).is_empty()


def test_a_million_gpus_in_one_stage_are_too_much_for_one_stack():
    text = (STACKS / "colossus-1m" / "cluster.yaml").read_text()
    text = text[: text.index("\nstages:")] + "\n" + text[text.index("\nslurm:") :]
    plan = plan_of("colossus-1m", text)
    (count,) = resources(plan)
    breach = stacks_are_bounded(plan).row(0, named=True)  # "D401"
    assert breach["example"] == "all"
    assert breach["message"] == f"stage all adds {count} resources to its stack; 2000 are the most"
