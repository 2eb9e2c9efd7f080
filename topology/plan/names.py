"""What rows are called: labels of every table, and names of nodes folded into bracketed lists.

A name is a template over numbers (`h1r0007n03`), so it is made, and folded, from the
numbers: no string is ever taken apart. Both work on whole columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from string import Formatter

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.plan.plan import Plan
from topology.plan.tables import BY_NAME, ORIGINS, Column, Table
from topology.spec.model import Names

LONGEST_RANGE = 65_536  # hosts in one bracket item; slurmctld refuses more ("Too many hosts in range")


# What the fields of the spec's own format strings are in the tables
SPEC_FIELDS = {
    "racks": {"hall": "hall", "row": "row.number", "position": "position", "rack": "number"},
    "nodes": {"rack": "rack", "node": "slot"},
}


@dataclass(frozen=True)
class Labels:
    """What every row of a plan is called, by the dictionary's labels; each table's are made once, when asked for."""

    plan: Plan
    made: dict[str, pl.Series] = field(default_factory=dict)

    def of(self, table: str) -> pl.Series:
        """Label of every row of a table, in row order."""
        if table not in self.made:
            self.made[table] = self._spell(BY_NAME[table], self._frame(table))
        return self.made[table]

    def words(self, table: str, rows: NDArray[np.integer]) -> pl.DataFrame:
        """Some rows as people read them: the label as `name` and labels in place of row numbers."""
        meaning, frame = BY_NAME[table], self._frame(table)[rows]
        name = [self._spell(meaning, frame)] if meaning.named else []
        return pl.DataFrame([*name, *(self._column(column, frame) for column in meaning.facts)])

    def _frame(self, table: str) -> pl.DataFrame:
        return self.plan.pointers() if table == ORIGINS.name else self.plan.tables()[table]

    def _spell(self, table: Table, frame: pl.DataFrame) -> pl.Series:
        text, fields = table.label, SPEC_FIELDS.get(table.name, {})
        if table.name in SPEC_FIELDS:
            text = getattr(self.plan.spec.names, text.rpartition("/")[2])
        parts: list[pl.Series | str] = []
        for literal, named, width, _ in Formatter().parse(text):
            parts.append(literal)
            if named is not None:
                ways = [self._part(table, frame, fields.get(way, way)) for way in named.split("|")]
                part = pl.select(pl.coalesce(ways)).to_series() if len(ways) > 1 else ways[0]
                parts.append(part.str.zfill(int(width.rstrip("d"))) if width else part)
        texts = [pl.lit(part) for part in parts if not isinstance(part, str) or part]
        return pl.select(name=pl.concat_str(texts)).to_series()

    def _part(self, table: Table, frame: pl.DataFrame, way: str) -> pl.Series:
        """A quoted word, a column as text, or with a dot a column of the row that a column points at."""
        if way.startswith("'"):
            return pl.repeat(way.strip("'"), frame.height, eager=True)
        name, _, there = way.partition(".")
        column = next(column for column in table.columns if column.name == name)
        if there:
            return _at(self._frame(column.to)[there], frame[name]).cast(pl.String)
        return self._column(column, frame).cast(pl.String)

    def _column(self, column: Column, frame: pl.DataFrame) -> pl.Series:
        """A column with labels in place of the row numbers of other tables."""
        values = frame[column.name]
        if column.to.startswith("@"):
            tables = frame[column.to[1:]].cast(pl.String)
            ways = [_at(self.of(each), values.set(tables != each, None)) for each in tables.unique()]
            none = pl.Series([None] * frame.height, dtype=pl.String)
            return pl.select(pl.coalesce([none, *ways]).alias(column.name)).to_series()
        if column.to and isinstance(column.dtype, pl.List):
            return values.list.eval(pl.lit(self.of(column.to)).gather(pl.element()))
        if column.to:
            return _at(self.of(column.to), values)
        return values.cast(pl.String) if isinstance(values.dtype, pl.Enum) else values


def _at(labels: pl.Series, at: pl.Series) -> pl.Series:
    """Labels at some row numbers; null where the number is."""
    if not at.len() or at.null_count() == at.len():
        return pl.Series(at.name, [None] * at.len(), dtype=labels.dtype)
    return labels.gather(at).alias(at.name)


def labels(plan: Plan, table: str) -> pl.Series:
    """Label of every row of a table, in row order: what racks, nodes, switches and others are called."""
    return Labels(plan).of(table)


@dataclass(frozen=True, slots=True)
class Part:
    """A literal, a text column or a padded number column of a name."""

    literal: str = ""
    column: str = ""
    width: int | None = None  # digits; None: a text column

    def shown(self) -> pl.Expr:
        """The part as text."""
        if not self.column:
            return pl.lit(self.literal)
        text = pl.col(self.column).cast(pl.String)
        return text if self.width is None else text.str.zfill(self.width)


Template = tuple[Part, ...]


def rack_template(names: Names) -> Template:
    """Parts of a rack name; columns hall_name, row_number, position, number."""
    columns = {"hall": "hall_name", "row": "row_number", "position": "position", "rack": "number"}
    return _parse(names.rack, {field: (Part(column=name),) for field, name in columns.items()})


def node_template(names: Names) -> Template:
    """Parts of a node name; those of its rack, and slot."""
    return _parse(names.node, {"rack": rack_template(names), "node": (Part(column="slot"),)})


def _parse(text: str, fields: dict[str, Template]) -> Template:
    parts: list[Part] = []
    for literal, named, form, _ in Formatter().parse(text):
        if literal:
            parts.append(Part(literal))
        if named is None:
            continue
        for part in fields[named]:
            if part.column in ("", "hall_name") or part.width is not None:
                parts.append(part)
            else:
                parts.append(Part(column=part.column, width=int((form or "").rstrip("d") or 1)))
    return tuple(parts)


def spell(template: Template) -> pl.Expr:
    """Expression for the whole name."""
    return pl.concat_str([part.shown() for part in template])


def with_places(plan: Plan, racks: pl.DataFrame) -> pl.DataFrame:
    """Racks with the columns that rack names are made of."""
    return racks.join(plan.rows.select("row", row_number="number"), on="row", maintain_order="left").join(
        plan.halls.select("hall", hall_name="name"), on="hall", maintain_order="left"
    )


def node_places(plan: Plan) -> pl.DataFrame:
    """Nodes, in row order, with every column that node names are made of."""
    racks = with_places(plan, plan.racks).select("rack", "hall_name", "row_number", "position", "number")
    return plan.nodes.join(racks, on="rack", maintain_order="left")


def fold(frame: pl.DataFrame, template: Template, by: Sequence[str] = ()) -> pl.DataFrame:
    """Rows folded into one bracketed list per `by`: columns `by` and `hosts`, sorted by `by`.

    From the last number of the name to the first: what is alike to its right shares a
    bracket, so `h1r0001n01 … h1r0064n18` becomes ``h1r[0001-0064]n[01-18]``. Exact for any
    set of names and any number of dimensions.
    """
    keys = list(by)
    numbers = [part for part in template if part.width is not None and part.column not in keys]
    texts = [part.column for part in template if part.column and part.width is None and part.column not in keys]
    rest = frame.select(*keys, *texts, *(part.column for part in numbers), _tail=pl.lit(""))
    outer = [*keys, *texts, *(part.column for part in numbers)]
    for part in reversed(template):
        if part not in numbers:
            rest = rest.with_columns(_tail=pl.concat_str([part.shown(), pl.col("_tail")]))
            continue
        outer.remove(part.column)
        rest = _bracket(rest, part, outer)
    return (
        rest.sort([*keys, *texts, "_first"] if numbers else [*keys, *texts])
        .group_by(keys or pl.lit(0).alias("_all"), maintain_order=True)
        .agg(hosts=pl.col("_tail").str.join(","))
        .select(*keys, "hosts")
    )


def _bracket(rest: pl.DataFrame, part: Part, outer: list[str]) -> pl.DataFrame:
    """Fold one number column: one row per `outer` and tail, whose tail gains the bracket."""
    same, number = [*outer, "_tail"], part.column
    runs = (
        rest.sort([*same, number])
        .with_columns(_run=pl.col(number).cast(pl.Int64) - pl.int_range(pl.len()).over(same))
        .with_columns(_run=pl.col("_run") * LONGEST_RANGE + pl.col(number).cast(pl.Int64) // LONGEST_RANGE)
        .group_by([*same, "_run"], maintain_order=True)
        .agg(_low=pl.col(number).min(), _high=pl.col(number).max())
    )
    width = part.width or 1
    low, high = (pl.col(name).cast(pl.String).str.zfill(width) for name in ("_low", "_high"))
    spans = pl.when(pl.col("_low") == pl.col("_high")).then(low).otherwise(pl.concat_str([low, pl.lit("-"), high]))
    lists = (
        runs.with_columns(_span=spans)
        .group_by(same, maintain_order=True)
        .agg(
            _list=pl.col("_span").str.join(","),
            _single=(pl.len() == 1) & (pl.col("_low").first() == pl.col("_high").first()),
            _first=pl.col("_low").min(),
        )
    )
    bracket = pl.when("_single").then(pl.col("_list")).otherwise(pl.format("[{}]", "_list"))
    return lists.with_columns(_tail=pl.concat_str([bracket, pl.col("_tail")])).drop("_list", "_single")
