"""Whole-program cases: a spec, and every text that a build makes of it, as plain files on record."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

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
    files = {str(path.relative_to(out)): path.read_text() for path in sorted(out.glob("stages/**/*")) if path.is_file()}
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
