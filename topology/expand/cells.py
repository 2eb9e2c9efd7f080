"""Kubernetes cells: which units share a control plane.

Context: one control plane holds some thousand nodes, and a cell that is cut anew at every
growth would move running nodes from cluster to cluster. Choice: a pool of groups fills its
cells one after another in the order in which its units arrive (stage, group, number), whole
units each, so that what is added later finds the cells before it closed. A pod or island
that the fabric's spec gives a size is not cut where it fits a cell; one that the program
chose is, because its size follows the fabric's. Cells are cut by what they may hold, not by
what they do hold, and by units as they are built, nodes left out or not. Price: without
stages, units added to an earlier group of a shared pool move those of the later groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.expand.groups import SizedGroup
from topology.expand.nodes import PlacedNodes
from topology.expand.origins import Origins
from topology.plan import tables
from topology.spec.kubernetes import Kubernetes, Pool
from topology.spec.model import ClusterSpec

I64 = NDArray[np.int64]


def cell_of_units(spec: ClusterSpec, groups: Sequence[SizedGroup], placed: PlacedNodes) -> I64:
    """Cell of every unit, numbered from 0 pool by pool; -1 throughout where the spec has no Kubernetes."""
    cells = np.full(len(placed.unit_group), -1, np.int64)
    if spec.kubernetes is None:
        return cells
    first = 0
    for pool in spec.kubernetes.pools:
        units, cell = _fill(spec, spec.kubernetes, pool, groups, placed)
        cells[units] = first + cell
        first += int(cell.max(initial=-1)) + 1
    return cells


@dataclass(slots=True)
class _Cell:
    """The cell that is being filled."""

    limit: int  # nodes
    at: int = 0
    used: int = 0  # nodes in it

    def take(self, size: int, number: int, count: int, pod: int) -> int:
        """How many of `count` units of `size` nodes, of which the first is `number`, go into it now; at least one.

        A new cell is begun where this one has no room for a unit, or for a pod that begins here.
        """
        end = self._end(size, number, pod)
        if end <= number and self.used:
            self.at, self.used = self.at + 1, 0
            end = self._end(size, number, pod)
        taken = max(min(end - number, count), 1)  # one unit over the limit is the finding K104; it is not cut
        self.used += taken * size
        return taken

    def _end(self, size: int, number: int, pod: int) -> int:
        """Number of the first unit that does not fit."""
        end = number + max(self.limit - self.used, 0) // size
        whole = end // pod * pod if pod else end
        begins = bool(pod) and number % pod == 0
        return whole if whole > number or (begins and self.used) else end


def _fill(
    spec: ClusterSpec, kubernetes: Kubernetes, pool: Pool, groups: Sequence[SizedGroup], placed: PlacedNodes
) -> tuple[I64, I64]:
    """Units of a pool in the order in which they arrive, and the cell of each, from 0."""
    place = np.full(len(groups), -1, np.int64)
    for at, name in enumerate(pool.compute):
        place[next(group.index for group in groups if group.group.name == name)] = at
    units = np.flatnonzero(place[placed.unit_group] >= 0)
    units = units[np.lexsort((placed.unit_number[units], place[placed.unit_group[units]], placed.unit_stage[units]))]
    group = placed.unit_group[units]
    starts = np.flatnonzero(np.diff(group.astype(np.int64), prepend=-1))
    cells, filling = np.zeros(len(units), np.int64), _Cell(kubernetes.max_nodes_per_cell)
    for start, stop in zip(starts, [*starts[1:], len(group)], strict=True):  # runs of units of one group
        sized = groups[group[start]]
        size, pod = _nodes(sized), _pod(spec, kubernetes, sized)
        at = int(start)
        while at < stop:
            taken = filling.take(size, int(placed.unit_number[units[at]]), int(stop) - at, pod)
            cells[at : at + taken] = filling.at
            at += taken
    return units.astype(np.int64), cells


def _nodes(group: SizedGroup) -> int:
    """Nodes of a unit, those that the spec leaves out counted: one that is fitted later moves no cell."""
    return group.fitted * group.group.unit_racks


def _pod(spec: ClusterSpec, kubernetes: Kubernetes, group: SizedGroup) -> int:
    """Units that stay together because the spec gives their pod or island a size that a cell holds; 0: none."""
    size, limit = _nodes(group), kubernetes.max_nodes_per_cell
    for fabric in spec.fabrics:
        first = fabric.compute[0] if fabric.compute else spec.compute[0].name
        if fabric.connects == "compute" and first == group.group.name:  # others do not begin at a pod's edge
            pods = [pod for pod in (fabric.island_units, fabric.pod_units) if pod and pod * size <= limit]
            if pods:
                return pods[0]
    return 0


def cells(
    spec: ClusterSpec, groups: Sequence[SizedGroup], placed: PlacedNodes, cell_of: I64, origins: Origins
) -> pl.DataFrame:
    """One row per cell, with the figures of everything that is built in it."""
    if spec.kubernetes is None:
        return tables.CELLS.empty()
    for path in (spec.kubernetes.path, spec.kubernetes.rails.path):
        origins.of(path)  # checks point at them
    count = int(cell_of.max(initial=-1)) + 1
    node_unit = np.bincount(placed.node_unit, minlength=len(cell_of))
    gpus = node_unit * np.array([group.node.gpus for group in groups])[placed.unit_group]
    stage = np.full(count, len(spec.stages), np.int64)
    np.minimum.at(stage, cell_of, placed.unit_stage)
    pool, index = _pools(spec.kubernetes, groups, placed, cell_of)
    number = np.empty(count, np.int64)
    number[np.lexsort((np.arange(count), stage))] = np.arange(1, count + 1)
    names = [each.name for each in spec.kubernetes.pools]
    paths = [each.path for each in spec.kubernetes.pools]
    return tables.CELLS.frame(
        {
            "cell": np.arange(count),
            "name": [f"{names[p]}-{i:02}" for p, i in zip(pool, index, strict=True)],
            "pool": [names[p] for p in pool],
            "index": index,
            "number": number,
            "units": np.bincount(cell_of, minlength=count),
            "nodes": np.bincount(cell_of, node_unit, minlength=count).astype(np.int64),
            "gpus": np.bincount(cell_of, gpus, minlength=count).astype(np.int64),
            "stage": [int(s) if s < len(spec.stages) else None for s in stage],
            "origin": [origins.of(paths[p]) for p in pool],
        }
    )


def _pools(kubernetes: Kubernetes, groups: Sequence[SizedGroup], placed: PlacedNodes, cell_of: I64) -> tuple[I64, I64]:
    """Pool of each cell, from 0, and its number in the pool, from 1."""
    home = {name: at for at, pool in enumerate(kubernetes.pools) for name in pool.compute}
    of_unit = np.array([home[group.group.name] for group in groups])[placed.unit_group]
    pool = np.zeros(int(cell_of.max(initial=-1)) + 1, np.int64)
    pool[cell_of] = of_unit
    first = np.searchsorted(pool, pool)  # cells of a pool follow each other
    return pool, np.arange(len(pool)) - first + 1
