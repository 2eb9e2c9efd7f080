"""Records as an inventory takes them: whole, each key once, in the order and dtypes of their data dictionary."""

from collections.abc import Mapping

import polars as pl

from topology.deploy.inventory.error import InventoryError
from topology.plan.tables import Table
from topology.views.record_tables import TABLES, Records, unique_keys

__all__ = ["TABLES", "Records", "check_records", "key_text"]

OWNER_CHARACTERS = 255  # what a text field of Nautobot takes


def check_records(owner: str, records: Records) -> dict[str, pl.DataFrame]:
    """The records in the order and dtypes of the dictionary, sorted by key, without empty tables.

    A column that may be null may also be left out.

    Raises:
        InventoryError: An unknown table or column, a missing one, a null where none may be, a key twice, a port
            with two cables, an owner without a name or without a record.
    """
    if not owner or owner != owner.strip() or len(owner) > OWNER_CHARACTERS:
        raise InventoryError(f"{owner!r} is no owner", f"write 1 to {OWNER_CHARACTERS} characters without outer blanks")
    unknown = sorted(set(records) - set(TABLES))
    if unknown:
        raise InventoryError(f"{owner}: no table {unknown[0]} in an inventory", f"it holds {', '.join(sorted(TABLES))}")
    made = {name: _frame(owner, table, records[name]) for name, table in TABLES.items() if name in records}
    made = {name: frame for name, frame in made.items() if frame.height}
    if not made:
        raise InventoryError(f"{owner} has no record to write", "remove the owner instead")
    _ports_once(owner, made.get("cables"))
    return made


def key_text(table: Table, row: Mapping[str, object], key: tuple[str, ...] | None = None) -> str:
    """The key of a record as people say it: `h1r0001`, `h1r0001n01 compute1`."""
    return " ".join(str(row[column]) for column in key or table.key)


def _frame(owner: str, table: Table, given: pl.DataFrame) -> pl.DataFrame:
    names = [column.name for column in table.columns]
    left_out = [column.name for column in table.columns if column.null and column.name not in given.columns]
    if left_out:
        given = given.with_columns(pl.lit(None).alias(name) for name in left_out)
    if sorted(given.columns) != sorted(names):
        wrong = sorted(set(given.columns) ^ set(names))
        raise InventoryError(f"{owner}: {table.name} differ in {', '.join(wrong)}", f"columns are {', '.join(names)}")
    try:
        frame = given.select(pl.col(column.name).cast(column.dtype) for column in table.columns).sort(table.key)
    except pl.exceptions.PolarsError as error:
        raise InventoryError(f"{owner}: {table.name} do not fit their columns: {_first_line(error)}") from error
    floats = [column.name for column in table.columns if column.dtype == pl.Float64]
    if floats:  # what is no number is no value either
        frame = frame.with_columns(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in floats)
    for column in table.columns:
        if not column.null and frame[column.name].null_count():
            raise InventoryError(f"{owner}: {table.name} have no {column.name} in some rows", "every row needs one")
    for key in unique_keys(table):
        twice = frame[list(key)].is_duplicated()
        if twice.any():
            row = frame.filter(twice).row(0, named=True)
            raise InventoryError(f"{owner}: {table.name} hold {key_text(table, row, key)} twice")
    return frame


def _ports_once(owner: str, cables: pl.DataFrame | None) -> None:
    """No port is the lower end of one cable and the upper end of another."""
    if cables is None:
        return
    upper = cables.select(device="b_device", port="b_port")
    both = cables.join(upper, left_on=["a_device", "a_port"], right_on=["device", "port"], how="semi")
    if both.height:
        row = both.row(0, named=True)
        raise InventoryError(f"{owner}: two cables share port {row['a_port']} of {row['a_device']}")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
