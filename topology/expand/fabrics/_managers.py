"""Subnet-manager appliances on the leaf ports that left-out nodes leave free.

Source: NVIDIA DGX SuperPOD RA-11333, table 4: UFM takes the place of one node of the last
scalable unit, so that 127 nodes and four UFM links share 1,020 leaf ports.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.expand.fabrics import _clos
from topology.expand.fabrics._design import Design
from topology.expand.fabrics._leaves import attach
from topology.plan import tables


def cables(design: Design, nics: _clos.Nics, rows: _clos.Rows, first_appliance: int) -> pl.DataFrame:
    """One cable per appliance port of the first plane, on free node ports in leaf order.

    Raises:
        FindingsError: fewer node ports are free than the appliances need.
    """
    managers, leaves = design.ask.fabric.managers, design.shape.leaves
    if managers is None:
        return tables.CABLES.empty()
    need = managers.count * managers.ports
    free = np.zeros(_clos.count(design, design.ask.units).leaf * leaves.down, bool)
    free[_ports(design, *_places(design))] = True
    free[_ports(design, nics.unit, nics.place, nics.rail)] = False
    free = np.flatnonzero(free)
    if len(free) < need:
        raise design.ask.refused(
            "N114",
            "managers",
            f"{managers.count} x {managers.ports} ports of {managers.product} need {need} free node ports; "
            f"{len(free)} are free",
            "name a node to leave out under the group's `without`; its ports go to the appliances",
        )
    free_leaf, free_port = np.divmod(free[:need].astype(np.uint32), np.uint32(leaves.down))
    cage, split = _clos.leaf_blocks(design)[0].locate(free_port)
    index = np.arange(need, dtype=np.uint32)
    return tables.CABLES.frame(
        {
            "a": index // np.uint32(managers.ports) + np.uint32(first_appliance),
            "cable": 0,
            "fabric": rows.fabric,
            "plane": 1,
            "hop": "node-leaf",
            "a_table": "appliances",
            "a_cage": index % np.uint32(managers.ports) + np.uint32(1),
            "a_port": 1,
            "b": free_leaf + np.uint32(rows.first_switch),
            "b_cage": cage,
            "b_port": split,
            "rate_gbps": design.ask.fabric.port_gbps,
            "stage": rows.stage[free_leaf],
            "origin": rows.origin,
        }
    )


def _places(design: Design) -> tuple[_clos.U32, _clos.U32, _clos.U32]:
    """Unit, place and rail of every NIC that full units would have; a unit to come keeps its ports."""
    ask = design.ask
    unit, within = np.divmod(
        np.arange(ask.units * ask.unit_slots * ask.nics, dtype=np.uint32), np.uint32(ask.unit_slots * ask.nics)
    )
    place, rail = np.divmod(within, np.uint32(ask.nics))
    return unit, place, rail


def _ports(design: Design, unit: _clos.U32, place: _clos.U32, rail: _clos.U32) -> NDArray[np.int64]:
    """Node ports of these NICs, counted through all leaves of a plane."""
    leaf, port = attach(design.shape.leaves, unit, place, rail, design.ask.unit_slots)
    return leaf.astype(np.int64) * design.shape.leaves.down + port
