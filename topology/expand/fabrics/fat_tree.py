"""Plain fat tree: all NICs of a node meet on one leaf, and leaves on spines.

Source: Al-Fares, Loukissas, Vahdat, "A Scalable, Commodity Data Center Network
Architecture", SIGCOMM 2008.
"""

from topology.expand.fabrics import FabricDemand, FabricDesign
from topology.expand.fabrics.clos.design import design_clos
from topology.expand.fabrics.clos.wiring import HOPS, TIERS, WORDS

__all__ = ["HOPS", "TIERS", "WORDS", "design"]


def design(demand: FabricDemand) -> FabricDesign:
    """Leaves hold every NIC of each of their nodes."""
    return design_clos(demand, rails=demand.nics)
