"""The SQLite file of an inventory: recognised, opened, and its failures said in one line.

A table per record table, with the same columns and the owner; any SQLite client can read it. The write-ahead log
lets readers go on while one owner is written, and a killed writer leaves the old rows.

Opening a database may change it, and what lies beside it: SQLite takes up a log that was left, and removes one. So a
file is looked at first in a way that changes nothing, and opened when it is an inventory; a new one has its name only
when it is whole. Looking takes no lock, and closing a file that was looked at would drop the locks that connections of
this process hold on it (sqlite.org/howtocorrupt.html, 2.2): so it is done only while there are none.
"""

import os
import re
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import polars as pl

from topology.artifacts.output.folder import OutputFolder, output_folder
from topology.artifacts.output.plain import NotPlain, open_plain, sync_folder
from topology.artifacts.output.refusal import OutputError, shown
from topology.artifacts.output.staging import clear_begun
from topology.deploy.inventory.error import InventoryError
from topology.plan.tables import Column, Table
from topology.views.record_tables import TABLES, unique_keys

SCHEMA_VERSION = 1
BUSY_S = 60  # the engine writes many owners at once, and each waits for the others
RETRY_S = 0.05
HEADER = b"SQLite format 3\0"  # sqlite.org/fileformat.html
LOOKS = 20  # at a file that another program writes meanwhile
_open: Counter[tuple[int, int]] = Counter()  # connections of this process by file: device and inode
_opening = Lock()  # the engine writes many owners at once; a file is looked at, and a new one made, once
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
    with explain_errors(path), _connection(path) as db:
        yield db


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection inside one write transaction, which ends with the block: whole, or not at all.

    Raises:
        InventoryError: The file cannot be made or written, or is not an inventory of this version.
    """
    with explain_errors(path), _connection(path, make=True) as db:
        if db is None:
            raise AssertionError
        _use_log(db)
        db.execute("PRAGMA synchronous = FULL")  # what a deployment calls written survives a power cut
        db.execute("BEGIN IMMEDIATE")
        try:
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
        why, hint = next(((why, hint) for start, why, hint in WHY if name.startswith(start)), (shown(str(error)), ""))
        raise InventoryError(f"inventory {shown(path)}: {why}", hint) from error
    except OutputError as error:
        raise InventoryError(f"inventory: {error.message}", "name another path") from error
    except OSError as error:
        raise InventoryError(
            f"inventory {shown(path)}: {error.strerror}", "name a folder that can be written"
        ) from error


def _place(path: Path) -> Path:
    """Where the file is, without a link on the way.

    Raises:
        InventoryError: the path is one that SQLite would take for something else than a file.
        OutputError: a link leads to it.
    """
    if str(path).startswith(":") or str(path).lower().startswith("file:"):
        raise InventoryError(
            f"inventory: '{shown(path)}' is no path of a file", "write path: site.db, the file that holds it"
        )
    return output_folder(path).out


@contextmanager
def _connection(path: Path, *, make: bool = False) -> Iterator[sqlite3.Connection | None]:
    """A connection to the inventory, which is made with `make`; None where there is none."""
    place = _place(path)
    with _opening:
        there = bool(_open[_file(place)]) or _is_inventory(place)
        if make and not there:
            _create(place)
        db = _connect(place) if make or there else None
        file = _file(place)
        _open[file] += db is not None
    try:
        yield db
    finally:
        if db is not None:
            with _opening:
                db.close()
                _open[file] -= 1


def _file(path: Path) -> tuple[int, int]:
    """What the file is known by while a connection holds it: device and inode; zeros where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def _connect(path: Path, *, unchanged: bool = False) -> sqlite3.Connection:
    """A connection to a file that is there; with `unchanged` nothing is locked, written or cleared away by it."""
    query = "immutable=1" if unchanged else "mode=rw"
    return sqlite3.connect(f"{path.as_uri()}?{query}", uri=True, timeout=BUSY_S, isolation_level=None)


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


def _is_inventory(path: Path) -> bool:
    """Whether an inventory stands at `path`; False when nothing does. Nothing is changed by looking.

    Raises:
        InventoryError: something else stands there.
    """
    try:
        with open_plain(path, alone=False) as descriptor:
            begin = os.pread(descriptor, len(HEADER), 0)
    except NotPlain as fault:
        if os.path.lexists(path):
            raise InventoryError(f"inventory {shown(path)}: it is {fault}", "name a file of its own") from None
        for log in (path.with_name(f"{path.name}-{kind}") for kind in ("wal", "shm", "journal")):
            if os.path.lexists(log):
                raise InventoryError(
                    f"inventory {shown(path)}: {shown(log.name)} was left by a database that is gone",
                    "bring that back, or move the log away",
                ) from None
        return False
    if begin != HEADER:
        what = "no SQLite file" if begin else "an empty file that this program did not make"
        raise InventoryError(f"inventory {shown(path)}: it is {what}", "name another path, or move the file away")
    for look in range(LOOKS):
        try:
            with _looked_at(path, apart=look > 0) as db:
                _check_inventory(db, path)
        except sqlite3.DatabaseError:  # damaged; or written now, or by one that was cut off: the log has the rest
            if look and (look == LOOKS - 1 or not path.with_name(f"{path.name}-wal").exists()):
                raise
            time.sleep(RETRY_S * bool(look))
        else:
            break
    return True


@contextmanager
def _looked_at(path: Path, *, apart: bool) -> Iterator[sqlite3.Connection]:
    """A connection that changes nothing: to the file without its log, or to a copy of both."""
    if not apart:
        with closing(_connect(path, unchanged=True)) as db:
            yield db
        return
    with TemporaryDirectory() as folder:
        for name in (path.name, f"{path.name}-wal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(path.with_name(name), Path(folder, name))
        with closing(_connect(Path(folder, path.name))) as db:
            yield db


def _check_inventory(db: sqlite3.Connection, path: Path) -> None:
    """Check that a database is an inventory of this version, by its tables and their columns."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if _columns(db, "schema_version") != {"version"} or not tables & TABLES.keys():
        raise InventoryError(f"inventory {shown(path)}: it is the database of another program", "name another path")
    (version,) = db.execute("SELECT version FROM schema_version").fetchone() or (None,)
    if version != SCHEMA_VERSION:
        found = f"its schema is version {version!r:.40}, this program writes version {SCHEMA_VERSION}"
        raise InventoryError(
            f"inventory {shown(path)}: {found}",
            "use the version of cluster-topology that made it, or name another path",
        )
    for name, table in TABLES.items():  # columns of the site's own are nobody's business
        if not {"owner", *(column.name for column in table.columns)} <= _columns(db, name):
            raise InventoryError(
                f"inventory {shown(path)}: its table {name} is not as this program made it",
                "restore it, or move it away and deploy again: every record is in the spec",
            )


def _columns(db: sqlite3.Connection, table: str) -> set[str]:
    """Columns of a table; none where there is no such table."""
    return {name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")}


def _create(path: Path) -> None:
    """Make an empty inventory; it has its name when it is whole. One that another process made first stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    clear_begun(path.parent, re.escape(path.name))
    begun = OutputFolder(path).staging
    begun.mkdir()
    try:
        (begun / path.name).touch()
        with closing(_connect(begun / path.name)) as db:
            db.execute("PRAGMA synchronous = FULL")
            db.execute("BEGIN IMMEDIATE")
            _make_tables(db)
            db.execute("COMMIT")
            _use_log(db)
        try:
            path.hardlink_to(begun / path.name)
        except FileExistsError:
            pass
        except OSError:  # a file system without second names
            (begun / path.name).rename(path)
        sync_folder(path.parent)
    finally:
        shutil.rmtree(begun, ignore_errors=True)


def _make_tables(db: sqlite3.Connection) -> None:
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
