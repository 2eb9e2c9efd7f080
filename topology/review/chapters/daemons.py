"""Every slurmctld of a side, from the same view that its files are rendered from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from topology.artifacts.slurm.clusters import controllers
from topology.artifacts.slurm.files import SlurmView, slurm_view
from topology.plan import Plan
from topology.review.side import Side


@dataclass(frozen=True, slots=True)
class Slurmctld:
    """One slurmctld of the last stage."""

    view: SlurmView

    @property
    def blocks(self) -> int:
        """Blocks of all its topologies."""
        return sum(len(topology.blocks) for topology in self.view.topologies)

    def told_as(self, other: "Slurmctld") -> bool:
        """Whether both are told the same, whatever their last stages are called."""
        return replace(self.view, stage=other.view.stage) == other.view

    @property
    def restarts(self) -> Mapping[str, object]:
        """What a reconfigure does not change, by its key in slurm.conf."""
        return {"SlurmctldHost": self.view.controllers}


def daemons(side: Side, plan: Plan) -> dict[str, Slurmctld]:
    """Every slurmctld of the last stage by name; none where there is no stage, or the spec has faults in it."""
    if not plan.stages.height or not readable(side):
        return {}
    stage = plan.stages.height - 1
    views = (slurm_view(plan, stage, controller) for controller in controllers(plan, stage))
    return {view.name: Slurmctld(view) for view in views}


def readable(side: Side) -> bool:
    """Whether Slurm can be told of a side: an overload or a short supply keeps nobody from reading its files."""
    return side.plan is not None and not side.faulty("S", "C", "K", "L")
