"""Rail-optimized Clos: NIC r of every node in a scalable unit meets on the leaves of rail r.

Two GPUs of one rail and unit are one switch apart; a third tier keeps the rails apart up to
its pods and joins them in the cores.

Source: NVIDIA DGX SuperPOD reference architectures (RA-11333, RA-11334, RA-11337), compute fabric.
"""

from topology.expand.fabrics._design import Design
from topology.expand.fabrics._design import design as clos
from topology.expand.fabrics._leaves import Ask


def design(ask: Ask) -> Design:
    """Leaves hold one NIC of each node, so a node hangs on as many leaves as it has rails."""
    return clos(ask, rails=1)
