"""Plain fat tree: all NICs of a node meet on one leaf, and leaves on spines.

Source: Al-Fares, Loukissas, Vahdat, "A Scalable, Commodity Data Center Network
Architecture", SIGCOMM 2008.
"""

from topology.expand.fabrics._design import Design
from topology.expand.fabrics._design import design as clos
from topology.expand.fabrics._leaves import Ask


def design(ask: Ask) -> Design:
    """Leaves hold every NIC of each of their nodes."""
    return clos(ask, rails=ask.nics)
