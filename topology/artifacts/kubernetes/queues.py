"""Kueue's queues of a cell: what each may hand out, and where jobs enter."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from topology.artifacts.kubernetes.cell import CellView
from topology.artifacts.kubernetes.groups import GroupView
from topology.spec.kubernetes import Kubernetes, Queue
from topology.views.quotas import local_queue


@dataclass(frozen=True, slots=True)
class FlavorQuota:
    """What a queue may hand out of one flavor."""

    name: str
    resources: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class QueueView:
    """A ClusterQueue and the LocalQueue that leads to it."""

    name: str
    local: str
    namespace: str
    cohort: str
    check: str  # admission check; empty in a cell
    covered: tuple[str, ...]
    flavors: tuple[FlavorQuota, ...]


def cell_queues(kubernetes: Kubernetes, cell: CellView, parts: pl.DataFrame) -> tuple[QueueView, ...]:
    """Queues of a cell that have one of its groups; `parts` are the rows of `quotas.quotas` of the cell."""
    found = []
    for at, queue in enumerate(kubernetes.queues):
        flavors, covered = quota(parts.filter(pl.col("queue") == at), cell.groups, queue)
        if flavors:
            local = local_queue(queue.name, cell.pool, cell.index)
            found.append(QueueView(queue.name, local, queue.namespace, cell.cluster, "", covered, flavors))
    return tuple(found)


def quota(
    parts: pl.DataFrame, groups: Sequence[GroupView], queue: Queue
) -> tuple[tuple[FlavorQuota, ...], tuple[str, ...]]:
    """Quotas of a queue over its groups, and the resources they cover: the same in every flavor, as Kueue wants."""
    nodes = dict(parts.group_by("group").agg(pl.col("nodes").sum()).iter_rows())
    mine = [group for group in groups if group.name in queue.compute]
    covered = tuple(dict.fromkeys(name for group in mine for name, _, _ in group.amounts))
    flavors = []
    for group in mine:
        own = dict(group.resources(nodes.get(group.index, 0)))
        flavors.append(FlavorQuota(group.name, tuple((name, own.get(name, "0")) for name in covered)))
    return tuple(flavors), covered
