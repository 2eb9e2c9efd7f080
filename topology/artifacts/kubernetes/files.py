"""The files of every cell and stage.

Context: a stage must give a valid cluster, and a site of 55 cells and a dozen stages must not write every
node a dozen times. Choice: a stage has a folder for each cell that it adds units to. The folder holds the
nodes that arrive, and the cell's other objects as they then stand. What a cell is at a stage is the node
files of its folders up to that stage, and the other files of the last of these. Price: to set a cell up
anew, the folders of its stages are applied one after another; `cells[].stages` of plan.json names them.
"""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import polars as pl

from topology.artifacts.artifact import Artifact, register
from topology.artifacts.kubernetes.cell import CellView
from topology.artifacts.kubernetes.groups import cell_groups
from topology.artifacts.kubernetes.nodes import rows
from topology.artifacts.kubernetes.queues import cell_queues
from topology.artifacts.render import render
from topology.plan import Plan, names
from topology.plan.quotas import quotas, standing
from topology.spec.kubernetes import Kubernetes

FOLDER = "stages/{word}/kubernetes/{word}"

register(
    "kubernetes",
    (
        f"{FOLDER}/{{00-namespaces|20-kueue-flavors|21-kueue-queues}}.yaml",
        f"{FOLDER}/{{10-nodes|70-hosts}}-{{word}}.yaml",
        f"{FOLDER}/kwok/10-nodes-{{word}}.yaml",
    ),
)


def artifacts(plan: Plan, stages: Sequence[int]) -> Iterator[Artifact]:
    """Kubernetes files of the given stages, in stage order; none where the spec has no Kubernetes."""
    kubernetes = plan.spec.kubernetes
    if kubernetes is None:
        return
    cells = plan.units.select("unit", "cell", "hall")
    placed = names.node_places(plan).join(cells, on="unit", maintain_order="left")
    nodes = placed.partition_by("cell", as_dict=True)
    for stage in stages:
        folder = PurePosixPath("stages", plan.spec.stages[stage].name, "kubernetes")
        stood, parts = standing(plan, stage), quotas(plan, kubernetes, stage)
        yield from _nodes(plan, kubernetes, placed.filter(pl.col("stage") == stage), folder)
        for row in plan.cells.iter_rows(named=True):
            cell = row["cell"]
            here = nodes[(cell,)].filter(pl.col("stage") <= stage)
            if (here["stage"] == stage).any():
                groups = cell_groups(plan, kubernetes, stood.filter(pl.col("cell") == cell))
                view = CellView(
                    name=row["name"],
                    pool=row["pool"],
                    index=row["index"],
                    number=row["number"],
                    stage=plan.spec.stages[stage].name,
                    cluster=plan.spec.name,
                    prefix=kubernetes.label_prefix,
                    groups=groups,
                    nodes=here,
                )
                own = parts.filter(pl.col("cell") == cell)
                for path, data in _cell(kubernetes, view, own):
                    yield Artifact(folder / view.name / path, data)


def _nodes(plan: Plan, kubernetes: Kubernetes, arriving: pl.DataFrame, folder: PurePosixPath) -> Iterator[Artifact]:
    """Documents of the nodes that arrive with a stage."""
    spelled = plan.cells["name"]
    for row in rows(plan, kubernetes, arriving):
        home = folder / spelled[row.cell]
        yield Artifact(home / f"10-nodes-{row.name}.yaml", row.labels)
        if row.fakes:
            yield Artifact(home / "kwok" / f"10-nodes-{row.name}.yaml", row.fakes)
        if row.hosts:
            yield Artifact(home / f"70-hosts-{row.name}.yaml", row.hosts)


def _cell(kubernetes: Kubernetes, cell: CellView, parts: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Name and text of each file of a cell but those of its nodes."""
    queues = cell_queues(kubernetes, cell, parts)
    spaces = {queue.namespace for queue in queues}
    if kubernetes.metal3 is not None:
        spaces.add(kubernetes.metal3.namespace)
    yield "00-namespaces.yaml", _render("00-namespaces.yaml", cell, namespaces=sorted(spaces))
    yield "20-kueue-flavors.yaml", _render("20-kueue-flavors.yaml", cell, priorities=kubernetes.priorities)
    yield "21-kueue-queues.yaml", _render("21-kueue-queues.yaml", cell, queues=queues)


def _render(name: str, cell: CellView, **values: object) -> bytes:
    return render(f"kubernetes/{name}.j2", cell=cell, **values)
