"""Whole-program cases: a spec, and every text that a build makes of it, as plain files on record."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from topology.artifacts.slurm.clusters import controllers
from topology.artifacts.slurm.topologies import topologies
from topology.cli.progress import Progress
from topology.cli.reports import Severities
from topology.cli.session import open_plan
from topology.source import YamlSource

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(GOLDEN.iterdir())
COUNTED = (
    "artifacts",
    "plan_sha256",
    "spec_sha256",
    "catalog_sha256",
    "version",
)  # facts of the build, not of the cluster


def texts(out: Path) -> dict[str, str]:
    """Texts of a build by path; plan.json without digests, tables as their heights."""
    plan = json.loads((out / "plan.json").read_text())
    for key in COUNTED:
        del plan[key]
    heights = {path.stem: pl.scan_parquet(path).select(pl.len()).collect().item() for path in out.glob("tables/*")}
    made = {"plan.json": plan, "tables.json": heights}
    folders = ("stages", "power", "pulumi", "report")
    every = sorted(path for folder in folders for path in out.glob(f"{folder}/**/*"))
    files = {str(path.relative_to(out)): path.read_text() for path in every if path.is_file()}
    return {name: json.dumps(value, indent=2, sort_keys=True) + "\n" for name, value in made.items()} | files


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_spec_renders_the_files_on_record(case, cli, tmp_path, update_golden):
    run = cli("build", str(case / "cluster.yaml"), "-o", str(tmp_path / "out"))
    assert run.code == 0, run.err
    made, folder = texts(tmp_path / "out"), case / "expected"
    if update_golden:
        shutil.rmtree(folder, ignore_errors=True)
        for name, text in made.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    on_record = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert made == on_record  # a missing or an extra file fails too


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_plan_json_is_what_its_schema_says(case, cli, tmp_path):
    cli("build", str(case / "cluster.yaml"), "-o", str(tmp_path / "out"))
    schema = json.loads((GOLDEN.parents[1] / "schemas" / "plan.schema.json").read_text())
    plan = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert [error.message for error in Draft202012Validator(schema).iter_errors(plan)] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_rendered_reads_back_as_what_was_written(case, cli, tmp_path):
    """Every rendered YAML and JSON, by a parser of its own; Slurm's own parsers read the rest in tests/slurm."""
    cli("build", str(case / "cluster.yaml"), "-o", str(tmp_path / "out"))
    plan = open_plan(YamlSource.read(case / "cluster.yaml"), str(case / "cluster.yaml"), Progress(), Severities()).plan
    for stage in range(len(plan.spec.stages)):
        for controller in controllers(plan, stage):
            made, _ = topologies(plan, controller)
            folder = tmp_path / "out" / "stages" / plan.spec.stages[stage].name / "slurm" / controller.name
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
