"""Two sides and what differs between them, as every chapter reads it."""

from dataclasses import dataclass, replace
from functools import cached_property

from topology.plan import Plan
from topology.review.changes import Changes
from topology.review.side import Side
from topology.spec.model import Slurm


@dataclass(frozen=True)
class Review:
    """A base and a head, both with a plan; a side that is not there has an empty one."""

    base: Side
    head: Side
    artifacts: bool = False  # whether the text of rendered files is compared, too

    @cached_property
    def changes(self) -> Changes:
        """Differences of their tables."""
        base, head = self.base.plan, self.head.plan
        if base is None and head is None:
            raise ValueError("neither side has a plan")
        return Changes(base or nothing(head), head or nothing(base))  # type: ignore[arg-type]

    @property
    def plans(self) -> tuple[Plan, Plan]:
        """Plan of base and of head."""
        return self.changes.base, self.changes.head


def nothing(plan: Plan) -> Plan:
    """A plan of the same name on which nothing stands."""
    spec = replace(plan.spec, halls=(), compute=(), fabrics=(), stages=(), power=None, slurm=Slurm((), ()))
    empty = {name: frame.clear() for name, frame in plan.tables().items()}
    return Plan(spec=spec, catalog=plan.catalog, origins=(), **empty)
