"""Names of the spec that changed while what they stand for did not.

A name is renamed when it is gone on one side, new on the other, and what stands under it is
alike: the same racks at the same numbers for a hall, the same units for a group or a stage, the
same role and groups for a fabric. Halls come first, then what refers to them, so that several
renames at once are found, too. Where alike things are renamed together, the order of the spec decides.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from topology.plan import Plan

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
    sources, batteries = of_table("sources", _source_content), of_table("batteries", _battery_content)
    partitions = _changes(
        base,
        head,
        lambda plan: tuple(p.name for p in plan.spec.slurm.partitions),
        lambda plan: {p.name: _alike(sorted(_old(p.compute, plan, base, known))) for p in plan.spec.slurm.partitions},
    )
    controllers = _changes(
        base,
        head,
        lambda plan: tuple(c.name for c in plan.spec.slurm.clusters),
        lambda plan: {c.name: _alike(sorted(_old(c.compute, plan, base, known))) for c in plan.spec.slurm.clusters},
    )
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


def _alike(*facts: Hashable | list[str]) -> set[Hashable]:
    return {tuple(fact) if isinstance(fact, list) else fact for fact in facts}


def _old(names: Sequence[str], plan: Plan, base: Plan, renamed: Mapping[str, str]) -> list[str]:
    """Group names as the base side spells them."""
    back = {} if plan is base else {new: was for was, new in renamed.items()}
    return [back.get(name, name) for name in names]


def _hall_content(plan: Plan) -> Content:
    """Racks of each hall by number, with their design; of an empty hall its measures."""
    racks = plan.racks.select("hall", "number", "role", "design")
    held: dict[int, set[Hashable]] = {}
    for hall, *rack in racks.iter_rows():
        held.setdefault(hall, set()).add(tuple(rack))
    return {
        row["name"]: held.get(row["hall"], {(row["rows"], row["positions"], row["limit_u"])})
        for row in plan.halls.iter_rows(named=True)
    }


def _group_content(plan: Plan) -> Content:
    """Units of each group by number and place in their hall, with the rack design."""
    units = plan.units.join(plan.rows.select("row", row_number="number"), on="row", maintain_order="left")
    held: dict[int, set[Hashable]] = {}
    for group, *unit in units.select("group", "number", "row_number", "position").iter_rows():
        held.setdefault(group, set()).add((plan.groups["design"][group], *unit))
    return {name: held.get(at, set()) for at, name in enumerate(plan.groups["name"])}


def _fabric_content(plan: Plan, groups: Mapping[str, str], base: Plan) -> Content:
    """Role and groups of each fabric: what hangs on it."""
    spelled = [group.name for group in plan.spec.compute]
    roles = {fabric.name: (bool(fabric.joins), fabric.connects) for fabric in plan.spec.fabrics}
    return {
        row["name"]: _alike(
            (*roles[row["name"]], *sorted(_old([spelled[g] for g in row["groups"]], plan, base, groups)))
        )
        for row in plan.fabrics.iter_rows(named=True)
    }


def _stage_content(plan: Plan, groups: Mapping[str, str], base: Plan) -> Content:
    """Units that each stage adds, by group and number."""
    spelled = _old([group.name for group in plan.spec.compute], plan, base, groups)
    held: dict[int, set[Hashable]] = {}
    for stage, group, number in plan.units.select("stage", "group", "number").drop_nulls("stage").iter_rows():
        held.setdefault(stage, set()).add((spelled[group], number))
    return {name: held.get(at, set()) for at, name in enumerate(plan.stages["name"])}


def _source_content(plan: Plan) -> Content:
    rows = plan.sources.select("name", "kind", "capacity_w", "units")
    return {name: {tuple(facts)} for name, *facts in rows.iter_rows()}


def _battery_content(plan: Plan) -> Content:
    held: dict[str, set[Hashable]] = {}
    for name, *facts in plan.batteries.select("name", "bank", "product", "level").iter_rows():
        held.setdefault(name, set()).add(tuple(facts))
    return held
