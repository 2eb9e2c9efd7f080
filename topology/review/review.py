"""Two sides and what differs between them, as every chapter reads it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from topology.diff.delta import Delta
from topology.plan import Plan
from topology.review.document import Block, Chapter, Decision, Figure, Fold, Verdict, Words
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

    @property
    def files(self) -> bool:
        """Whether each side has files to compare, or is not there at all."""
        return all(side.renders or side.absent for side in (self.base, self.head))

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

    def __init__(self, review: Review) -> None:
        self.review, self.delta = review, review.delta
        self.base, self.head = review.plans

    def figures(self) -> Iterable[Figure]:
        """Rows of the first table."""
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
        return Chapter(
            self.title,
            tuple(self.figures()),
            tuple(self.decisions()),
            tuple(self.phrases()),
            tuple(self.blocks()),
            self.verdict(),
            tuple(self.folds()),
            self.measures(),
        )


def nothing(plan: Plan) -> Plan:
    """A plan of the same name on which nothing stands."""
    spec = replace(plan.spec, halls=(), compute=(), fabrics=(), stages=(), power=None, slurm=Slurm((), ()))
    empty = {name: frame.clear() for name, frame in plan.tables().items()}  # words of kinds mean the same on both sides
    return Plan(spec=spec, catalog=plan.catalog, origins=(), **empty)
