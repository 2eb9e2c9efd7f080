"""The manager cluster above several cells: MultiKueue sends each job to the one cell that can run it whole.

A MultiKueueConfig takes 20 clusters, so the cells of a pool fall into divisions of 20 by their numbers; a
division has an admission check and queues of its own, under one tree of cohorts. No job spans two cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from topology.artifacts.kubernetes.groups import GroupView, cell_groups
from topology.artifacts.kubernetes.queues import QueueView, quota
from topology.plan import Plan
from topology.spec.kubernetes import Kubernetes
from topology.views.quotas import cell_divisions, local_queue, nodes_by_cell


@dataclass(frozen=True, slots=True)
class Division:
    """Cells of one MultiKueueConfig."""

    name: str
    pool: str
    first: int  # number in the pool of a cell in it
    cells: tuple[str, ...]
    rows: tuple[int, ...]  # of the table of cells


def members(plan: Plan, stage: int) -> int:
    """Cells that a manager cluster has at a stage; 0 while one cell stands alone."""
    cells = nodes_by_cell(plan, stage).filter(pl.col("nodes") > 0)["cell"].n_unique()
    return cells if cells > 1 else 0


def divisions(plan: Plan, stood: pl.DataFrame) -> tuple[Division, ...]:
    """Divisions of the cells that stand, which are those in the rows of `quotas.nodes_by_cell`."""
    cells = cell_divisions(plan).filter(pl.col("cell").is_in(stood["cell"].unique().implode()))
    by = cells.group_by("division", maintain_order=True)
    made = by.agg(pl.col("pool", "index").first(), pl.col("name"), pl.col("cell"))
    return tuple(
        Division(name, pool, index, tuple(names), tuple(rows)) for name, pool, index, names, rows in made.rows()
    )


def cohorts(plan: Plan, made: Sequence[Division]) -> tuple[str, ...]:
    """A cohort per pool, below that of the whole site; a dot keeps their names apart from it."""
    return tuple(dict.fromkeys(f"{plan.spec.name}.{division.pool}" for division in made))


def queues(
    plan: Plan, kubernetes: Kubernetes, made: Sequence[Division], stood: pl.DataFrame, parts: pl.DataFrame
) -> tuple[QueueView, ...]:
    """Queues of every division: what the queues of its cells hand out together."""
    found = []
    for division in made:
        here = pl.col("cell").is_in(division.rows)
        groups: tuple[GroupView, ...] = cell_groups(plan, kubernetes, stood.filter(here))
        for at, queue in enumerate(kubernetes.queues):
            flavors, covered = quota(parts.filter(here & (pl.col("queue") == at)), groups, queue)
            if flavors:
                name = local_queue(queue.name, division.pool, division.first)
                cohort = f"{plan.spec.name}.{division.pool}"
                found.append(QueueView(name, name, queue.namespace, cohort, division.name, covered, flavors))
    return tuple(found)
