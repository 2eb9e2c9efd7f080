"""Switches and cables of a designed Clos fabric, in closed form.

All existing leaves, spines and cores are a prefix of the sized ones, so their row numbers
follow from divisions alone, and growth up to `sized_for` adds rows without moving a cable.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.expand.fabrics import _ports
from topology.expand.fabrics._design import Design
from topology.expand.fabrics._leaves import attach
from topology.plan import tables

LEAF, SPINE, CORE = range(3)
U32 = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Switches:
    """Switches of one fabric in row order: plane, tier, then islands, groups, index."""

    plane: U32  # from 0
    tier: U32  # LEAF, SPINE or CORE
    island: U32  # from 0
    group: U32  # from 0: run, pod of the whole fabric, or island
    index: U32  # from 0, in the group
    unit: U32  # first unit of the fabric that hangs on it
    units: U32  # units that hang on it when all exist


@dataclass(frozen=True, slots=True)
class Counts:
    """Switches per plane that exist for some number of units."""

    leaf: int
    spine: int
    core: int
    islands: int

    @property
    def plane(self) -> int:
        """Switches of one plane."""
        return self.leaf + self.spine + self.core


def count(design: Design, units: int) -> Counts:
    """Switches per plane for `units` units; a started pod or island has all of its own."""
    shape = design.shape
    runs = -(-units // shape.leaves.run_units)
    islands = -(-runs // shape.island_runs)
    full, rest = divmod(runs, shape.island_runs)
    pods = full * shape.island_pods + -(-rest // shape.pod_runs) * shape.pod_columns
    spines = pods * shape.spines
    return Counts(runs * shape.leaves.per_run, spines, islands * shape.spines * shape.cores, islands)


def switches(design: Design, units: int) -> Switches:
    """The switches that `units` units need, every plane."""
    shape, number = design.shape, count(design, units)
    run_units, island_runs = shape.leaves.run_units, shape.island_runs
    leaf = np.arange(number.leaf, dtype=np.uint32)
    run, leaf_index = np.divmod(leaf, np.uint32(shape.leaves.per_run))
    spine = np.arange(number.spine, dtype=np.uint32)
    pod, spine_index = np.divmod(spine, np.uint32(max(shape.spines, 1)))
    pod_island, pod_in_island = np.divmod(pod, np.uint32(shape.island_pods))
    pod_run = pod_island * np.uint32(island_runs) + pod_in_island // np.uint32(shape.pod_columns) * np.uint32(
        shape.pod_runs
    )
    left = np.uint32(island_runs) - (pod_run - pod_island * np.uint32(island_runs))
    core = np.arange(number.core, dtype=np.uint32)
    core_island, core_index = np.divmod(core, np.uint32(max(shape.spines * shape.cores, 1)))
    one = (
        np.repeat(np.arange(3, dtype=np.uint32), [number.leaf, number.spine, number.core]),
        np.concatenate([run // np.uint32(island_runs), pod_island, core_island]),
        np.concatenate([run, pod, core_island]),
        np.concatenate([leaf_index, spine_index, core_index]),
        np.concatenate([run, pod_run, core_island * np.uint32(island_runs)]) * np.uint32(run_units),
        np.concatenate(
            [
                np.ones(number.leaf, np.uint32),
                np.minimum(left, np.uint32(shape.pod_runs)),  # the last pod of an island may be short
                np.full(number.core, island_runs, np.uint32),
            ]
        )
        * np.uint32(run_units),
    )
    planes = design.ask.fabric.planes
    tier, island, group, index, unit, span = (np.tile(column, planes) for column in one)
    plane = np.repeat(np.arange(planes, dtype=np.uint32), number.plane)
    return Switches(plane, tier, island, group, index, unit, span)


@dataclass(frozen=True, slots=True)
class Nics:
    """The node ends of a fabric: NICs of its role in row order."""

    nic: U32  # row number
    unit: U32  # unit of the fabric, from 0
    place: U32  # node place in the unit
    rail: U32  # index among the node's NICs of the role
    stage: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Rows:
    """What the cables of a fabric refer to: its row, its first switch, the stage of each switch."""

    fabric: int
    origin: int
    first_switch: int
    stage: NDArray[np.uint16]


def cables(design: Design, nics: Nics, rows: Rows) -> Iterator[pl.DataFrame]:
    """Cables hop by hop, nodes first; the `cable` column is filled by the caller."""
    yield _node_cables(design, nics, rows)
    if design.shape.tiers > 1:
        yield _leaf_cables(design, rows)
    if design.shape.tiers > 2:  # noqa: PLR2004 - tiers
        yield _spine_cables(design, rows)


def _node_cables(design: Design, nics: Nics, rows: Rows) -> pl.DataFrame:
    """One cable per NIC and plane: NIC port p goes to the same leaf and port of plane p."""
    fabric = design.ask.fabric
    leaf, port = attach(design.shape.leaves, nics.unit, nics.place, nics.rail, design.ask.unit_slots)
    down, _ = leaf_blocks(design)
    cage, split = down.locate(port)
    planes, number = fabric.planes, count(design, design.ask.units)
    plane = _plane_of(planes, len(leaf))
    return _frame(
        rows,
        plane,
        hop="node-leaf",
        a_table="nics",
        a=np.tile(nics.nic, planes),
        a_cage=1,
        a_port=(plane + np.uint32(1)).astype(np.uint8),
        b=np.tile(leaf, planes) + plane * np.uint32(number.plane) + np.uint32(rows.first_switch),
        b_cage=np.tile(cage, planes),
        b_port=np.tile(split, planes),
        rate_gbps=fabric.port_gbps,
        stage=np.tile(nics.stage, planes),
    )


def _leaf_cables(design: Design, rows: Rows) -> pl.DataFrame:
    """Uplink u of a leaf: `leaf_links` neighbouring ones to each spine of its pod."""
    shape = design.shape
    leaves, number = shape.leaves, count(design, design.ask.units)
    end = np.arange(number.leaf * leaves.up, dtype=np.uint32)
    leaf, uplink = np.divmod(end, np.uint32(leaves.up))
    run, index = np.divmod(leaf, np.uint32(leaves.per_run))
    island, run = np.divmod(run, np.uint32(shape.island_runs))
    step, run = np.divmod(run, np.uint32(shape.pod_runs))
    column, index = np.divmod(index, np.uint32(shape.pod_leaves))
    pod = island * np.uint32(shape.island_pods) + step * np.uint32(shape.pod_columns) + column
    spine, lane = np.divmod(uplink, np.uint32(shape.leaf_links))
    spine += pod * np.uint32(shape.spines) + np.uint32(number.leaf)
    port = (run * np.uint32(shape.pod_leaves) + index) * np.uint32(shape.leaf_links) + lane
    _, up = leaf_blocks(design)
    down, _ = spine_blocks(design)
    ends = Ends(leaf, *up.locate(uplink)), Ends(spine, *down.locate(port))
    return _switch_cables(design, rows, "leaf-spine", *ends)


def _spine_cables(design: Design, rows: Rows) -> pl.DataFrame:
    """Uplink u of a spine: `spine_links` neighbouring ones to each core of its index."""
    shape, number = design.shape, count(design, design.ask.units)
    end = np.arange(number.spine * shape.spine_up, dtype=np.uint32)
    spine, uplink = np.divmod(end, np.uint32(shape.spine_up))
    pod, index = np.divmod(spine, np.uint32(shape.spines))
    island, pod = np.divmod(pod, np.uint32(shape.island_pods))
    core, lane = np.divmod(uplink, np.uint32(shape.spine_links))
    core += (island * np.uint32(shape.spines) + index) * np.uint32(shape.cores)
    core += np.uint32(number.leaf + number.spine)
    port = pod * np.uint32(shape.spine_links) + lane
    _, up = spine_blocks(design)
    down, _ = core_blocks(design)
    spine += np.uint32(number.leaf)
    ends = Ends(spine, *up.locate(uplink)), Ends(core, *down.locate(port))
    return _switch_cables(design, rows, "spine-core", *ends)


@dataclass(frozen=True, slots=True)
class Ends:
    """One end of the cables between two tiers: switches of a plane, from 0, and their ports."""

    switch: U32
    cage: NDArray[np.uint16]
    port: NDArray[np.uint8]


def _switch_cables(design: Design, rows: Rows, hop: str, a: Ends, b: Ends) -> pl.DataFrame:
    """Cables between two tiers, the same in every plane; a lower switch has its cables from its own stage on."""
    planes, per_plane = design.ask.fabric.planes, count(design, design.ask.units).plane
    plane = _plane_of(planes, len(a.switch))
    base = plane * np.uint32(per_plane) + np.uint32(rows.first_switch)
    lower = np.tile(a.switch, planes) + base
    return _frame(
        rows,
        plane,
        hop=hop,
        a_table="switches",
        a=lower,
        a_cage=np.tile(a.cage, planes),
        a_port=np.tile(a.port, planes),
        b=np.tile(b.switch, planes) + base,
        b_cage=np.tile(b.cage, planes),
        b_port=np.tile(b.port, planes),
        rate_gbps=design.ask.fabric.uplink_gbps,
        stage=rows.stage[lower - np.uint32(rows.first_switch)],
    )


def _plane_of(planes: int, each: int) -> U32:
    return np.repeat(np.arange(planes, dtype=np.uint32), each)


def _frame(rows: Rows, plane: U32, **columns: object) -> pl.DataFrame:
    return tables.CABLES.frame(
        {"plane": plane + np.uint32(1), "fabric": rows.fabric, "origin": rows.origin, "cable": 0, **columns}
    )


def leaf_blocks(design: Design) -> tuple[_ports.Block, _ports.Block]:
    """Cages of a leaf's node ports and of its uplinks (to spines, or to the core without a second tier)."""
    ask, shape = design.ask, design.shape
    up_gbps = ask.core.gbps if shape.tiers == 1 and ask.core else ask.fabric.uplink_gbps
    return _ports.blocks(ask.switch, shape.leaves.down, ask.fabric.port_gbps, up_gbps)


def spine_blocks(design: Design) -> tuple[_ports.Block, _ports.Block]:
    """Cages of a spine's leaf ports and of its uplinks (to cores, or to the core fabric)."""
    ask, shape, gbps = design.ask, design.shape, design.ask.fabric.uplink_gbps
    up_gbps = ask.core.gbps if shape.tiers == 2 and ask.core else gbps  # noqa: PLR2004 - tiers
    return _ports.blocks(ask.switch, shape.spine_down, gbps, up_gbps)


def core_blocks(design: Design) -> tuple[_ports.Block, _ports.Block]:
    """Cages of a core's spine ports and of its ports to the core fabric."""
    ask, gbps = design.ask, design.ask.fabric.uplink_gbps
    return _ports.blocks(ask.switch, design.shape.core_down, gbps, ask.core.gbps if ask.core else gbps)
