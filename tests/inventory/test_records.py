"""Records are what the data dictionary says, table by table."""

import os
from pathlib import Path

import polars as pl
import pytest
import site_records

from topology.deploy import stage_records
from topology.deploy.stop import DeployError
from topology.views.record_tables import TABLES


def test_records_of_an_owner_have_the_columns_and_dtypes_of_the_dictionary():
    for records in site_records.owned(site_records.SITE).values():
        for name, frame in records.items():
            assert dict(frame.schema) == {column.name: column.dtype for column in TABLES[name].columns}


def test_records_of_a_stage_are_sorted_by_owner_and_key():
    register, _ = site_records.register_of(site_records.SITE)
    for name, frame in register.stage(0).items():
        plain = frame.with_columns(pl.col(pl.Enum).cast(pl.String))
        assert plain.equals(plain.sort("owner", *TABLES[name].key))


def test_tables_of_another_version_are_told_in_one_line(cli, tmp_path):
    spec = Path(__file__).parents[1] / "golden/h100-unit/cluster.yaml"
    assert cli("build", str(spec), "-o", str(tmp_path / "out")).code == 0
    owner = "h100-unit/all/unit-dgx-0001"
    with pytest.raises(DeployError, match="are not those of h100-unit stage all"):
        stage_records.records(tmp_path / "out", owner, "0" * 64)
    table = tmp_path / "out/tables/nvlink_domains.parquet"
    pl.read_parquet(table).drop("name").write_parquet(table)
    os.utime(tmp_path / "out/plan.json")  # as another build would leave it
    with pytest.raises(DeployError, match="are of another version of the program, or of another spec; run"):
        stage_records.records(tmp_path / "out", owner, "0" * 64)
    with pytest.raises(DeployError, match="or of another spec; run topology build again"):
        stage_records.records(tmp_path / "out", "h100-unit/renamed/unit-dgx-0001", "0" * 64)
    with pytest.raises(DeployError, match=r"plan\.json: No such file or directory; run topology build again"):
        stage_records.records(tmp_path / "gone", owner, "0" * 64)
