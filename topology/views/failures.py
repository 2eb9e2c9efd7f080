"""What one failure, or several, take from the racks and put on the rest of the power tree.

In normal running a rack draws half from each side. A feed is dead when a pool on its path is;
the rack then draws everything from its other side, or is lost when that is dead too. A pool
is dead when all its devices are; while one is left, its devices share the load.

One pass over columns: a failed pool and a pool that inherits from it are the ends of a rack's
two paths, so grouping racks by those two gives every load that moves.

A plan may be at fault: a rack without a feed of one side, or with one whose path ends on a
device that is not there, hangs with all its load on its other feed. A rack without any is in
no figure; the checks of feeds name it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.plan import names
from topology.plan.plan import Plan

F64 = NDArray[np.float64]
Int = NDArray[np.int64]
TOLERANCE = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class Paths:
    """Pools of each rack's two paths, and what a watt at the rack is at each level."""

    racks: Int  # row numbers of the racks
    load_w: F64
    pools: tuple[Int, Int]  # side A, side B: (levels, racks)
    gain: F64  # watts at a level for one watt at the rack: the losses below it
    devices: Int  # per pool; 0: there is no such pool
    usable_w: F64  # per device of a pool
    level: Int  # per pool


def paths(plan: Plan, stage: int | None = None) -> Paths:
    """Paths of the racks that stand in a stage; without one, of all."""
    feeds = plan.feeds if stage is None else plan.feeds.filter(pl.col("stage") <= stage)
    nodes = _by_pool(plan)
    supply = nodes["supply"].fill_null(0).to_numpy().astype(np.int64)
    level = nodes["level"].to_numpy().astype(np.int64)
    devices = nodes["devices"].to_numpy().astype(np.int64)
    levels = plan.spec.power.levels if plan.spec.power else ()
    sides = feeds.group_by("rack", maintain_order=True).agg(
        pl.col("load_w").first(), *(pl.col("pool").filter(pl.col("side") == side).first().alias(side) for side in "AB")
    )
    columns = []
    for side in "AB":
        at = sides[side].fill_null(len(devices) - 1).to_numpy().astype(np.int64)
        column = np.empty((len(levels), len(at)), np.int64)
        for row in range(len(levels) - 1, -1, -1):
            column[row] = at
            at = supply[at]
        columns.append(column)
    whole = [np.all(devices[column] > 0, axis=0) for column in columns]
    fed = whole[0] | whole[1]
    pools = [np.where(whole[side], columns[side], columns[1 - side])[:, fed] for side in range(2)]
    lost = np.array([each.efficiency for each in levels])
    gain = np.append(1 / np.cumprod(lost[::-1])[::-1][1:], 1.0) if len(lost) else lost
    return Paths(
        sides["rack"].to_numpy().astype(np.int64)[fed],
        sides["load_w"].to_numpy().astype(np.float64)[fed],
        (pools[0], pools[1]),
        gain,
        devices,
        nodes["rating_w"].to_numpy().astype(np.float64),
        level,
    )


def _by_pool(plan: Plan) -> pl.DataFrame:
    """One row per pool number and one more, without devices where the plan has no such pool.

    A supply that is not there points at the last row, as a missing feed does.
    """
    known = plan.power_nodes.group_by("pool").agg(pl.col("level", "supply", "rating_w").first(), devices=pl.len())
    none = int(max(plan.power_nodes["pool"].max() or 0, plan.power_nodes["supply"].max() or 0)) + 1  # type: ignore[arg-type]
    none = max(none, int(plan.feeds["pool"].max() or 0) + 1)  # type: ignore[arg-type]
    every = pl.DataFrame({"pool": pl.Series(range(none + 1), dtype=pl.UInt32)})
    return every.join(known, on="pool", how="left", maintain_order="left").with_columns(
        pl.col("level", "devices", "rating_w").fill_null(0)
    )


def normal_w(found: Paths) -> F64:
    """Load of every pool while nothing has failed, watts."""
    total = np.zeros(len(found.devices))
    for side in found.pools:
        for row, pools in enumerate(side):
            total += np.bincount(pools, found.load_w / 2 * found.gain[row], minlength=len(total))
    return total


def single_failures(plan: Plan, stage: int | None = None) -> pl.DataFrame:
    """One row per pool: what happens when one of its devices fails.

    Columns: pool, level, dead (no device is left), lost_racks, lost_w, moved_w (what other
    sides take over), overloaded (pools above what their devices carry, itself included),
    worst_pool and over_w (the worst of them, watts too many; null and 0 when none), on_one
    (of the lost racks, those whose two feeds end on one pool: a fault of the rack, not of the level).
    """
    found = paths(plan, stage)
    pools = np.arange(len(found.devices))
    load = normal_w(found)
    room = found.devices * found.usable_w
    dead = found.devices == 1
    lost = np.zeros(len(pools))
    racks = np.zeros(len(pools))
    moved = np.zeros(len(pools))
    on_one = np.zeros(len(pools))
    one = found.pools[0][-1] == found.pools[1][-1]
    deltas: list[pl.DataFrame] = []
    for this, other in (found.pools, found.pools[::-1]):
        for row, failing in enumerate(this):
            falls = dead[failing]
            both = falls & (other[row] == failing)
            alone = falls & ~both
            lost += np.bincount(failing[both], found.load_w[both] / 2, minlength=len(pools))
            racks += np.bincount(failing[both], minlength=len(pools)) / 2  # seen from both sides
            on_one += np.bincount(failing[both & one], minlength=len(pools)) / 2
            moved += np.bincount(failing[alone], found.load_w[alone] / 2, minlength=len(pools))
            for target, gain in enumerate(found.gain):
                for column, sign in ((other[target], gain), (this[target], -gain)):
                    deltas.append(_sums(failing[alone], column[alone], sign * found.load_w[alone] / 2))
                if both.any():
                    deltas.append(_sums(failing[both], this[target][both], -gain * found.load_w[both] / 2))
    change = (
        pl.concat(deltas).group_by("pool", "target").agg(pl.col("w").sum()).filter(pl.col("pool") != pl.col("target"))
    )
    after = change.with_columns(
        over_w=pl.Series(load).gather(change["target"]) + pl.col("w") - pl.Series(room).gather(change["target"])
    ).filter((pl.col("over_w") > pl.Series(room).gather(change["target"]) * (TOLERANCE - 1)) & (pl.col("w") > 0))
    own = np.where(dead, 0.0, load - (found.devices - 1) * found.usable_w)
    shared = pl.DataFrame({"pool": pools, "target": pools, "over_w": own}).filter(
        (pl.col("over_w") > pl.Series(room) * (TOLERANCE - 1)) & pl.Series(found.devices > 0)
    )
    over = pl.concat([after.select("pool", "target", "over_w"), shared.select("pool", "target", "over_w")])
    worst = (
        over.sort("pool", "over_w", "target", descending=[False, True, False])
        .group_by("pool", maintain_order=True)
        .agg(overloaded=pl.len(), worst_pool=pl.col("target").first(), over_w=pl.col("over_w").first())
    )
    base = pl.DataFrame(
        {
            "pool": pools,
            "level": found.level,
            "dead": dead,
            "lost_racks": racks.round().astype(np.int64),
            "lost_w": lost,
            "moved_w": moved,
            "on_one": on_one.round().astype(np.int64),
        }
    ).filter(pl.Series(found.devices) > 0)
    return base.join(worst, on="pool", how="left", maintain_order="left").with_columns(
        pl.col("overloaded").fill_null(0), pl.col("over_w").fill_null(0.0)
    )


def _sums(failing: Int, target: Int, watts: F64) -> pl.DataFrame:
    return (
        pl.DataFrame({"pool": failing, "target": target, "w": watts}).group_by("pool", "target").agg(pl.col("w").sum())
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What several devices failing at once leave."""

    lost_racks: Int  # row numbers
    load_w: F64  # of every pool
    room_w: F64  # of every pool, with the devices that are left


def failures(plan: Plan, nodes: Sequence[int], stage: int | None = None) -> Outcome:
    """Outcome of any devices, by row numbers of `power_nodes`, failing at the same time."""
    found = paths(plan, stage)
    pool_of = plan.power_nodes["pool"].to_numpy()
    left = found.devices - np.bincount(pool_of[list(nodes)], minlength=len(found.devices))
    alive = [np.all(left[side] > 0, axis=0) for side in found.pools]
    share = [np.where(mine & other, 0.5, np.where(mine, 1.0, 0.0)) for mine, other in (alive, alive[::-1])]
    load = np.zeros(len(left))
    for side, part in zip(found.pools, share, strict=True):
        for row, pools in enumerate(side):
            load += np.bincount(pools, found.load_w * part * found.gain[row], minlength=len(left))
    return Outcome(found.racks[~(alive[0] | alive[1])], load, left * found.usable_w)


@dataclass(frozen=True, slots=True)
class Weak:
    """Devices of a kind whose single failure takes racks or overloads others."""

    devices: tuple[str, ...]  # names of the first device of each pool
    racks: int  # most racks that one of them takes
    over_w: float  # most that one of them puts on another above its rating


def weak_points(plan: Plan) -> dict[str, Weak]:
    """By kind of device; a kind that survives every single failure has none. Empty without a power tree."""
    if not plan.feeds.height:
        return {}
    first = plan.power_nodes.with_columns(name=names.labels(plan, "power_nodes")).group_by("pool", maintain_order=True)
    named = first.agg(pl.col("name", "kind").first())
    result = single_failures(plan).with_columns(pl.col("pool").cast(pl.UInt32))
    bad = result.filter((pl.col("lost_racks") > 0) | (pl.col("overloaded") > 0)).join(named, on="pool")
    held = bad.sort("pool").group_by("kind", maintain_order=True)
    rows = held.agg(pl.col("name"), racks=pl.col("lost_racks").max(), over=pl.col("over_w").max())
    return {kind: Weak(tuple(devices), racks, over) for kind, devices, racks, over in rows.iter_rows()}
