"""Rail-optimized Clos: NIC r of every node in a scalable unit meets on the leaves of rail r.

Two GPUs of one rail and unit are one switch apart; a third tier keeps the rails apart up to
its pods and joins them in the cores.

Source: NVIDIA DGX SuperPOD reference architectures (RA-11333, RA-11334, RA-11337), compute fabric.
"""

from topology.expand.fabrics import FabricDemand, FabricDesign
from topology.expand.fabrics.clos.design import design_clos
from topology.expand.fabrics.clos.wiring import HOPS, TIERS, WORDS

__all__ = ["HOPS", "TIERS", "WORDS", "design"]


def design(demand: FabricDemand) -> FabricDesign:
    """Leaves hold one NIC of each node, so a node hangs on as many leaves as it has rails."""
    return design_clos(demand, rails=1)
