"""Leaf tier: how many leaves a unit needs, and which NIC goes to which port of which."""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from topology.expand.fabrics import FabricDemand
from topology.expand.fabrics.clos import ports
from topology.expand.fabrics.clos.shape import Leaves


def island_units(demand: FabricDemand) -> int:
    """Units of a full island."""
    return min(demand.fabric.island_units or demand.sized_units, demand.sized_units)


def one_leaf_tier(demand: FabricDemand, rails: int) -> Leaves | None:
    """Leaves of a fabric without spines: each takes `rails` NICs of every node, if it has the ports."""
    up_gbps, taper = (demand.core.gbps, demand.core.taper) if demand.core else (demand.fabric.port_gbps, None)
    down = island_units(demand) * demand.unit_slots * rails
    if down > ports.most_down(demand.switch, demand.fabric.port_gbps, up_gbps, taper):
        return None
    return Leaves(
        island_units(demand), demand.nics // rails, 1, island_units(demand) * demand.unit_slots, rails, down, 0
    )


def leaf_tier(demand: FabricDemand, rails: int) -> Leaves:
    """Leaves below spines: as few as hold a unit, evenly filled, never cutting an NVLink domain that fits.

    Uplinks follow the node ports in use by the leaf's oversubscription, so a leaf that a
    unit fills to 18 ports has 18 uplinks, as NVIDIA builds GB200.

    Raises:
        FindingsError: the ports the spec asks for do not exist on this switch.
    """
    fabric, slots = demand.fabric, demand.unit_slots
    taper = fabric.oversubscription.leaf
    most = ports.most_down(demand.switch, fabric.port_gbps, fabric.uplink_gbps, taper)
    if fabric.leaf_sharing == "rails" and rails == 1:  # a fat tree keeps no rails apart that could share
        rails = max(q for q in range(1, demand.nics + 1) if demand.nics % q == 0 and (q == 1 or q * slots <= most))
    nodes = most // rails
    if not nodes:
        raise demand.refused(
            "N103",
            "switch",
            f"a leaf of {demand.switch.slug} has {most} node ports at {fabric.port_gbps} Gb/s and "
            f"oversubscription {taper:g}; one node brings {rails}",
            "take a switch with more ports or a lower port_gbps",
        )
    runs, groups = 1, 1
    if fabric.leaf_down is not None:
        group_nodes = _given(demand, rails, most)
        groups = slots // group_nodes
    elif fabric.leaf_sharing == "units" and nodes // slots > 1:
        runs = min(nodes // slots, island_units(demand))
        if fabric.island_units is not None:  # an island ends between leaves
            runs = max(run for run in range(1, runs + 1) if island_units(demand) % run == 0)
        group_nodes = runs * slots
    else:
        domain = demand.domain_slots if demand.domain_slots <= nodes else 1
        groups = _even(slots // domain, nodes // domain)
        group_nodes = ceil(slots // domain / groups) * domain
    down = group_nodes * rails
    up = ports.uplinks(down, fabric.port_gbps, fabric.uplink_gbps, taper)
    return Leaves(runs, demand.nics // rails, groups, group_nodes, rails, down, up)


def _even(domains: int, most: int) -> int:
    """Groups for `domains` of at most `most` each: equal ones where that costs less than twice the fewest."""
    least = ceil(domains / most)
    return next((n for n in range(least, min(2 * least, domains + 1)) if domains % n == 0), least)


def _given(demand: FabricDemand, rails: int, most: int) -> int:
    """Node places per leaf group for the spec's own `leaf_down`."""
    down, slots = demand.fabric.leaf_down or 0, demand.unit_slots
    if down > most:
        raise demand.refused(
            "N104",
            "leaf_down",
            f"{down} node ports and their uplinks at oversubscription "
            f"{demand.fabric.oversubscription.leaf:g} do not fit {demand.switch.slug}, which has "
            f"{ports.capacity(demand.switch, demand.fabric.port_gbps)} ports at {demand.fabric.port_gbps} Gb/s",
            f"write {most} or less",
        )
    if down % rails or slots % (down // rails):
        fits = [n * rails for n in range(1, most // rails + 1) if slots % n == 0]
        raise demand.refused(
            "N105",
            "leaf_down",
            f"{down} node ports per leaf do not divide a unit of {slots} nodes x {rails} NICs per leaf",
            f"write one of {', '.join(map(str, fits))}",
        )
    return down // rails


def attach(
    leaves: Leaves, unit: NDArray[np.uint32], place: NDArray[np.uint32], rail: NDArray[np.uint32], slots: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Leaf and its node port, both from 0, of NIC `rail` of the node at `place` of `unit`.

    Every division is by a constant of the shape, so no table is searched, and a missing
    node leaves its port empty instead of moving the next one's cable.
    """
    run, within = np.divmod(unit, np.uint32(leaves.run_units))
    group, seat = np.divmod(within * np.uint32(slots) + place, np.uint32(leaves.group_nodes))
    column, lane = np.divmod(rail, np.uint32(leaves.rails))
    leaf = run * np.uint32(leaves.per_run) + column * np.uint32(leaves.groups) + group
    port = seat * np.uint32(leaves.rails) + lane
    return leaf.astype(np.uint32), port.astype(np.uint32)
