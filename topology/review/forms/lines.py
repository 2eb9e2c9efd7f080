"""The review as JSON lines, complete: every changed row, written piece by piece.

The first line is the summary and carries `schema_version`; every line is an object with a `type`. Rows
never become Python objects, however many there are. Described in schemas/diff.schema.json.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from io import BytesIO

import numpy as np
import polars as pl

from topology import __version__
from topology.diff.delta import TABLES
from topology.diff.matching import Rows
from topology.plan.names import Labels
from topology.review.document import Document
from topology.review.findings import finding_changes
from topology.review.forms.text import plain
from topology.review.review import Review

SCHEMA_VERSION = 1
CHUNK = 100_000  # rows in memory as text at a time


def json_lines(review: Review, document: Document, measures: Mapping[str, float]) -> Iterator[bytes]:
    """Pieces of the file, each of whole lines."""
    whole = all(not side.broken for side in (review.base, review.head))
    yield _line(_summary(review, document, measures, whole=whole))
    changed = finding_changes(review.base, review.head)
    for word, every in (("new", changed.new), ("fixed", changed.fixed), ("unchanged", changed.unchanged)):
        yield b"".join(_line({"type": "finding", "change": word, **asdict(finding)}) for finding in every)
    if whole:
        yield from _rows(review)


def _line(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _summary(review: Review, document: Document, measures: Mapping[str, float], *, whole: bool) -> dict[str, object]:
    summary: dict[str, object] = {
        "type": "review",
        "schema_version": SCHEMA_VERSION,
        "version": __version__,
        "spec": document.marker,
        "base": review.base.shown,
        "head": review.head.shown,
        "mark": document.mark.name.lower(),
        "verdict": plain(document.sentence),
        "decisions": [{"mark": d.mark.name.lower(), "text": plain(d.words)} for d in document.decisions],
        "measures": dict(measures),
    }
    if whole:
        summary["renamed"] = {word: dict(c.renamed) for word, c in review.delta.renames.each().items() if c.renamed}
        counted = {table: {change: _count(was, now) for change, was, now in _parts(review, table)} for table in TABLES}
        summary["rows"] = {table: changes for table, changes in counted.items() if changes}
    return summary


def _rows(review: Review) -> Iterator[bytes]:
    base, head = (Labels(plan) for plan in review.plans)
    for table in TABLES:
        for change, was, now in _parts(review, table):
            count = _count(was, now)
            for at in range(0, count, CHUNK):
                before = None if was is None else base.words(table, was[at : at + CHUNK])
                after = None if now is None else head.words(table, now[at : at + CHUNK])
                yield _text(table, change, before, after)


def _parts(review: Review, table: str) -> Iterator[tuple[str, Rows | None, Rows | None]]:
    """Kinds of change of a table with the rows of base and of head; of cables as those who pull them see it."""
    diff = review.delta.table(table)
    parts: list[tuple[str, Rows | None, Rows | None]]
    if table != "cables":
        parts = [("added", None, diff.added), ("removed", diff.removed, None), ("changed", diff.before, diff.after)]
    else:
        cabling = review.delta.cabling
        told = np.zeros(review.delta.head.cables.height, bool)
        told[np.concatenate([cabling.replugged[1], cabling.relaid[1]])] = True
        rest = ~told[diff.after]
        parts = [
            ("added", None, cabling.new),
            ("removed", cabling.removed, None),
            ("replugged", *cabling.replugged),
            ("relaid", *cabling.relaid),
            ("changed", diff.before[rest], diff.after[rest]),
        ]
    for change, was, now in parts:
        if _count(was, now):
            yield change, was, now


def _count(was: Rows | None, now: Rows | None) -> int:
    return len(was) if was is not None else len(now) if now is not None else 0


def _text(table: str, change: str, before: pl.DataFrame | None, after: pl.DataFrame | None) -> bytes:
    columns = {"before": before, "after": after}
    given = {name: frame.to_struct(name) for name, frame in columns.items() if frame is not None}
    frame = pl.DataFrame(list(given.values())).select(
        pl.lit("row").alias("type"), pl.lit(table).alias("table"), pl.lit(change).alias("change"), *given
    )
    buffer = BytesIO()
    frame.write_ndjson(buffer)
    return buffer.getvalue()
