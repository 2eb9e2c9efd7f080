"""Records are what the data dictionary says, table by table."""

import polars as pl
import site_records

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
