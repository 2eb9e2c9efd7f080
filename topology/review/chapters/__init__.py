"""The parts of a review, one module each. A further part is one module and one row here."""

from topology.review.chapters.artifacts import ArtifactsPart
from topology.review.chapters.cells import CellsPart
from topology.review.chapters.deployment import DeploymentPart
from topology.review.chapters.network import NetworkPart
from topology.review.chapters.power import PowerPart
from topology.review.chapters.scheduling import SchedulingPart
from topology.review.chapters.site import SitePart
from topology.review.review import ReviewPart

PARTS: tuple[type[ReviewPart], ...] = (  # in the comment's order
    SitePart,
    PowerPart,
    NetworkPart,
    SchedulingPart,
    CellsPart,
    DeploymentPart,
    ArtifactsPart,
)
