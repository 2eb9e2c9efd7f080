"""Tables as Parquet: one file each, readable by anything, and back.

This is the edge, so whatever wears a label gets its `name` here; in memory names are numbers
until someone reads them.
"""

from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path as FilePath
from pathlib import PurePosixPath

import polars as pl

from topology.catalog.model import Catalog
from topology.findings import Path
from topology.plan.names import Labels
from topology.plan.plan import Plan
from topology.plan.tables import BY_NAME, NAMED, ORIGINS, TABLES, Table
from topology.spec.model import ClusterSpec

ROWS_PER_GROUP = 1 << 20
UNNAMED = {"nics"}  # as many as GPUs, and whoever reads them has their nodes


def stored(plan: Plan) -> Iterator[tuple[str, pl.DataFrame]]:
    """Name and frame of every table with the names of its rows, in the dictionary's order."""
    labels = Labels(plan)
    for name, frame in plan.tables().items():
        yield name, _with_name(frame, labels.of(name)) if BY_NAME[name].named and name not in UNNAMED else frame


class StoredTableError(Exception):
    """A stored table is not one that this version of the program writes; the message says which."""


def parquet(plan: Plan) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Path and bytes of every table, in the dictionary's order, origins last; the same plan gives the same bytes."""
    for name, frame in stored(plan):
        yield path_of(name), _bytes(frame)
    yield path_of(ORIGINS.name), _bytes(plan.pointers())


def path_of(table: str) -> PurePosixPath:
    """Path of a table below the folder of a build."""
    return PurePosixPath("tables", f"{table}.parquet")


def read(folder: FilePath, spec: ClusterSpec, catalog: Catalog) -> Plan:
    """The plan whose tables a build of `spec` and `catalog` stored under `folder`.

    Raises:
        StoredTableError: a table is missing, unreadable, or has other columns than ours.
    """
    frames = {table.name: _stored(folder, table) for table in TABLES}
    paths = tuple(path_at(text) for text in _stored(folder, ORIGINS)["path"])
    return Plan(spec=spec, catalog=catalog, origins=paths, **frames)


def path_at(text: str) -> Path:
    """Spec path of a JSON Pointer; digits are positions, since no key of the language is a number."""
    steps = (step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:])
    return tuple(int(step) if step.isdecimal() else step for step in steps)


def _stored(folder: FilePath, table: Table) -> pl.DataFrame:
    path = path_of(table.name)
    try:
        frame = pl.read_parquet(folder / path, columns=[column.name for column in table.columns])
    except (OSError, pl.exceptions.PolarsError):
        raise StoredTableError(str(path)) from None
    if not table.holds(frame):
        raise StoredTableError(str(path))
    return frame


def scan(folder: FilePath) -> Mapping[str, pl.LazyFrame]:
    """Tables that an earlier build stored below `folder`, by name; nothing is read yet."""
    return {path.stem: pl.scan_parquet(path) for path in sorted((folder / "tables").glob("*.parquet"))}


def _with_name(frame: pl.DataFrame, spelled: pl.Series) -> pl.DataFrame:
    """The table with its names behind the row number."""
    number, *others = frame.columns
    return frame.select(number, spelled.alias(NAMED.name), *others)


def _bytes(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.rechunk().write_parquet(buffer, compression="zstd", statistics=True, row_group_size=ROWS_PER_GROUP)
    return buffer.getvalue()
