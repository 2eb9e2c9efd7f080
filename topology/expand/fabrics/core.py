"""Core fabric: joins the islands of other fabrics, port after port.

The uplinks of all islands, in order of fabric, island, plane and top switch, go to the core
switches in turn. Neighbouring uplinks therefore land on different cores, and as long as an
island has at least as many uplinks as there are cores, every core reaches every island.
Ports are counted for the sized fabrics, so an island built later re-plugs nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import polars as pl

from topology.catalog.model import Switch
from topology.expand.fabrics import _clos, _ports
from topology.expand.fabrics._design import Design
from topology.expand.fabrics._shape import CoreLink
from topology.expand.rules import refused
from topology.plan import tables
from topology.spec.model import Fabric


@dataclass(frozen=True, slots=True)
class CoreDesign:
    """Core switches and, per joined fabric, its design and its first uplink's number."""

    fabric: Fabric
    switch: Switch
    joined: tuple[tuple[Design, int], ...]
    switches: int


def link(fabric: Fabric) -> CoreLink:
    """What the islands' top switches have to keep free for this core."""
    return CoreLink(fabric.port_gbps, fabric.oversubscription.core)


def design(fabric: Fabric, switch: Switch, joined: Sequence[Design]) -> CoreDesign:
    """As many core switches as the sized islands' uplinks fill.

    Raises:
        FindingsError: the switch lacks the rate, or an island has fewer uplinks than there are cores.
    """
    ports = _ports.capacity(switch, fabric.port_gbps)
    if not ports:
        known = ", ".join(map(str, _ports.rates(switch)))
        message = f"fabric {fabric.name}: {switch.slug} has no {fabric.port_gbps} Gb/s ports"
        raise refused(
            "N101",
            message,
            (*fabric.path, "port_gbps"),
            f"write one of {known}, or take another switch",
        )
    firsts, total = [], 0
    for each in joined:
        firsts.append(total)
        total += _trees(each, each.ask.sized_units) * _tree_uplinks(each)
    count = ceil(total / ports)
    short = [each for each in joined if _tree_uplinks(each) < count]
    if short:
        each = min(short, key=_tree_uplinks)
        raise refused(
            "N204",
            f"fabric {fabric.name}: an island of {each.ask.fabric.name} has {_tree_uplinks(each)} uplinks "
            f"for {count} core switches of {ports} ports, so some cores miss it",
            (*fabric.path, "oversubscription"),
            "lower the core's oversubscription, make islands larger, or take a core switch with more ports",
        )
    return CoreDesign(fabric, switch, tuple(zip(joined, firsts, strict=True)), count)


def cables(plan: CoreDesign, rows: Sequence[_clos.Rows], own: _clos.Rows) -> Iterator[pl.DataFrame]:
    """Cables from the top switches of each joined fabric (`rows`, in the same order) to the cores."""
    down, _ = _ports.blocks(
        plan.switch, _ports.capacity(plan.switch, plan.fabric.port_gbps), *(plan.fabric.port_gbps,) * 2
    )
    for (each, first), joined in zip(plan.joined, rows, strict=True):
        shape, planes = each.shape, each.ask.fabric.planes
        number = _clos.count(each, each.ask.units)
        end = np.arange(number.islands * planes * _tree_uplinks(each), dtype=np.uint32)
        top, uplink = np.divmod(end, np.uint32(shape.core_up))
        tree, top = np.divmod(top, np.uint32(shape.tops))
        island, plane = np.divmod(tree, np.uint32(planes))
        below = {1: 0, 2: number.leaf, 3: number.leaf + number.spine}[shape.tiers]
        top += island * np.uint32(shape.tops) + plane * np.uint32(number.plane) + np.uint32(below)
        port, core = np.divmod(end + np.uint32(first), np.uint32(plan.switches))
        blocks = {1: _clos.leaf_blocks, 2: _clos.spine_blocks, 3: _clos.core_blocks}[shape.tiers](each)
        a_cage, a_port = blocks[1].locate(uplink)
        b_cage, b_port = down.locate(port)
        yield tables.CABLES.frame(
            {
                "a": top + np.uint32(joined.first_switch),
                "cable": 0,
                "fabric": own.fabric,
                "plane": plane + np.uint32(1),
                "hop": "spine-core",
                "a_table": "switches",
                "a_cage": a_cage,
                "a_port": a_port,
                "b": core + np.uint32(own.first_switch),
                "b_cage": b_cage,
                "b_port": b_port,
                "rate_gbps": plan.fabric.port_gbps,
                "stage": joined.stage[top],
                "origin": own.origin,
            }
        )


def _trees(each: Design, units: int) -> int:
    return _clos.count(each, units).islands * each.ask.fabric.planes


def _tree_uplinks(each: Design) -> int:
    return each.shape.tops * each.shape.core_up
