"""The files under report/: the floor plan, and the racks of each hall from the front."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from topology.artifacts.artifact import Artifact, register
from topology.artifacts.pictures.elevations import elevations
from topology.artifacts.pictures.floor import floor_plan
from topology.artifacts.render import render
from topology.plan import Plan

FOLDER = PurePosixPath("report")

register("report", ("report/site.svg", "report/rows/{word}.svg"))


def artifacts(plan: Plan, stages: Sequence[int]) -> Iterator[Artifact]:
    """Pictures of the whole design, every stage in its colour: one of the site, one of each hall that has racks."""
    del stages
    yield Artifact(FOLDER / "site.svg", render("report/site.svg.j2", floor=floor_plan(plan)))
    for hall in elevations(plan):
        yield Artifact(FOLDER / "rows" / f"{hall.name}.svg", render("report/rows.svg.j2", hall=hall))
