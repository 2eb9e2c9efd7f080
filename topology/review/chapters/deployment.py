"""Deployment: stacks of Pulumi and the resources in them that are made, replaced or destroyed."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from topology.artifacts.pulumi.bundles import resource_inputs
from topology.review.amounts import both, count, plural
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
    look,
    some,
    strong,
)
from topology.review.review import ReviewPart
from topology.review.side import Side

INVENTORY, SUFFIX = "pulumi/inventory/", ".json"
NAMED = 12  # resources that the fold names per stack and kind of change


Resources = Mapping[str, tuple[tuple[str, Any], tuple[str, ...]]]  # digest and facts, and earlier names, by name


StackChange = Mapping[str, Sequence[str]]  # names of resources by the word for what happens to them
WORDS = ("new", "changed", "renamed", "destroyed")  # Pulumi keeps renamed ones by their aliases; others are untouched


def stacks(side: Side) -> dict[str, Resources]:
    """Resources of every stack by its stage, in the order of the spec."""
    paths = [path for path in side.artifacts if path.startswith(INVENTORY)]
    documents = [json.loads(data) for data in side.texts(paths).values()]
    order = documents[0]["stages"] if documents else []
    held = {document["stage"]: _resources(document, side) for document in documents}
    return {stage: held[stage] for stage in order if stage in held}


def _resources(document: Mapping[str, Any], side: Side) -> Resources:
    """Resources of an inventory, by what decides whether `pulumi up` updates them."""
    aliases = {each["name"]: tuple(each["aliases"]) for each in (*document["resources"], *document["bundles"])}
    inputs = resource_inputs(document, side.artifacts)
    return {name: (inputs[name], earlier) for name, earlier in aliases.items()}


def changed(base: Resources, head: Resources) -> StackChange:
    """What happens to the resources of a stack."""
    earlier = {name: next((old for old in head[name][1] if old in base), "") for name in head if name not in base}
    renamed = {name: old for name, old in earlier.items() if old}
    kept = [name for name in head if name in base]
    return {
        "new": [name for name in head if name not in base and name not in renamed],
        "changed": [name for name in kept if base[name][0] != head[name][0]],
        "renamed": list(renamed),
        "destroyed": [name for name in base if name not in {*renamed.values(), *kept}],
        "untouched": [name for name in kept if base[name][0] == head[name][0]],
    }


class DeploymentPart(ReviewPart):
    """What `pulumi up` would do."""

    title = "Deployment"
    paths = re.compile(r"pulumi/")

    def chapter(self) -> Chapter:
        """All of it; nothing where a side renders no files, or neither has stacks."""
        return super().chapter() if self.review.has_files and any(self.sides) else Chapter(self.title)

    def measures(self) -> Mapping[str, float]:
        """What --fail-on compares."""
        gone = sum(len(each["destroyed"]) for each in self.by_stack.values())
        return {"stacks-touched": len(self.touched), "resources-destroyed": gone}

    @cached_property
    def sides(self) -> tuple[dict[str, Resources], dict[str, Resources]]:
        """Stacks of both sides, those of base under the new names of their stages."""
        return self.delta.renames.under("stages", stacks(self.review.base)), stacks(self.review.head)

    @cached_property
    def by_stack(self) -> dict[str, StackChange]:
        """Changes by stack, in the order of head, then those that only base has."""
        base, head = self.sides
        return {name: changed(was or {}, now or {}) for name, (now, was) in both(head, base).items()}

    @property
    def touched(self) -> list[str]:
        """Stacks of which something is made, replaced, renamed or destroyed."""
        return [name for name, change in self.by_stack.items() if any(change[word] for word in WORDS)]

    @property
    def renamed(self) -> Mapping[str, str]:
        """Stacks whose stage has another name now: a stack is named after its stage."""
        return self.delta.renames.stages.renamed

    def figures(self) -> Iterator[Figure]:
        """The row of Pulumi."""
        if not self.touched:
            return
        before, after = self.sides
        back = {new: old for old, new in self.renamed.items()}
        yield Figure(("Pulumi",), _span([back.get(name, name) for name in before]), _span(list(after)), self._said())

    def _said(self) -> Words:
        base, head = self.sides
        parts: list[Words] = []
        for name in self.touched:
            change = self.by_stack[name]
            if name not in base:
                parts.append((Name(name), f" new ({plural(len(change['new']), 'resource')})"))
            elif name not in head:
                parts.append(
                    (Name(name), " ", strong("destroyed"), f" ({plural(len(change['destroyed']), 'resource')})")
                )
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
            why = "; rename it with pulumi stack rename, or its resources are made twice"
            yield look("stack renamed", ": ", Name(old), " → ", Name(new), why)
        for name in base:
            gone = self.by_stack[name]["destroyed"]
            many = plural(len(gone), "resource")
            if name not in head:
                yield look("destroyed", ": stack ", Name(name), f" with {many}")
            elif gone:
                yield look("destroyed", f": {many} of stack ", Name(name), ": ", *some(gone), *self._keep())

    def _keep(self) -> Words:
        """How resources named after something that is only renamed are kept."""
        renames = self.delta.renames
        every = {**renames.halls.renamed, **renames.groups.renamed, **renames.fabrics.renamed}
        new = some(list(every.values()))
        return ("; name ", *new, " under pulumi.renamed to keep what is only renamed") if every else ()

    def blocks(self) -> Iterator[Block]:
        """Stacks that are touched."""
        told = [word for word in WORDS if any(self.by_stack[name][word] for name in self.touched)]
        heads = (*told, "untouched")
        rows: list[tuple[Words, ...]] = [
            ((Name(name),), *((count(len(self.by_stack[name][word])),) for word in heads)) for name in self.touched
        ]
        if rows:
            yield TextTable(("stack", *heads), rows, (False, *[True] * len(heads)))

    def verdict(self) -> Verdict:
        """What has to be deployed, in one sentence."""
        if not self.touched:
            same = len(self.files) == 0
            return Verdict(
                Mark.FINE, ("— nothing to deploy" if same else "— nothing to deploy; the project's files differ",)
            )
        pulled = any(self.by_stack[name]["destroyed"] for name in self.touched)
        mark = Mark.LOOK if pulled or self.renamed else Mark.FINE
        return Verdict(mark, ("— to deploy: ", *some(self.touched, 8)))

    def folds(self) -> Iterator[Fold]:
        """Names of the resources."""
        every = [(name, word, self.by_stack[name][word]) for name in self.touched for word in WORDS]
        lines = [(Name(name), f" {count(len(of))} {word}: ", *some(of, NAMED)) for name, word, of in every if of]
        if lines:
            yield Fold((f"Resources of {plural(len(self.touched), 'stack')}",), (Bullets(lines),))


def _span(names: list[str]) -> Words:
    if len(names) < 3:  # noqa: PLR2004 - a range of two is longer than both
        return some(names) or ("–",)
    return (Name(names[0]), "–", Name(names[-1]))


def _tally(change: StackChange) -> str:
    return ", ".join(f"{count(len(change[word]))} {word}" for word in WORDS if change[word])
