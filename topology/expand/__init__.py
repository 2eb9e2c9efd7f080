"""Expansion: a spec and a catalogue become a plan. Pure; the same input gives the same bytes."""

from topology.catalog.model import Catalog
from topology.expand import cells, demand, floor, wiring
from topology.expand.groups import group_frame, size_groups
from topology.expand.mounting import mount
from topology.expand.networks import Networks
from topology.expand.nodes import gpu_frame, nic_frame, place_nodes
from topology.expand.origins import Origins
from topology.expand.power import banks
from topology.expand.power.build import pools, power_levels, sources, tree_and_feeds
from topology.expand.rules import refused
from topology.expand.scaleup import domains, pattern
from topology.expand.site import SiteTables
from topology.expand.stages import stages
from topology.plan import Plan, tables
from topology.spec.model import ClusterSpec

__all__ = ["expand"]


def expand(spec: ClusterSpec, catalog: Catalog) -> Plan:
    """The whole site, every stage of it; read it as the list of its steps.

    Raises:
        FindingsError: what keeps the site from being built, all findings of the first step
            that cannot go on.
    """
    try:
        return _whole(spec, catalog)
    except tables.ColumnRangeError as error:
        help_ = "a count of the spec or of a product is larger than any that is built: check the largest ones"
        raise refused("S356", str(error), (), help_) from None


def _whole(spec: ClusterSpec, catalog: Catalog) -> Plan:
    """The plan, step by step."""
    origins = Origins()
    groups = size_groups(spec, catalog)
    nets = Networks(spec, catalog, groups, demand.design_fabrics(spec, catalog, groups))
    ends = nets.row_ends()
    places = floor.place_units(spec, groups, nets.rooms(), ends)
    points = mount(spec, places, ends, list(nets.boxes(places)))
    nodes = place_nodes(spec, groups, places)
    scaleup = domains(groups, nodes)
    site = SiteTables(spec, groups, nodes, origins)
    cell_of = cells.cell_of_units(spec, groups, nodes)
    halls, rows, units = site.halls(), site.rows(), site.units(cell_of)
    fabrics = wiring.fabric_rows(nets, nodes, origins)
    wired = wiring.wire(catalog, fabrics, points)
    racks = site.racks(wired)
    nics = nic_frame(groups, nodes)
    power_nodes, feeds = tree_and_feeds(spec, racks.frame, origins)
    frames = {
        "halls": halls,
        "rows": rows,
        "groups": group_frame(groups, origins),
        "units": units,
        "racks": racks.frame,
        "nodes": site.nodes(scaleup, racks, wiring.node_localities(nets, nodes, fabrics)),
        "gpus": gpu_frame(groups, nodes),
        "nics": nics,
        "nvlink_domains": site.domains(scaleup, racks),
        "nvlink_links": pattern(groups),
        "fabrics": wiring.fabrics(fabrics),
        "tiers": wiring.tiers(fabrics),
        "localities": wiring.localities(fabrics),
        "switches": racks.mounted(wired.switches, tables.SWITCHES, len(spec.stages)),
        "appliances": racks.mounted(wired.appliances, tables.APPLIANCES, len(spec.stages)),
        "cables": wiring.cables(nets, nodes, nics, fabrics, len(spec.stages)),
    }
    frames |= {
        "sources": sources(spec, origins),
        "power_levels": power_levels(spec, origins),
        "power_nodes": power_nodes,
        "pools": pools(power_nodes),
        "feeds": feeds,
        **banks.size_banks(spec, catalog, power_nodes, racks.frame, origins),
        "cells": cells.cells(spec, groups, nodes, cell_of, origins),
    }
    return Plan(spec=spec, catalog=catalog, stages=stages(spec, frames, origins), origins=origins.paths(), **frames)
