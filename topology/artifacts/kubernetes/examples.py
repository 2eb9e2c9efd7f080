"""Jobs to try a cell with: one NVLink domain, one unit and one pod of every group, as large as what stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from topology.artifacts.kubernetes.cell import CellView
from topology.artifacts.kubernetes.groups import GPU, GroupView
from topology.artifacts.kubernetes.queues import QueueView
from topology.plan import Plan
from topology.spec.kubernetes import Kubernetes
from topology.views.node_labels import LabelLevel, node_labels


@dataclass(frozen=True, slots=True)
class JobView:
    """A job whose pods take whole nodes, one each."""

    file: str
    group: str
    word: str  # domain, unit, or pod, as the fabric's kind calls what lies above a leaf group
    name: str
    what: str
    namespace: str
    queue: str  # LocalQueue
    level: str  # label that its nodes must have in common
    nodes: int
    gpus: int  # of a node
    resources: tuple[tuple[str, str], ...]  # of a pod, besides CPUs and memory
    networks: tuple[str, ...]


def jobs(plan: Plan, kubernetes: Kubernetes, cell: CellView, queues: Sequence[QueueView]) -> Iterator[JobView]:
    """Jobs of every group of a cell that a queue hands out."""
    for group in cell.groups:
        queue = next((q for q in queues if group.name in [flavor.name for flavor in q.flavors]), None)
        if queue is None:
            continue
        labelled = node_labels(plan, kubernetes, cell.nodes, group.index)
        offered = {name: str(amount) for name, amount, _ in group.amounts if name == GPU}
        rails = [name for name, _, _ in group.amounts if name.startswith("nvidia.com/") and name != GPU]
        networks = tuple(f"{rail.removeprefix('nvidia.com/')}-{queue.namespace}" for rail in rails)
        for word, level in _sizes(group):
            yield JobView(
                file=f"job-{group.name}-{word}",
                group=group.name,
                word=word,
                name=f"{group.name}-{word}",
                what={"domain": "NVLink domain", "unit": "scalable unit"}.get(word, f"{word} of the fabric"),
                namespace=queue.namespace,
                queue=queue.local,
                level=level.label,
                nodes=_most(labelled, level),
                gpus=group.gpus,
                resources=(*offered.items(), *((rail, "1") for rail in rails)),
                networks=networks,
            )


def _sizes(group: GroupView) -> Iterator[tuple[str, LabelLevel]]:
    """Level of each size of job: a box or rack, a unit, and what lies above a leaf group, else the widest level."""
    levels = {level.word: level for level in group.levels}
    yield "domain", levels.get("domain", levels["node"])
    yield "unit", levels["unit"]
    pod = next((level for level in group.levels if level.near == 1), None)
    yield (pod.called, pod) if pod else ("pod", group.levels[0])


def _most(labelled: pl.DataFrame, level: LabelLevel) -> int:
    """Nodes of the largest group of the level."""
    if level.word == "node":
        return 1
    return int(labelled.group_by(level.label).len()["len"].max())  # type: ignore[arg-type]
