"""Tables of sources, levels and devices of the power tree, and feeds."""

from collections.abc import Sequence
from math import ceil

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.expand.origins import Origins
from topology.expand.power import feeds
from topology.expand.power.spread import earlier
from topology.expand.power.tree import BOTH, Loads, PowerTree, grow
from topology.plan import tables
from topology.spec.model import ClusterSpec

SIDES = ("A", "B", "")  # by tree.A, tree.B, tree.BOTH


def sources(spec: ClusterSpec, origins: Origins) -> pl.DataFrame:
    """One row per source of the spec."""
    every = spec.power.sources if spec.power else ()
    first: dict[str, int] = {}
    for at, stage in enumerate(spec.stages):
        for name in stage.needs.permits if stage.needs else ():
            first.setdefault(name, at)
    return tables.SOURCES.frame(
        {
            "source": list(range(len(every))),
            "name": [source.name for source in every],
            "kind": [source.kind for source in every],
            "capacity_w": [round(source.capacity_mw * 1e6) for source in every],
            "units": [source.units for source in every],
            "permitted": [source.permit == "granted" for source in every],
            "in_service": [source.in_service for source in every],
            "stage": [first.get(source.name, 0) for source in every],
            "origin": [origins.of(source.path) for source in every],
        }
    )


def power_levels(spec: ClusterSpec, origins: Origins) -> pl.DataFrame:
    """One row per level of the tree, from the sources down."""
    every = spec.power.levels if spec.power else ()
    kinds = [level.kind for level in every]
    return tables.POWER_LEVELS.frame(
        {
            "level": list(range(len(every))),
            "kind": kinds,
            "number": _numbers(kinds),
            "plate_va": [round(level.plate_va, 3) for level in every],
            "apparent": [level.apparent_factor is not None for level in every],
            "rating_w": [ceil(level.rating_w) for level in every],
            "redundancy": [level.redundancy for level in every],
            "origin": [origins.of(level.path) for level in every],
        }
    )


def _numbers(kinds: Sequence[str]) -> list[int]:
    """Number of each word among its likes, from 1."""
    return [kinds[: at + 1].count(kind) for at, kind in enumerate(kinds)]


def tree_and_feeds(spec: ClusterSpec, racks: pl.DataFrame, origins: Origins) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Devices of every level, top first, and the two feeds of every rack; both empty without levels.

    Raises:
        FindingsError: a level cannot carry what hangs on it, or cannot have its redundancy.
    """
    power = spec.power
    if power is None or not power.levels or not racks.height:
        return tables.POWER_NODES.empty(), tables.FEEDS.empty()
    load = racks["power_w"].to_numpy().astype(np.float64)
    tree = grow(power.levels, _both_sides(racks, load))
    stages = _stages(tree, racks["stage"].fill_null(len(spec.stages)).to_numpy().astype(np.int64), len(spec.stages))
    first = np.cumsum([0, *(len(pools.devices) for pools in tree.pools)])
    parts = []
    device = 0
    kinds = [level.kind for level in power.levels]
    indexes = _indexes(tree, kinds)
    for level, pools in enumerate(tree.pools):
        each = np.repeat(np.arange(len(pools.devices)), pools.devices)
        supply = tree.supply[level - 1] + first[level - 1] if level else np.full(len(pools.devices), -1)
        parts.append(
            {
                "power_node": np.arange(device, device + len(each)),
                "level": level,
                "kind": power.levels[level].kind,
                "side": pl.Series(SIDES).gather(pools.side[each]),
                "hall": pl.Series(pools.hall[each]).replace(-1, None),
                "row": pl.Series(pools.row[each]).replace(-1, None),
                "index": indexes[level],
                "pool": each + first[level],
                "supply": pl.Series(supply[each]).replace(-1, None),
                "rating_w": np.full(len(each), ceil(pools.usable_w)),
                "load_w": (pools.normal_w / pools.devices)[each],
                "stage": pl.Series(stages[level][each]),
                "origin": origins.of(power.levels[level].path),
            }
        )
        device += len(each)
    nodes = pl.concat([tables.POWER_NODES.frame(part) for part in parts])
    beyond = pl.when(pl.col("stage") < len(spec.stages)).then(pl.col("stage"))
    nodes = nodes.with_columns(beyond.alias("stage"))
    if power.feed is None:
        return nodes, tables.FEEDS.empty()
    bottom = tree.feeds + first[len(tree.pools) - 1]
    panels = np.zeros(int(first[-1]), np.int64)
    panels[nodes["pool"].to_numpy()[::-1]] = nodes["power_node"].to_numpy()[::-1]
    return nodes, feeds.frame(power.feed, racks, bottom, panels, origins.of(power.feed.path))


def pools(power_nodes: pl.DataFrame) -> pl.DataFrame:
    """One row per pool of devices."""
    first = power_nodes.group_by("pool").agg(pl.col("level").first(), first=pl.col("power_node").min()).sort("pool")
    return tables.POOLS.frame(first.to_dict())


def _both_sides(racks: pl.DataFrame, load: NDArray[np.float64]) -> Loads:
    """Half of each rack on each side; all of it when the other side is down."""
    hall, row = (np.tile(racks[name].to_numpy().astype(np.int64), 2) for name in ("hall", "row"))
    side = np.repeat(np.arange(2), racks.height)
    return Loads(side, hall, row, np.tile(load / 2, 2), np.tile(load, 2))


def _stages(tree: PowerTree, racks: NDArray[np.int64], beyond: int) -> list[NDArray[np.int64]]:
    """First stage of every pool, by level: that of the earliest rack below it."""
    below = np.tile(racks, 2)
    hangs = tree.feeds
    found = []
    for level in range(len(tree.pools) - 1, -1, -1):
        stage = np.full(len(tree.pools[level].devices), beyond)
        np.minimum.at(stage, hangs, below)
        found.append(stage)
        below, hangs = stage, tree.supply[level - 1] if level else hangs
    return found[::-1]


def _indexes(tree: PowerTree, kinds: Sequence[str]) -> list[NDArray[np.int64]]:
    """Number of each device among those of its kind, side and place, from 1, by level."""
    each = [np.repeat(np.arange(len(pools.devices)), pools.devices) for pools in tree.pools]
    words = {kind: code for code, kind in enumerate(dict.fromkeys(kinds))}
    kind = np.concatenate([np.full(len(at), words[word]) for at, word in zip(each, kinds, strict=True)])
    side, hall, row = (
        np.concatenate([getattr(pools, name)[at] for at, pools in zip(each, tree.pools, strict=True)])
        for name in ("side", "hall", "row")
    )
    key = ((kind * (int(hall.max(initial=0)) + 2) + hall + 1) * (int(row.max(initial=0)) + 2) + row + 1) * (BOTH + 1)
    index = earlier(key + side, np.ones_like(key)) + 1
    return np.split(index, np.cumsum([len(at) for at in each])[:-1])
