"""Two sides and what differs between them, as every chapter reads it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from topology.diff.delta import Delta
from topology.plan import Plan
from topology.review.amounts import plural
from topology.review.document import Block, Chapter, Decision, Figure, Fold, Mark, Verdict, Words
from topology.review.file_changes import FileChanges
from topology.review.hunks import Hunk, hunks
from topology.review.side import Side
from topology.spec.model import Slurm


@dataclass(frozen=True)
class Review:
    """A base and a head, both with a plan; a side that is not there has an empty one."""

    base: Side
    head: Side
    artifacts: bool = False  # whether the text of rendered files is compared, too

    @cached_property
    def delta(self) -> Delta:
        """Differences of their tables."""
        base, head = self.base.plan, self.head.plan
        if base is None and head is None:
            raise ValueError("neither side has a plan")
        return Delta(base or nothing(head), head or nothing(base))  # type: ignore[arg-type]

    @cached_property
    def hunks(self) -> list[Hunk]:
        """Lines of the spec and the catalogue that changed."""
        return hunks(self.base, self.head)

    @property
    def has_files(self) -> bool:
        """Whether each side has files to compare, or is not there at all."""
        return all(side.renders or side.absent for side in (self.base, self.head))

    @cached_property
    def file_changes(self) -> FileChanges:
        """Rendered files that differ; none where a side has none to compare."""
        return FileChanges.between(self.base.artifacts, self.head.artifacts if self.has_files else self.base.artifacts)

    def rows(self, table: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Rows of a table of base and of head by name, those of base under the names that they have now."""
        base, head = ({row["name"]: row for row in plan.tables()[table].iter_rows(named=True)} for plan in self.plans)
        return self.delta.renames.under(table, base), head

    @property
    def plans(self) -> tuple[Plan, Plan]:
        """Plan of base and of head."""
        return self.delta.base, self.delta.head


class ReviewPart:
    """One engineer's part of a review: its facts, each worked out once, and what is said of them."""

    title: str
    paths = re.compile("(?!)")  # of the rendered files that are this engineer's

    def __init__(self, review: Review) -> None:
        self.review, self.delta = review, review.delta
        self.base, self.head = review.plans

    @cached_property
    def files(self) -> FileChanges:
        """This engineer's rendered files that differ."""
        return self.review.file_changes.of(self.paths)

    def unchanged(self, what: str) -> Words:
        """The end of a verdict on a part in which no fact differs: what stays, and how many files differ all the same.

        What is said to stay is what the rendered files hold, so they are asked, too.
        """
        if not self.review.has_files:
            return (f"; {what}, as far as it can be compared while a side has errors",)
        differ = plural(len(self.files), "rendered file differs", "rendered files differ")
        return (f"; {differ}" if len(self.files) else f"; {what}",)

    def figures(self) -> Iterable[Figure]:
        """Rows of the first table, of what differs."""
        return ()

    def decisions(self) -> Iterable[Decision]:
        """What somebody has to decide."""
        return ()

    def phrases(self) -> Iterable[Words]:
        """Parts of the first sentence."""
        return ()

    def blocks(self) -> Iterable[Block]:
        """What is always shown."""
        return ()

    def verdict(self) -> Verdict | None:
        """Whether it holds, in one sentence; None where the change does not touch it."""
        return None

    def folds(self) -> Iterable[Fold]:
        """What is shown when asked for."""
        return ()

    def measures(self) -> Mapping[str, float]:
        """What --fail-on compares."""
        return {}

    def chapter(self) -> Chapter:
        """All of it; nothing where the part has nothing to compare."""
        decisions, verdict = tuple(self.decisions()), self.verdict()
        if verdict is not None:  # a verdict is never better than what has to be decided
            verdict = replace(verdict, mark=max(verdict.mark, *(each.mark for each in decisions), Mark.FINE))
        return Chapter(
            self.title,
            tuple(self.figures()),
            decisions,
            tuple(self.phrases()),
            tuple(self.blocks()),
            verdict,
            tuple(self.folds()),
            self.measures(),
        )


def nothing(plan: Plan) -> Plan:
    """A plan of the same name on which nothing stands."""
    spec = replace(plan.spec, halls=(), compute=(), fabrics=(), stages=(), power=None, slurm=Slurm((), ()))
    empty = {name: frame.clear() for name, frame in plan.tables().items()}  # words of kinds mean the same on both sides
    return Plan(spec=spec, catalog=plan.catalog, origins=(), **empty)
