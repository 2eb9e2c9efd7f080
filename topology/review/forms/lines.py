"""The review as JSON lines, complete: every changed row, alone or folded with those that are alike.

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

SCHEMA_VERSION = 2
CHUNK = 100_000  # rows in memory as text at a time
_TEXT = {pl.String, pl.Enum}
_WHERE = {"halls", "groups", "fabrics", "stages"}  # tables of few rows; what is alike points to the same of each


def json_lines(
    review: Review, document: Document, measures: Mapping[str, float], *, all_rows: bool = False
) -> Iterator[bytes]:
    """Pieces of the file, each of whole lines; `all_rows`: a line for each row instead of one for alike ones."""
    whole = all(not side.broken for side in (review.base, review.head))
    yield _line(_summary(review, document, measures, whole=whole))
    changed = finding_changes(review.base, review.head)
    for word, every in (("new", changed.new), ("fixed", changed.fixed), ("unchanged", changed.unchanged)):
        yield b"".join(_line({"type": "finding", "change": word, **asdict(finding)}) for finding in every)
    if whole:
        for kind, renames in review.delta.renames.each().items():
            told = (
                {"type": "rename", "kind": kind, "before": old, "after": new} for old, new in renames.renamed.items()
            )
            yield b"".join(map(_line, told))
        yield from _rows(review, all_rows=all_rows)


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


def _rows(review: Review, *, all_rows: bool) -> Iterator[bytes]:
    base, head = (Labels(plan) for plan in review.plans)
    for table in TABLES:
        for change, was, now in _parts(review, table):
            folded = []
            for at in range(0, _count(was, now), CHUNK):
                before = None if was is None else base.words(table, was[at : at + CHUNK])
                after = None if now is None else head.words(table, now[at : at + CHUNK])
                if all_rows:
                    yield _text("row", table, change, _sides(before, after))
                else:
                    folded.append(_alike(table, before, after))
            if folded:
                differing = pl.col("differing").str.extract_all(r"\S+")
                yield _text("rows", table, change, _folded(pl.concat(folded)).with_columns(differing))


def _sides(before: pl.DataFrame | None, after: pl.DataFrame | None) -> pl.DataFrame:
    """A column for each side that there is, which holds its rows."""
    sides = {"before": before, "after": after}
    return pl.DataFrame([frame.to_struct(side) for side, frame in sides.items() if frame is not None])


def _alike(table: str, before: pl.DataFrame | None, after: pl.DataFrame | None) -> pl.DataFrame:
    """Rows folded by what they are, where they are, and the columns that differ."""
    sides, differing = _sides(before, after), pl.lit("")
    frame = after if after is not None else before
    assert frame is not None  # noqa: S101 - a change has a side
    if before is not None and after is not None:
        other = [name for name in before.columns if name in after.columns]
        differs = [before[name].ne_missing(after[name]).alias(name) for name in other]
        sides = sides.with_columns(differs=pl.DataFrame(differs).to_struct())
        differing = pl.concat_str(
            pl.when(pl.col("differs").struct.field(name)).then(pl.lit(f"{name} ")).otherwise(pl.lit(""))
            for name in other
        )
    facts = [c.name for c in TABLES[table].facts if c.to in _WHERE or (not c.to and c.dtype.base_type() in _TEXT)]
    alike = [frame[name] for name in facts if name not in {"name", "origin"}]
    columns = [name for name in ("before", "after") if name in sides.columns]
    made = sides.select(
        pl.struct(alike).alias("alike") if alike else pl.lit(None).alias("alike"),
        differing.alias("differing"),
        pl.struct(columns).alias("first"),
        pl.struct(columns).alias("last"),
        pl.lit(1, pl.UInt64).alias("count"),
    )
    return _folded(made)


def _folded(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that are alike as one, with their number."""
    return rows.group_by("differing", "alike", maintain_order=True).agg(
        pl.col("count").sum(), pl.col("first").first(), pl.col("last").last()
    )


def _parts(review: Review, table: str) -> Iterator[tuple[str, Rows | None, Rows | None]]:
    """Kinds of change of a table with the rows of base and of head; of cables as those who pull them see it."""
    diff = review.delta.table(table)
    parts: list[tuple[str, Rows | None, Rows | None]]
    if table != "cables":
        parts = [("added", None, diff.added), ("removed", diff.removed, None), ("changed", diff.before, diff.after)]
    else:
        cabling = review.delta.cabling
        told = np.zeros(review.delta.head.cables.height, bool)
        told[np.concatenate([cabling.replugged[1], cabling.taken_out[1], cabling.relaid[1]])] = True
        rest = ~told[diff.after]
        parts = [
            ("added", None, cabling.new),
            ("removed", cabling.removed, None),
            ("replugged", *cabling.replugged),
            ("taken-out", *cabling.taken_out),
            ("relaid", *cabling.relaid),
            ("changed", diff.before[rest], diff.after[rest]),
        ]
    for change, was, now in parts:
        if _count(was, now):
            yield change, was, now


def _count(was: Rows | None, now: Rows | None) -> int:
    return len(was) if was is not None else len(now) if now is not None else 0


def _text(kind: str, table: str, change: str, rows: pl.DataFrame) -> bytes:
    about = {"type": kind, "table": table, "change": change}
    buffer = BytesIO()
    rows.select(*(pl.lit(value).alias(key) for key, value in about.items()), pl.all()).write_ndjson(buffer)
    return buffer.getvalue()
