"""Names of racks, nodes and switches, and lists of them folded into brackets.

A name is a template over numbers (`h1r0007n03`), so it is made, and folded, from the
numbers: no string is ever taken apart. Both work on whole columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from string import Formatter

import polars as pl

from topology.plan.plan import Plan
from topology.spec.model import Names

LONGEST_RANGE = 65_536  # hosts in one bracket item; slurmctld refuses more ("Too many hosts in range")


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

SWITCH: Template = (
    Part(column="fabric_name"),
    Part("-p"),
    Part(column="plane", width=1),
    Part("-"),
    Part(column="tier"),
    Part("-"),
    Part(column="group", width=4),
    Part("-"),
    Part(column="index", width=3),
)


def rack_template(names: Names) -> Template:
    """Parts of a rack name; columns hall_name, row_number, position, number."""
    columns = {"hall": "hall_name", "row": "row_number", "position": "position", "rack": "number"}
    return _parse(names.rack, {field: (Part(column=name),) for field, name in columns.items()})


def node_template(names: Names) -> Template:
    """Parts of a node name; those of its rack, and slot."""
    return _parse(names.node, {"rack": rack_template(names), "node": (Part(column="slot"),)})


def _parse(text: str, fields: dict[str, Template]) -> Template:
    parts: list[Part] = []
    for literal, field, form, _ in Formatter().parse(text):
        if literal:
            parts.append(Part(literal))
        if field is None:
            continue
        for part in fields[field]:
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


def rack_names(plan: Plan) -> pl.Series:
    """Name of every rack, in row order."""
    template = rack_template(plan.spec.names)
    return with_places(plan, plan.racks).select(name=spell(template))["name"]


def node_places(plan: Plan) -> pl.DataFrame:
    """Nodes, in row order, with every column that node names are made of."""
    racks = with_places(plan, plan.racks).select("rack", "hall_name", "row_number", "position", "number")
    return plan.nodes.join(racks, on="rack", maintain_order="left")


def node_names(plan: Plan) -> pl.Series:
    """Name of every node, in row order."""
    return node_places(plan).select(name=spell(node_template(plan.spec.names)))["name"]


def switch_names(plan: Plan) -> pl.Series:
    """Name of every switch, in row order: fabric, plane, tier, group, index."""
    fabrics = plan.fabrics.select("fabric", fabric_name="name")
    return plan.switches.join(fabrics, on="fabric", maintain_order="left").select(name=spell(SWITCH))["name"]


def unit_names(plan: Plan) -> pl.Series:
    """Name of every scalable unit, in row order: compute group and number."""
    groups = pl.Series([group.name for group in plan.spec.compute], dtype=pl.String)
    number = pl.col("number").cast(pl.String).str.zfill(4)
    return plan.units.select(name=pl.format("{}-{}", groups.gather(plan.units["group"]), number))["name"]


def appliance_names(plan: Plan) -> pl.Series:
    """Name of every appliance, in row order: fabric and index."""
    fabrics = plan.fabrics.select("fabric", fabric_name="name")
    number = pl.col("index").cast(pl.String).str.zfill(2)
    named = plan.appliances.join(fabrics, on="fabric", maintain_order="left")
    return named.select(name=pl.format("{}-appliance-{}", "fabric_name", number))["name"]


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


def power_node_names(plan: Plan) -> pl.Series:
    """Name of every device of the power tree, in row order: place, kind, side and number."""
    halls = plan.halls.select("hall", hall_name="name")
    rows = plan.rows.select("row", row_number="number")
    placed = plan.power_nodes.join(halls, on="hall", how="left", maintain_order="left").join(
        rows, on="row", how="left", maintain_order="left"
    )
    place = pl.concat_str(
        [
            pl.col("hall_name").fill_null("site"),
            pl.when(pl.col("row").is_not_null())
            .then(pl.format("-row{}", pl.col("row_number").cast(pl.String).str.zfill(2)))
            .otherwise(pl.lit("")),
        ]
    )
    number = pl.col("index").cast(pl.String).str.zfill(2)
    return placed.select(name=pl.format("{}-{}-{}{}", place, "kind", "side", number))["name"]
