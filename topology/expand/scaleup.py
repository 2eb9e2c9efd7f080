"""NVLink domains: the GPUs that reach each other without a fabric, a box or a whole rack."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.catalog.model import NvLink
from topology.expand.groups import SizedGroup
from topology.expand.nodes import PlacedNodes
from topology.plan import tables


@dataclass(frozen=True, slots=True)
class Domains:
    """Domain of each node, and per domain its first node and how many it has."""

    of_node: NDArray[np.uint32]
    first_node: NDArray[np.intp]
    nodes: NDArray[np.intp]


def domains(groups: Sequence[SizedGroup], placed: PlacedNodes) -> Domains:
    """Domains in node order; a rack with missing trays is a legal, smaller domain."""
    whole_rack = np.array([group.rack.nvlink is not None for group in groups])
    group = placed.unit_group[placed.node_unit]
    slot = np.where(whole_rack[group], 0, placed.node_slot)
    new = np.ones(len(slot), dtype=bool)
    columns = (placed.node_unit, placed.node_rack, slot)
    new[1:] = np.any([np.diff(column.astype(np.int64)) != 0 for column in columns], axis=0)
    first = np.flatnonzero(new)
    return Domains((np.cumsum(new) - 1).astype(np.uint32), first, np.diff(np.append(first, len(slot))))


def domain_columns(groups: Sequence[SizedGroup], placed: PlacedNodes, found: Domains) -> dict[str, object]:
    """Columns of `nvlink_domains` that do not depend on the floor."""
    group = placed.unit_group[placed.node_unit[found.first_node]]
    links = [_nvlink(each) for each in groups]
    gpus = np.array([each.node.gpus for each in groups])[group] * found.nodes
    full = np.array([each.domain_slots for each in groups])[group]
    return {
        "domain": np.arange(len(found.first_node), dtype=np.uint32),
        "first_slot": placed.node_slot[found.first_node] + 1,
        "nodes": found.nodes,
        "gpus": gpus,
        "missing_nodes": full - found.nodes,
        "switches": np.array([link.switches for link in links])[group],
        "links": gpus * np.array([link.links_per_gpu for link in links])[group],
    }


def pattern(groups: Sequence[SizedGroup]) -> pl.DataFrame:
    """Links of one full domain per design: each GPU's links spread evenly over all chips.

    Source: NVIDIA GB200 NVL72: 18 links per GPU, one to each of 18 chips, 1,296 per rack.
    """
    frames = []
    designs = {(g.rack.slug if g.rack.nvlink else g.node.slug): g for g in groups}
    for design, group in sorted(designs.items()):
        link = _nvlink(group)
        if not link.switches:
            continue
        gpus = group.domain_slots * group.node.gpus
        pair = np.arange(gpus * link.switches, dtype=np.uint32)
        gpu, chip = np.divmod(pair, np.uint32(link.switches))
        each, rest = divmod(link.links_per_gpu, link.switches)
        frames.append(
            tables.NVLINK_LINKS.frame({"gpu": gpu, "chip": chip, "design": design, "links": each + (chip < rest)})
        )
    return pl.concat(frames) if frames else tables.NVLINK_LINKS.empty()


def _nvlink(group: SizedGroup) -> NvLink:
    """The domain's switches: the rack's, else the box's, else none."""
    return group.rack.nvlink or group.node.nvlink or NvLink(0, 0, 0)
