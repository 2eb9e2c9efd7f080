"""Devices of every level, from the racks up, and the two paths of each rack through them.

Sides: 2N gives each side its own devices, sized to carry everything when the other side is
down. N and N+1 are one system for both sides; N+1 devices share a bus, so one may fail.
4N/3 hangs the two sides of a load on two different blocks, each at most three quarters full,
so that a failed block's load moves to the others; a 4N/3 level above another continues its
blocks one to one, as a block's own transformer does.

Scopes: a busway, PDU or RPP belongs to a row, a UPS, switchgear or transformer to a hall, a
substation to the site.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topology.expand.power.spread import earlier, spread
from topology.expand.rules import approximately, refused
from topology.spec.model import Level

F64 = NDArray[np.float64]
Int = NDArray[np.int64]

ROW, HALL, SITE = range(3)
SCOPES = {
    "busway": ROW,
    "pdu": ROW,
    "rpp": ROW,
    "ups": HALL,
    "switchgear": HALL,
    "transformer": HALL,
    "substation": SITE,
}
A, B, BOTH = range(3)
BLOCK_SHARE = 0.75  # of 4N/3 blocks in normal running: three of four carry all
MOST_DEVICES = 100_000  # of a level; the busways of 1,000,000 GPUs are some 20,000


@dataclass(frozen=True, slots=True)
class Loads:
    """What hangs on a level: racks' feeds at the bottom, pools of the level below further up."""

    side: Int  # A, B or BOTH
    hall: Int
    row: Int  # number in the plan's table of rows
    normal_w: F64
    full_w: F64  # when the other side, or another block, is down


@dataclass(frozen=True, slots=True)
class Pools:
    """Pools of one level; a pool of one device is that device alone."""

    level: int
    side: Int
    hall: Int  # -1: the site
    row: Int  # -1: a whole hall or the site
    devices: Int
    usable_w: float  # of one device
    normal_w: F64
    full_w: F64


@dataclass(frozen=True, slots=True)
class PowerTree:
    """Levels from the source down, and the pool of each load of a level."""

    pools: tuple[Pools, ...]
    supply: tuple[Int, ...]  # per level below the top: pool above of each of its pools
    feeds: Int  # pool of the lowest level of each rack's A feed, then of each rack's B feed


def grow(levels: Sequence[Level], racks: Loads) -> PowerTree:
    """The tree that carries `racks`: loads of all A feeds, then of all B feeds, in the same order.

    Raises:
        FindingsError: a load is above one device's rating, or a level cannot have its redundancy.
    """
    hanging = racks
    pools: list[Pools] = []
    supply: list[Int] = []
    for index in range(len(levels) - 1, -1, -1):
        level = levels[index]
        _possible(levels, index)
        made, pool = _level(level, index, hanging, lowest=index == len(levels) - 1)
        pools.append(made)
        supply.append(pool)
        hanging = Loads(
            made.side, made.hall, made.row, made.normal_w / level.efficiency, made.full_w / level.efficiency
        )
    return PowerTree(tuple(reversed(pools)), tuple(reversed(supply[1:])), supply[0])


def _possible(levels: Sequence[Level], index: int) -> None:
    """A second side that a level below gave up does not come back further up."""
    level = levels[index]
    below = [lower for lower in levels[index + 1 :] if lower.redundancy in {"N", "N+1"}]
    wrong = level.redundancy in {"2N", "4N/3"} and bool(below)
    crossed = level.redundancy == "2N" and any(lower.redundancy == "4N/3" for lower in levels[index + 1 :])
    if wrong or crossed:
        lower = below[0] if below else next(x for x in levels[index + 1 :] if x.redundancy == "4N/3")
        raise refused(
            "P103",
            f"{level.kind} is {level.redundancy} above {lower.kind}, which is {lower.redundancy}",
            (*level.path, "redundancy"),
            f"write redundancy: N+1 for {level.kind}, or {level.redundancy} for {lower.kind}",
        )


def _level(level: Level, index: int, loads: Loads, *, lowest: bool) -> tuple[Pools, Int]:
    """Pools of a level and the pool of each load."""
    scope = SCOPES[level.kind]
    apart = level.redundancy == "2N" or lowest  # a rack's two feeds never end on one device
    if level.redundancy == "4N/3" and not lowest:
        return _blocks(level, index, loads, scope)
    key = np.stack(
        [
            np.zeros_like(loads.hall) if scope == SITE else loads.hall,
            loads.row if scope == ROW else np.zeros_like(loads.row),
            loads.side if apart else np.zeros_like(loads.side),
        ]
    )
    places, group = np.unique(key, axis=1, return_inverse=True)
    carried = loads.full_w if apart and level.redundancy != "N" else loads.normal_w
    if level.redundancy == "N+1":
        pool, owner = group, np.arange(places.shape[1])
        devices = np.maximum(_counts(level, np.bincount(group, carried), level.rating_w), 1) + 1
    else:
        pool, owner = _alone(level, group, loads.side, carried)
        devices = np.ones(len(owner), np.int64)
    normal = _sum(pool, loads.normal_w, len(devices))
    hall, row, side = places[:, owner]
    none = np.full_like(hall, -1)
    made = Pools(
        index,
        side if apart else np.full_like(side, BOTH),
        none if scope == SITE else hall,
        row if scope == ROW else none,
        devices,
        level.rating_w,
        normal,
        _sum(pool, loads.full_w, len(devices)) if apart else normal,
    )
    return made, pool


def _alone(level: Level, group: Int, side: Int, carried: F64) -> tuple[Int, Int]:
    """Device of each load, and the group of each device, for pools of one.

    The n-th A and the n-th B load of a group stay together where one device serves both
    sides, so that what one side loses the same device carries on the other.
    """
    rank = _rank(group * 3 + side)
    pairs, pair = np.unique(np.stack([group, rank]), axis=1, return_inverse=True)
    together = _sum(pair, carried, pairs.shape[1])
    if together.max(initial=0.0) <= level.rating_w:
        device, owner = spread(pairs[0], together, level.rating_w)
        return device[pair], owner
    _each_fits(level, carried)  # a pair is more than one device carries: each load goes alone
    order = np.lexsort((side, rank, group))
    device = np.empty_like(group)
    device[order], owner = spread(group[order], carried[order], level.rating_w)
    return device, owner


def _blocks(level: Level, index: int, loads: Loads, scope: int) -> tuple[Pools, Int]:
    """4N/3: the n-th A load and the n-th B load of a place on two blocks, every pair of blocks in turn.

    Blocks are added until none carries more than its share, nor too much with any other down;
    where every load has a block of its own and that is still too much, it is the load's fault.
    """
    place = np.zeros_like(loads.hall) if scope == SITE else loads.hall
    places, group = np.unique(place, return_inverse=True)
    if (loads.side == BOTH).all():
        _each_fits(level, loads.full_w)
        pool, owner, normal, full = np.arange(len(group)), group, loads.normal_w, loads.full_w
    else:
        pool, owner, normal, full = _pairs(level, group, loads)
    count = len(owner)
    none = np.full(count, -1, np.int64)
    hall = none if scope == SITE else places[owner]
    one = np.ones(count, np.int64)
    return Pools(index, np.full(count, BOTH), hall, none, one, level.rating_w, normal, full), pool


def _pairs(level: Level, group: Int, loads: Loads) -> tuple[Int, Int, F64, F64]:
    """Block of each load, place of each block, and the load of each in normal running and at worst."""
    rank = _rank(group * 3 + loads.side)
    alone = np.bincount(group)  # blocks with which no load shares one
    blocks = np.maximum(_counts(level, np.bincount(group, loads.normal_w), BLOCK_SHARE * level.rating_w), 4)
    while True:
        k = blocks[group]
        step = np.where(loads.side == B, 1 + rank // k % (k - 1), 0)
        within = np.where(k < alone[group], (rank + step) % k, 2 * rank + loads.side)
        pool = (np.cumsum(blocks) - blocks)[group] + within
        owner = np.repeat(np.arange(len(blocks)), blocks)
        normal = _sum(pool, loads.normal_w, len(owner))
        full = normal + _most_moved(pool, group, rank, loads, len(owner))
        over = (normal > BLOCK_SHARE * level.rating_w * (1 + 1e-9)) | (full > level.rating_w * (1 + 1e-9))
        if not over.any():
            return pool, owner, normal, full
        full_up = blocks >= alone
        if full_up[owner[over]].any():
            _each_fits(level, np.maximum(full, normal / BLOCK_SHARE))
        blocks[np.unique(owner[over])] += 1


def _most_moved(pool: Int, group: Int, rank: Int, loads: Loads, count: int) -> F64:
    """Most that each block takes over when one other fails: the loads whose two sides hang on those two."""
    order = np.lexsort((loads.side, rank, group))
    one, other = pool[order[0::2]], pool[order[1::2]]
    failing, heir = np.concatenate([one, other]), np.concatenate([other, one])
    watts = np.concatenate([loads.normal_w[order[0::2]], loads.normal_w[order[1::2]]])
    ends, at = np.unique(failing * count + heir, return_inverse=True)
    most = np.zeros(count)
    np.maximum.at(most, ends % count, np.bincount(at, watts))
    return most


def _sum(index: Int, watts: F64, count: int) -> F64:
    total: F64 = np.bincount(index, watts, minlength=count).astype(np.float64)
    return total


def _rank(keys: Int) -> Int:
    """Place of each entry among its equals, in order."""
    return earlier(keys, np.ones_like(keys))


def _counts(level: Level, total_w: NDArray[np.number], usable_w: float) -> Int:
    """Devices that carry each total between them, where a load may lie on several."""
    with np.errstate(over="ignore", divide="ignore"):  # an infinite count is refused like any other
        devices = np.ceil(total_w / usable_w - 1e-9)
    if devices.sum() > MOST_DEVICES:
        raise refused(
            "P104",
            f"{level.kind}: {approximately(devices.sum())} devices of {_watts(level.rating_w)} each would carry the "
            f"{_watts(float(total_w.sum()))} that hang on them; the most is {MOST_DEVICES:,}",
            level.path,
            f"the unit of the rating is probably mistaken: write what one {level.kind} carries, as in rating_kva: 2500",
        )
    counts: Int = devices.astype(np.int64)
    return counts


def _each_fits(level: Level, carried: F64) -> None:
    largest = float(carried.max(initial=0.0))
    if largest > level.rating_w * (1 + 1e-9):
        raise refused(
            "P102",
            f"one load of {_watts(largest)} is above the {_watts(level.rating_w)} that a {level.kind} carries",
            level.path,
            f"raise the rating to {largest / 1000:,.0f} kW or more",
        )


def _watts(watts: float) -> str:
    """A power as people write it: kilowatts, but what rounds to none of them in watts."""
    return f"{watts / 1000:,.1f} kW" if watts >= 50 else f"{watts:.3g} W"  # noqa: PLR2004 - 0.05 kW
