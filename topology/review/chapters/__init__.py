"""The parts of a review, one module each. A further part is one module and one row here."""

from collections.abc import Callable

from topology.review.chapters import artifacts, cells, deployment, network, power, scheduling, site
from topology.review.document import Chapter
from topology.review.review import Review

CHAPTERS: tuple[Callable[[Review], Chapter], ...] = (  # in the order of the comment
    site.chapter,
    power.chapter,
    network.chapter,
    scheduling.chapter,
    cells.chapter,
    deployment.chapter,
    artifacts.chapter,
)
