"""Deployment: stacks of Pulumi and the resources in them that are made, replaced or destroyed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from topology.artifacts.output.manifest import digest_of, files_below
from topology.review.amounts import count, plural
from topology.review.document import (
    Block,
    Bullets,
    Chapter,
    Decision,
    Figure,
    Fold,
    Mark,
    Name,
    TextTable,
    Verdict,
    Words,
    listed,
    strong,
)
from topology.review.document import names as some
from topology.review.review import Review
from topology.review.side import Side

INVENTORY, SUFFIX = "pulumi/inventory/", ".json"
NAMED = 12  # resources that the fold names per stack and kind of change


def chapter(review: Review) -> Chapter:
    """What `pulumi up` would do; nothing where a side renders no files."""
    stacks = _Stacks(review)
    if not stacks.comparable:
        return Chapter(title="Deployment")
    return Chapter(
        title="Deployment",
        figures=tuple(stacks.figures()),
        decisions=tuple(stacks.decisions()),
        blocks=tuple(stacks.blocks()),
        verdict=stacks.verdict(),
        folds=tuple(stacks.folds()),
        measures={
            "stacks-touched": len(stacks.touched),
            "resources-destroyed": sum(len(each.removed) for each in stacks.changes.values()),
        },
    )


Resources = Mapping[str, tuple[str, tuple[str, ...]]]  # digest and earlier names by name


@dataclass(frozen=True, slots=True)
class StackChange:
    """Resources of one stack by name, as they come, change, go and stay."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: tuple[str, ...]  # under the new name; Pulumi keeps them by their aliases
    same: int

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.removed or self.renamed)


def stacks(side: Side) -> dict[str, Resources]:
    """Resources of every stack by its stage, in the order of the spec."""
    paths = [path for path in side.artifacts if path.startswith(INVENTORY)]
    documents = [json.loads(data) for data in side.texts(paths).values()]
    order = documents[0]["stages"] if documents else []
    held = {document["stage"]: _resources(document, side) for document in documents}
    return {stage: held[stage] for stage in order if stage in held}


def _resources(document: Mapping[str, Any], side: Side) -> Resources:
    """Resources of an inventory; a bundle's digest is that of the files in its folder."""
    made = {each["name"]: (each["digest"], tuple(each["aliases"])) for each in document["resources"]}
    for each in document["bundles"]:
        files = files_below(side.artifacts, each["folder"])
        made[each["name"]] = (digest_of(files.items()), tuple(each["aliases"]))
    return made


def changed(base: Resources, head: Resources) -> StackChange:
    """What happens to the resources of a stack."""
    earlier = {name: next((old for old in head[name][1] if old in base), "") for name in head if name not in base}
    renamed = {name: old for name, old in earlier.items() if old}
    both = [name for name in head if name in base]
    other = [name for name in both if base[name][0] != head[name][0]]
    kept = {*renamed.values(), *both}
    return StackChange(
        tuple(name for name in head if name not in base and name not in renamed),
        tuple(other),
        tuple(name for name in base if name not in kept),
        tuple(renamed),
        len(both) - len(other),
    )


class _Stacks:
    """The chapter's facts, each worked out once."""

    def __init__(self, review: Review) -> None:
        self.review = review

    @property
    def comparable(self) -> bool:
        """Whether both sides have files, or are not there at all, and one has stacks."""
        return all(side.renders or side.absent for side in (self.review.base, self.review.head)) and any(self.sides)

    @cached_property
    def sides(self) -> tuple[dict[str, Resources], dict[str, Resources]]:
        """Stacks of both sides, those of base under the new names of their stages."""
        base = {self.renamed.get(name, name): held for name, held in stacks(self.review.base).items()}
        return base, stacks(self.review.head)

    @cached_property
    def changes(self) -> dict[str, StackChange]:
        """Changes by stack, in the order of head, then those that only base has."""
        base, head = self.sides
        return {name: changed(base.get(name, {}), head.get(name, {})) for name in dict.fromkeys([*head, *base])}

    @property
    def touched(self) -> list[str]:
        """Stacks of which something is made, replaced, renamed or destroyed."""
        return [name for name, change in self.changes.items() if change]

    @property
    def renamed(self) -> dict[str, str]:
        """Stacks whose stage has another name now: a stack is named after its stage."""
        return dict(self.review.changes.renames.stages.renamed)

    def figures(self) -> Iterator[Figure]:
        """The row of Pulumi."""
        before, after = self.sides
        back = {new: old for old, new in self.renamed.items()}
        yield Figure(("Pulumi",), _span([back.get(name, name) for name in before]), _span(list(after)), self._said())

    def _said(self) -> Words:
        base, head = self.sides
        parts: list[Words] = []
        for name in self.touched:
            change = self.changes[name]
            if name not in base:
                parts.append((Name(name), f" new ({plural(len(change.new), 'resource')})"))
            elif name not in head:
                parts.append((Name(name), " ", strong("destroyed"), f" ({plural(len(change.removed), 'resource')})"))
            else:
                parts.append((Name(name), f" {_tally(change)}"))
        same = [name for name in head if name not in self.touched]
        shown = parts[:3] + ([(f"{plural(len(parts) - 3, 'more stack', 'more stacks')} touched",)] if parts[3:] else [])
        if same:
            shown.append((*_span(same), " untouched"))
        return listed(shown) or ("0",)

    def decisions(self) -> Iterator[Decision]:
        """Stacks and resources that are destroyed or renamed."""
        base, head = self.sides
        for old, new in self.renamed.items():
            words: Words = (strong("stack renamed"), ": ", Name(old), " → ", Name(new))
            yield Decision(Mark.LOOK, (*words, "; rename it with pulumi stack rename, or its resources are made twice"))
        for name in base:
            change = self.changes[name]
            if name not in head:
                many = plural(len(change.removed), "resource")
                yield Decision(Mark.LOOK, (strong("destroyed"), ": stack ", Name(name), f" with {many}"))
            elif name in head and change.removed:
                many = plural(len(change.removed), "resource")
                where: Words = (f": {many} of stack ", Name(name), ": ", *some(change.removed))
                yield Decision(Mark.LOOK, (strong("destroyed"), *where, *self._keep()))

    def _keep(self) -> Words:
        """How resources named after something that is only renamed are kept."""
        renames = self.review.changes.renames
        every = {**renames.halls.renamed, **renames.groups.renamed, **renames.fabrics.renamed}
        return (
            ("; name ", *some(list(every.values())), " under pulumi.renamed to keep what is only renamed")
            if every
            else ()
        )

    def blocks(self) -> Iterator[Block]:
        """Stacks that are touched."""
        rows: list[tuple[Words, ...]] = []
        for name, each in self.changes.items():
            parts = (len(each.new), len(each.changed), len(each.renamed), len(each.removed), each.same)
            if each:
                rows.append(((Name(name),), *((count(part),) for part in parts)))
        if rows:
            heads = ("stack", "new", "changed", "renamed", "destroyed", "untouched")
            yield TextTable(heads, rows, (False, *[True] * 5))

    def verdict(self) -> Verdict:
        """What has to be deployed, in one sentence."""
        if not self.touched:
            return Verdict(Mark.FINE, ("— nothing to deploy",))
        pulled = any(self.changes[name].removed for name in self.touched)
        mark = Mark.LOOK if pulled or self.renamed else Mark.FINE
        return Verdict(mark, ("— to deploy: ", *some(self.touched, 8)))

    def folds(self) -> Iterator[Fold]:
        """Names of the resources."""
        lines: list[Words] = []
        for name in self.touched:
            change = self.changes[name]
            for word, every in (
                ("new", change.new),
                ("changed", change.changed),
                ("renamed", change.renamed),
                ("destroyed", change.removed),
            ):
                if every:
                    lines.append((Name(name), f" {count(len(every))} {word}: ", *some(every, NAMED)))
        if lines:
            yield Fold((f"Resources of {plural(len(self.touched), 'stack')}",), (Bullets(lines),))


def _span(names: list[str]) -> Words:
    if len(names) < 3:  # noqa: PLR2004 - a range of two is longer than both
        return some(names) or ("–",)
    return (Name(names[0]), "–", Name(names[-1]))


def _tally(change: StackChange) -> str:
    parts = (
        (change.new, "new"),
        (change.changed, "changed"),
        (change.renamed, "renamed"),
        (change.removed, "destroyed"),
    )
    return ", ".join(f"{count(len(every))} {word}" for every, word in parts if every)
