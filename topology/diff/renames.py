"""Names of the spec that changed while what they stand for did not.

A name is renamed when it is gone on one side, new on the other, and what stands under it is
alike: the same racks at the same numbers for a hall, the same units for a group or a stage, the
same role and groups for a fabric. Halls come first, then what refers to them, so that several
renames at once are found, too. Where alike things are renamed together, the order of the spec decides.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import polars as pl

from topology.plan import Plan
from topology.spec.model import Partition, SlurmCluster

Value = TypeVar("Value")
Names = tuple[str, ...]
LEAST = 0.5  # share of what stands under either name that has to be under both


@dataclass(frozen=True, slots=True)
class NameChanges:
    """Names of one kind on both sides, and which of them were renamed."""

    base: Names
    head: Names
    renamed: Mapping[str, str]  # new name by old name

    @property
    def removed(self) -> Names:
        """Names that are gone, renamed ones left out."""
        return tuple(name for name in self.base if name not in self.head and name not in self.renamed)

    @property
    def added(self) -> Names:
        """Names that are new, renamed ones left out."""
        new = set(self.renamed.values())
        return tuple(name for name in self.head if name not in self.base and name not in new)


@dataclass(frozen=True, slots=True)
class Renames:
    """Every kind of name that the tables and the scheduler are made of."""

    halls: NameChanges
    groups: NameChanges
    fabrics: NameChanges
    stages: NameChanges
    sources: NameChanges
    batteries: NameChanges
    partitions: NameChanges
    controllers: NameChanges

    def of(self, table: str) -> Mapping[str, str]:
        """New names by old ones of a table's rows; none for a table whose names are not given in the spec."""
        kind = "batteries" if table in {"bank_sizings", "bank_needs"} else table  # tables of the same entries
        changes: NameChanges | None = getattr(self, kind, None)
        return changes.renamed if changes else {}

    def under(self, table: str, held: Mapping[str, Value]) -> dict[str, Value]:
        """What base has by name, under the names that head has for them."""
        renamed = self.of(table)
        return {renamed.get(name, name): value for name, value in held.items()}

    def each(self) -> dict[str, NameChanges]:
        """By the word people use for one of the kind."""
        return {
            "hall": self.halls,
            "group": self.groups,
            "fabric": self.fabrics,
            "stage": self.stages,
            "source": self.sources,
            "battery": self.batteries,
            "partition": self.partitions,
            "Slurm cluster": self.controllers,
        }


def renames(base: Plan, head: Plan) -> Renames:
    """What was renamed between two plans."""

    def of_table(table: str, content: Callable[[Plan], Content]) -> NameChanges:
        return _changes(base, head, lambda plan: tuple(dict.fromkeys(plan.tables()[table]["name"])), content)

    halls, groups = of_table("halls", _hall_content), of_table("groups", _group_content)
    known = groups.renamed
    fabrics = of_table("fabrics", lambda plan: _fabric_content(plan, known, base))
    stages = of_table("stages", lambda plan: _stage_content(plan, known, base))
    sources = of_table("sources", lambda plan: _by_first(plan.sources.select("name", "kind", "capacity_w", "units")))
    batteries = of_table("batteries", lambda plan: _by_first(plan.batteries.select("name", "bank", "product", "level")))

    def of_slurm(entries: Callable[[Plan], Iterable[Partition | SlurmCluster]]) -> NameChanges:
        def content(plan: Plan) -> Content:
            return {each.name: {tuple(sorted(_old(each.compute, plan, base, known)))} for each in entries(plan)}

        return _changes(base, head, lambda plan: tuple(each.name for each in entries(plan)), content)

    partitions = of_slurm(lambda plan: plan.spec.slurm.partitions)
    controllers = of_slurm(lambda plan: plan.spec.slurm.clusters)
    return Renames(halls, groups, fabrics, stages, sources, batteries, partitions, controllers)


Content = Mapping[str, set[Hashable]]


def _changes(base: Plan, head: Plan, names: Callable[[Plan], Names], content: Callable[[Plan], Content]) -> NameChanges:
    old, new = names(base), names(head)
    gone = [name for name in old if name not in new]
    come = [name for name in new if name not in old]
    return NameChanges(old, new, _pairs(gone, come, content(base), content(head)) if gone and come else {})


def _pairs(gone: Sequence[str], come: Sequence[str], base: Content, head: Content) -> dict[str, str]:
    """Old and new names whose content is most alike, the best pairs first, then in order of the spec."""
    scored = []
    for at, was in enumerate(gone):
        for to, now in enumerate(come):
            both, either = base[was] & head[now], base[was] | head[now]
            share = len(both) / len(either) if either else 0.0
            if share > LEAST:
                scored.append((-share, at, to))
    pairs: dict[str, str] = {}
    for _, at, to in sorted(scored):
        if gone[at] not in pairs and come[to] not in pairs.values():
            pairs[gone[at]] = come[to]
    return {was: pairs[was] for was in gone if was in pairs}


def _by_first(rows: pl.DataFrame) -> dict[Any, set[Hashable]]:
    """What stands in the other columns of the rows, by the value of the first."""
    held: dict[Any, set[Hashable]] = {}
    for first, *facts in rows.iter_rows():
        held.setdefault(first, set()).add(tuple(facts))
    return held


def _old(names: Sequence[str], plan: Plan, base: Plan, renamed: Mapping[str, str]) -> list[str]:
    """Group names as the base side spells them."""
    back = {} if plan is base else {new: was for was, new in renamed.items()}
    return [back.get(name, name) for name in names]


def _hall_content(plan: Plan) -> Content:
    """Racks of each hall by number, with their design; of an empty hall its measures."""
    held = _by_first(plan.racks.select("hall", "number", "role", "design"))
    halls = plan.halls.select("hall", "name", "rows", "positions", "limit_u")
    return {name: held.get(hall, {tuple(measures)}) for hall, name, *measures in halls.iter_rows()}


def _group_content(plan: Plan) -> Content:
    """Units of each group by number and place in their hall, with the rack design."""
    units = plan.units.join(plan.rows.select("row", row_number="number"), on="row", maintain_order="left")
    units = units.with_columns(design=plan.groups["design"].gather(units["group"]))
    held = _by_first(units.select("group", "design", "number", "row_number", "position"))
    return {name: held.get(at, set()) for at, name in enumerate(plan.groups["name"])}


def _fabric_content(plan: Plan, groups: Mapping[str, str], base: Plan) -> Content:
    """Role and groups of each fabric: what hangs on it."""
    spelled = _old([group.name for group in plan.spec.compute], plan, base, groups)
    roles = {fabric.name: (bool(fabric.joins), fabric.connects) for fabric in plan.spec.fabrics}
    fabrics = plan.fabrics.select("name", "groups").iter_rows()
    return {name: {(*roles[name], *sorted(spelled[group] for group in held))} for name, held in fabrics}


def _stage_content(plan: Plan, groups: Mapping[str, str], base: Plan) -> Content:
    """Units that each stage adds, by group and number."""
    spelled = pl.Series(_old([group.name for group in plan.spec.compute], plan, base, groups), dtype=pl.String)
    units = plan.units.select("stage", pl.lit(spelled).gather("group").alias("group"), "number")
    held = _by_first(units.drop_nulls("stage"))
    return {name: held.get(at, set()) for at, name in enumerate(plan.stages["name"])}
