"""The inventory in one SQLite file: needs no server, and any SQLite client reads it."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from topology.deploy.edits import Edit
from topology.deploy.inventory.compare import edits_of_frames
from topology.deploy.inventory.error import InventoryError
from topology.deploy.inventory.records import check_records, key_text
from topology.deploy.inventory.sqlite_file import columns, quote, readable, transaction
from topology.plan.tables import Table
from topology.views.record_tables import TABLES, Records, unique_keys

Row = tuple[object, ...]


class SqliteInventory:
    """Records of every owner in the file at `path`, which the first `write` makes. Methods may run in parallel.

    Raises:
        InventoryError: In every method, when the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, owner: str, records: Records) -> str:
        """Token of exactly these records, which now stand for `owner`, whole or not at all.

        Raises:
            InventoryError: A record is malformed, or another owner has one with the same key.
        """
        rows = {name: _rows(frame) for name, frame in check_records(owner, records).items()}
        with transaction(self._path) as db:
            token = _digest(rows)
            if _digest(_stored_rows(db, owner)) != token:
                _replace(db, owner, rows)
        return token

    def token(self, owner: str) -> str | None:
        """Digest of the rows of `owner` as the file has them now; None without a row."""
        with readable(self._path) as db:
            rows = _stored_rows(db, owner) if db is not None else {}
        return _digest(rows) if rows else None

    def is_lost(self, owner: str) -> bool:
        """Whether the file has no row of `owner`, or is not there: it lies on another machine, or is gone."""
        with readable(self._path) as db:
            if db is None:
                return True
            any_row = " UNION ALL ".join(f"SELECT 1 FROM {name} WHERE owner = :owner" for name in TABLES)  # noqa: S608 -- our own names
            return db.execute(f"{any_row} LIMIT 1", {"owner": owner}).fetchone() is None

    def edits(self, owner: str, records: Records) -> Iterator[Edit]:
        """Rows of `owner` that are not these records, field by field."""
        with readable(self._path) as db:
            rows = _stored_rows(db, owner) if db is not None else {}
        found = {
            name: pl.DataFrame(mine, schema=_schema(TABLES[name]), orient="row", strict=False)
            for name, mine in rows.items()
        }
        wanted = {name: _as_stored(frame) for name, frame in check_records(owner, records).items()}
        yield from edits_of_frames(found, wanted, {name: table.key for name, table in TABLES.items()})

    def remove(self, owner: str) -> None:
        """Take away every row of `owner`; none is fine."""
        with readable(self._path) as db:
            there = db is not None and bool(_stored_rows(db, owner))
        if there:
            with transaction(self._path) as db:
                _replace(db, owner, {})


def _rows(frame: pl.DataFrame) -> list[Row]:
    """Rows as SQLite gives them back."""
    return _as_stored(frame).rows()


def _as_stored(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame as SQLite gives it back: it has no truth values, only 0 and 1."""
    return frame.with_columns(pl.col(pl.Boolean).cast(pl.Int64))


def _schema(table: Table) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Dtypes of a table's columns as SQLite gives them back."""
    return {column.name: pl.Int64 if column.dtype == pl.Boolean else column.dtype for column in table.columns}


def _stored_rows(db: sqlite3.Connection, owner: str) -> dict[str, list[Row]]:
    """Rows of `owner` by table, sorted by key; tables without a row are left out."""
    found = {name: _select(db, table, owner) for name, table in TABLES.items()}
    return {name: rows for name, rows in found.items() if rows}


def _select(db: sqlite3.Connection, table: Table, owner: str) -> list[Row]:
    order = ", ".join(quote(column) for column in table.key)
    query = f"SELECT {columns(table)} FROM {table.name} WHERE owner = ? ORDER BY {order}"  # noqa: S608 -- our own names
    return db.execute(query, (owner,)).fetchall()


def _digest(rows: Mapping[str, list[Row]]) -> str:
    """SHA-256 of the rows in the dictionary's order, as hex."""
    return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()


def _replace(db: sqlite3.Connection, owner: str, rows: Mapping[str, list[Row]]) -> None:
    """Make `rows` the only ones of `owner`, inside the transaction of the caller."""
    for table in TABLES.values():
        db.execute(f"DELETE FROM {table.name} WHERE owner = ?", (owner,))  # noqa: S608 -- our own names
    for name, mine in rows.items():
        table = TABLES[name]
        places = ", ".join("?" * len(table.columns))
        insert = f"INSERT INTO {name} ({columns(table)}, owner) VALUES ({places}, ?)"  # noqa: S608 -- our own names
        try:
            db.executemany(insert, ((*row, owner) for row in mine))
        except sqlite3.IntegrityError as error:
            raise _claim_error(db, owner, table, mine) from error


def _claim_error(db: sqlite3.Connection, owner: str, table: Table, mine: list[Row]) -> Exception:
    """The error that names the first record of `mine` whose key another owner has, and both owners."""
    ours = pl.DataFrame(mine, schema=_schema(table), orient="row")
    for key, theirs in _keys_of_others(db, owner, table):
        both = ours.join(theirs, on=list(key)).sort(key)
        if both.height:
            row = both.row(0, named=True)
            return InventoryError(
                f"{table.name} {key_text(table, row, key)} is claimed by {owner} and stands for {row['owner']}",
                f"deploy or remove {row['owner']} first, so that it lets go of it",
            )
    return AssertionError(f"{table.name}: a row of {owner} was refused that breaks no key")


def _keys_of_others(db: sqlite3.Connection, owner: str, table: Table) -> Iterator[tuple[tuple[str, ...], pl.DataFrame]]:
    """Each key of the table, and the rows of all other owners under it."""
    dtypes = {column.name: column.dtype for column in table.columns}
    for key in unique_keys(table):
        names = ", ".join(map(quote, key))
        query = f"SELECT {names}, owner FROM {table.name} WHERE owner <> ?"  # noqa: S608 -- our own names
        schema = {**{column: dtypes[column] for column in key}, "owner": pl.String}
        yield key, pl.DataFrame(db.execute(query, (owner,)).fetchall(), schema=schema, orient="row")
