"""The parts of a review, one module each. A further part is one module and one row here."""

from topology.review.chapters.artifacts import Files
from topology.review.chapters.cells import Cells
from topology.review.chapters.deployment import Stacks
from topology.review.chapters.network import Network
from topology.review.chapters.power import Power
from topology.review.chapters.scheduling import Scheduling
from topology.review.chapters.site import Site
from topology.review.review import Part

PARTS: tuple[type[Part], ...] = (Site, Power, Network, Scheduling, Cells, Stacks, Files)  # in the comment's order
