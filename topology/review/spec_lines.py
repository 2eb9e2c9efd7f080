"""Changed lines of the spec and of the user's own catalogue, each with what it caused.

A row knows the spec path that asked for it, and a line the path it stands in. Rows that changed are counted
under the innermost changed line's item; what follows from items without a changed line is told as well, so
that every changed row is under some line. A catalogue file causes what changes in the rows of its product, and of
those that are made of it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np
import polars as pl

from topology.diff.delta import Delta
from topology.diff.matching import Rows
from topology.plan import Plan
from topology.review.amounts import plural
from topology.review.document import Bullets, FileLines, Fold, Name, Note, Words
from topology.review.findings import named
from topology.review.hunks import Hunk
from topology.review.review import Review
from topology.source import YamlSource

Causes = Mapping[tuple[str | int, ...], Counter[tuple[str, str]]]  # counts by table and sign, by named path
_PRODUCTS = {"racks": "design", "nodes": "product", "switches": "product", "batteries": "product"}
_COUNTED = {  # tables that are told, and one row of each
    "halls": "hall",
    "units": "unit",
    "racks": "rack",
    "nodes": "node",
    "switches": "switch",
    "cables": "cable",
    "stages": "stage",
    "sources": "source",
    "power_nodes": "power device",
    "feeds": "feed",
    "batteries": "battery bank",
    "cells": "cell",
}


def causes(delta: Delta, base: YamlSource | None, head: YamlSource | None) -> Causes:
    """How many rows changed by the spec item that asked for them: added and changed by head's, removed by base's."""
    held: dict[tuple[str | int, ...], Counter[tuple[str, str]]] = {}
    for table in _COUNTED:
        added, removed, other = _rows_of(delta, table)
        parts = ((delta.head, head, added, "+"), (delta.base, base, removed, "−"), (delta.head, head, other, "~"))
        for plan, source, rows, sign in parts:
            if not len(rows) or source is None or (table, sign) == ("stages", "~"):
                continue  # the sums of a stage follow from everything else
            origins = np.bincount(plan.tables()[table]["origin"].to_numpy()[rows])
            for origin in np.flatnonzero(origins):
                path = named(plan.origins[origin], source)
                held.setdefault(path, Counter())[table, sign] += int(origins[origin])
    return held


def _rows_of(delta: Delta, table: str) -> tuple[Rows, Rows, Rows]:
    """Rows added (of head), removed (of base) and changed (of head), cables as those who pull them see it."""
    diff = delta.table(table)
    if table != "cables":
        return diff.added, diff.removed, diff.after
    cabling = delta.cabling
    other = np.zeros(delta.head.cables.height, bool)
    other[diff.after] = True
    other[cabling.replugged[1]] = True
    return cabling.new, cabling.removed, np.flatnonzero(other)


def fold(review: Review) -> Fold | None:
    """The fold of changed lines; None where the text is the same."""
    if not review.hunks:
        return None
    changed, comments = _told_apart(review.hunks)
    caused = causes(review.delta, review.base.source, review.head.source)
    told: set[tuple[str | int, ...]] = set()
    groups = []
    for hunk in changed:
        if hunk.file:
            groups.append(
                (f"@@ {hunk.file} {_where(hunk)} @@ {_caused_by(review.delta, hunk.file)}".rstrip(), *hunk.lines)
            )
            continue
        paths = [
            *_paths(review.base.source, hunk.base_line, hunk.removed),
            *_paths(review.head.source, hunk.head_line, hunk.added),
        ]
        mine = [path for path in caused if path not in told and any(_within(path, other) for other in paths)]
        told.update(mine)
        groups.append((f"@@ {_where(hunk)} @@ {_effect(caused, mine)}".rstrip(), *hunk.lines))
    rest = [path for path in caused if path not in told]
    blocks: list[FileLines | Bullets | Note] = [FileLines("diff", groups)] if groups else []
    if comments:
        blocks.append(Note((f"And {plural(comments, 'changed line', 'changed lines')} of comments.",)))
    if rest:
        items: list[Words] = [(Name(_spelled(path)), f": {_effect(caused, [path])}") for path in rest]
        blocks += [Note(("Through items whose own lines did not change:",)), Bullets(items)]
    of = "the spec and its catalogue" if any(hunk.file for hunk in changed) else "the spec"
    one, many = f"changed line of {of}, and what it causes", f"changed lines of {of}, and what they cause"
    return Fold((plural(sum(hunk.height for hunk in changed), one, many),), tuple(blocks))


def _caused_by(delta: Delta, file: str) -> str:
    """What changes in the rows of a catalogue file's product, and of the racks that are made of it."""
    slug = PurePosixPath(file).stem
    counted: Counter[tuple[str, str]] = Counter()
    for table, column in _PRODUCTS.items():
        diff = delta.table(table)
        for plan, rows, sign in (
            (delta.head, diff.added, "+"),
            (delta.base, diff.removed, "−"),
            (delta.head, diff.after, "~"),
        ):
            slugs = _made_of(plan, table, slug)
            counted[table, sign] += int(plan.tables()[table][column].gather(rows).is_in(slugs).sum())
    return _effect({(): counted}, [()])


def _made_of(plan: Plan, table: str, slug: str) -> list[str]:
    """The product, and of racks the designs that hold it."""
    return [slug, *(plan.groups.filter(pl.col("product") == slug)["design"] if table == "racks" else ())]


def _told_apart(changed: Sequence[Hunk]) -> tuple[list[Hunk], int]:
    """Hunks that hold more than comments, and the number of lines of the others."""
    told = [
        hunk
        for hunk in changed
        if any(line[1:].strip() and not line[1:].strip().startswith("#") for line in hunk.lines)
    ]
    return told, sum(hunk.height for hunk in changed if hunk not in told)


def _where(hunk: Hunk) -> str:
    if not hunk.added:
        return f"before line {hunk.head_line}"
    last = hunk.head_line + len(hunk.added) - 1
    return f"line {hunk.head_line}" if last == hunk.head_line else f"lines {hunk.head_line}–{last}"


def _paths(source: YamlSource | None, first: int, lines: tuple[str, ...]) -> Iterator[tuple[str | int, ...]]:
    """Named paths of the items that stand on some lines."""
    if source is None or not lines:
        return
    for path in dict.fromkeys(source.paths_on(first, first + len(lines) - 1)):
        yield named(path, source)


def _within(item: tuple[str | int, ...], line: tuple[str | int, ...]) -> bool:
    """Whether a line stands in an item, or begins one that holds it."""
    return line[: len(item)] == item if len(item) <= len(line) else item[: len(line)] == line and len(line) > 1


def _effect(caused: Causes, paths: list[tuple[str | int, ...]]) -> str:
    total = sum((caused[path] for path in paths), Counter[tuple[str, str]]())
    order = {table: at for at, table in enumerate(_COUNTED)}
    shown = sorted((+total).items(), key=lambda pair: (order[pair[0][0]], "+−~".index(pair[0][1])))
    return ", ".join(f"{sign}{_rows(number, table)}" for (table, sign), number in shown)


def _rows(number: int, table: str) -> str:
    one = _COUNTED[table]
    return plural(number, one, f"{one}es" if one.endswith("ch") else "")


def _spelled(path: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in path) or "the spec"
