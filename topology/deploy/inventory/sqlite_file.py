"""The SQLite file of an inventory: opened, recognised, and its failures said in one line.

A table per record table, with the same columns and the owner; any SQLite client can read it. The write-ahead log
lets readers go on while one owner is written, and a killed writer leaves the old rows.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import polars as pl

from topology.deploy.inventory.error import InventoryError
from topology.plan.tables import Column, Table
from topology.views.record_tables import TABLES, unique_keys

SCHEMA_VERSION = 1
BUSY_S = 60  # the engine writes many owners at once, and each waits for the others
RETRY_S = 0.05
TYPES = {pl.String: "TEXT", pl.Int64: "INTEGER", pl.Float64: "REAL", pl.Boolean: "INTEGER"}

# What SQLite's own words leave out, by the start of its error name (sqlite.org/rescode.html).
WHY = (
    ("SQLITE_FULL", "the disk is full", "make room and run it again; what stood before still stands"),
    ("SQLITE_IOERR_SHMSIZE", "the disk is full", "make room and run it again; what stood before still stands"),
    ("SQLITE_READONLY", "it is read-only", "give the user that deploys the right to write the file and its folder"),
    ("SQLITE_CANTOPEN", "it cannot be opened", "the folder must exist and be writable, for the log beside the file"),
    ("SQLITE_BUSY", f"another program has held it for {BUSY_S} s", "end what holds it and run it again"),
    ("SQLITE_LOCKED", f"another program has held it for {BUSY_S} s", "end what holds it and run it again"),
    ("SQLITE_NOTADB", "it is no SQLite file", "name another path, or move the file away"),
    ("SQLITE_CORRUPT", "it is damaged", "restore it, or move it away and deploy again: every record is in the spec"),
)


@contextmanager
def readable(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection to the file, or None where there is no inventory yet; nothing is made.

    Raises:
        InventoryError: The file cannot be read, or is not an inventory of this version.
    """
    with explain_errors(path):
        if not path.exists():
            yield None
            return
        with closing(_connect(path)) as db:
            yield db if _is_inventory(db, path) else None


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection inside one write transaction, which ends with the block: whole, or not at all.

    Raises:
        InventoryError: The file cannot be made or written, or is not an inventory of this version.
    """
    with explain_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(_connect(path)) as db:
            _use_log(db)
            db.execute("PRAGMA synchronous = FULL")  # what a deployment calls written survives a power cut
            db.execute("BEGIN IMMEDIATE")
            try:
                if not _is_inventory(db, path):
                    _create(db)
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise


@contextmanager
def explain_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite or the system says into one line with the path."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", None) or ""
        if name.startswith("SQLITE_CANTOPEN") and path.parent.is_dir() and not os.access(path.parent, os.W_OK):
            name = "SQLITE_READONLY"  # SQLite says so only where the log exists already
        why, hint = next(((why, hint) for start, why, hint in WHY if name.startswith(start)), (str(error), ""))
        raise InventoryError(f"inventory {path}: {why}", hint) from error
    except OSError as error:
        raise InventoryError(f"inventory {path}: {error.strerror}", "name a folder that can be written") from error


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)


def _use_log(db: sqlite3.Connection) -> None:
    """Switch a new file to the write-ahead log. The busy timeout does not cover this statement."""
    deadline = time.monotonic() + BUSY_S
    while db.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname not in {"SQLITE_BUSY", "SQLITE_LOCKED"} or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_S)


def _is_inventory(db: sqlite3.Connection, path: Path) -> bool:
    """Whether the file holds an inventory; False when it is empty."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return False
    if "schema_version" not in tables:
        raise InventoryError(f"inventory {path}: it is the database of another program", "name another path")
    (version,) = db.execute("SELECT version FROM schema_version").fetchone() or (None,)
    if version != SCHEMA_VERSION:
        raise InventoryError(
            f"inventory {path}: its schema is version {version}, this program writes version {SCHEMA_VERSION}",
            "use the version of cluster-topology that made it, or name another path",
        )
    return True


def _create(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT")
    db.execute("INSERT INTO schema_version VALUES (?)", (SCHEMA_VERSION,))
    for table in TABLES.values():
        columns = ["owner TEXT NOT NULL", *map(_column_sql, table.columns)]
        first, *others = (f"({', '.join(quote(column) for column in key)})" for key in unique_keys(table))
        keys = [f"PRIMARY KEY {first}", *(f"UNIQUE {key}" for key in others)]
        db.execute(f"CREATE TABLE {table.name} ({', '.join([*columns, *keys])}) STRICT")
        db.execute(f"CREATE INDEX {table.name}_owner ON {table.name} (owner)")


def _column_sql(column: Column) -> str:
    null = "" if column.null else " NOT NULL"
    truth = f" CHECK ({quote(column.name)} IN (0, 1))" if column.dtype == pl.Boolean else ""
    return f"{quote(column.name)} {TYPES[column.dtype]}{null}{truth}"  # type: ignore[index]


def columns(table: Table) -> str:
    """The table's columns for a statement, in order, without the owner."""
    return ", ".join(quote(column.name) for column in table.columns)


def quote(name: str) -> str:
    """A column of the dictionary in quotes: `row` is a word of SQL."""
    return f'"{name}"'
