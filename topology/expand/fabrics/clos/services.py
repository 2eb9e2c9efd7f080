"""Service boxes, such as subnet managers, on the leaf ports that left-out nodes leave free.

Source: NVIDIA DGX SuperPOD RA-11333, table 4: UFM takes the place of one node of the last
scalable unit, so that 127 nodes and four UFM links share 1,020 leaf ports.
"""

import numpy as np
from numpy.typing import NDArray

from topology.expand.fabrics import U32, Endpoints, FabricDemand, SwitchPorts
from topology.expand.fabrics.clos.leaves import attach
from topology.expand.fabrics.clos.ports import CageBlock
from topology.expand.fabrics.clos.shape import Leaves


def free_ports(
    demand: FabricDemand, leaves: Leaves, nodes: Endpoints, services: Endpoints, down: CageBlock
) -> SwitchPorts:
    """A free node port of the first plane for every port of a service box, in leaf order.

    Raises:
        FindingsError: fewer node ports are free than the boxes need.
    """
    managers, need = demand.fabric.managers, len(services.row)
    here = nodes.plane == 0
    free = np.zeros(-(-demand.units // leaves.run_units) * leaves.per_run * leaves.down, bool)
    free[_ports(demand, leaves, *_places(demand))] = True
    free[_ports(demand, leaves, nodes.unit[here], nodes.place[here], nodes.rail[here])] = False
    port = np.flatnonzero(free)
    if managers is not None and len(port) < need:
        raise demand.refused(
            "N114",
            "managers",
            f"{managers.count} x {managers.ports} ports of {managers.product} need {need} free node ports; "
            f"{len(port)} are free",
            "name a node to leave out under the group's `without`; its ports go to the appliances",
        )
    leaf, at = np.divmod(port[:need].astype(np.uint32), np.uint32(leaves.down))
    return SwitchPorts(leaf, *down.locate(at))


def _places(demand: FabricDemand) -> tuple[U32, U32, U32]:
    """Unit, place and rail of every NIC that full units would have; a unit to come keeps its ports."""
    each = demand.unit_slots * demand.nics
    unit, within = np.divmod(np.arange(demand.units * each, dtype=np.uint32), np.uint32(each))
    place, rail = np.divmod(within, np.uint32(demand.nics))
    return unit, place, rail


def _ports(demand: FabricDemand, leaves: Leaves, unit: U32, place: U32, rail: U32) -> NDArray[np.int64]:
    """Node ports of these NICs, counted through all leaves of a plane."""
    leaf, port = attach(leaves, unit, place, rail, demand.unit_slots)
    return leaf.astype(np.int64) * leaves.down + port
