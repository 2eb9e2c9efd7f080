"""The files of every cell and stage.

Context: a stage must give a valid cluster, and a site of 55 cells and a dozen stages must not write every
node a dozen times. Choice: a stage has a folder for each cell that it adds units to. The folder holds the
nodes that arrive, and the cell's other objects as they then stand. What a cell is at a stage is the node
files of its folders up to that stage, and the other files of the last of these. Price: to set a cell up
anew, the folders of its stages are applied one after another; `cells[].stages` of plan.json names them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import polars as pl

from topology.artifacts.artifact import Artifact, register
from topology.artifacts.kubernetes import federation
from topology.artifacts.kubernetes.cell import CellView
from topology.artifacts.kubernetes.examples import jobs
from topology.artifacts.kubernetes.groups import cell_groups, functions
from topology.artifacts.kubernetes.hypernodes import hypernodes
from topology.artifacts.kubernetes.networks import DRIVER, RELEASE, rail_views
from topology.artifacts.kubernetes.nodes import rows
from topology.artifacts.kubernetes.queues import QueueView, cell_queues
from topology.artifacts.kubernetes.slinky import slurm_view
from topology.artifacts.render import render
from topology.plan import Plan, names
from topology.spec.kubernetes import Kubernetes
from topology.views.quotas import nodes_by_cell, quotas

FOLDER = "stages/{word}/kubernetes/{word}"

register(
    "kubernetes",
    (
        f"{FOLDER}/{{00-namespaces|20-kueue-flavors|20-multikueue|21-kueue-queues|30-volcano-hypernodes}}.yaml",
        f"{FOLDER}/{{40-gpu-operator|41-dra|50-network-operator|51-rails|52-address-pools}}.yaml",
        f"{FOLDER}/{{60-slinky-topology|61-slinky}}.yaml",
        f"{FOLDER}/{{10-nodes|70-hosts}}-{{word}}.yaml",
        f"{FOLDER}/kwok/10-nodes-{{word}}.yaml",
        f"{FOLDER}/examples/{{word}}.yaml",
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
        stood, parts = nodes_by_cell(plan, stage).filter(pl.col("nodes") > 0), quotas(plan, kubernetes, stage)
        yield from _nodes(plan, kubernetes, placed.filter(pl.col("stage") == stage), folder)
        for row in plan.cells.iter_rows(named=True):
            cell = row["cell"]
            here = nodes.get((cell,), placed.clear()).filter(pl.col("stage") <= stage)  # every node may be left out
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
                for path, data in _cell(plan, kubernetes, view, own):
                    yield Artifact(folder / view.name / path, data)
        for path, data in _federation(plan, kubernetes, stage, stood, parts):
            yield Artifact(folder / "federation" / path, data)


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


def _cell(plan: Plan, kubernetes: Kubernetes, cell: CellView, parts: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Name and text of each file of a cell but those of its nodes."""
    queues = cell_queues(kubernetes, cell, parts)
    spaces = sorted({queue.namespace for queue in queues})
    registry = kubernetes.image_registry
    yield _file("00-namespaces.yaml", cell, namespaces=sorted({*spaces, *_own_spaces(kubernetes)}))
    yield _file("20-kueue-flavors.yaml", cell, priorities=kubernetes.priorities)
    yield _file("21-kueue-queues.yaml", cell, queues=queues, cohorts=())
    if kubernetes.volcano:
        yield "30-volcano-hypernodes.yaml", hypernodes(plan, kubernetes, cell)
    if kubernetes.gpu_operator:
        yield _file("40-gpu-operator.yaml", cell, rdma="true" if kubernetes.network_operator else "false")
    if kubernetes.dra:
        served = {group.name: _serving(queues, group.name) for group in cell.groups}
        yield _file("41-dra.yaml", cell, group_namespaces=served)
    if kubernetes.network_operator:
        yield from _networks(plan, kubernetes, cell, spaces)
    if kubernetes.slinky:
        slurm = slurm_view(plan, kubernetes, cell)
        yield _file("60-slinky-topology.yaml", cell, topologies=slurm.topologies)
        yield _file(
            "61-slinky.yaml",
            cell,
            partitions=slurm.partitions,
            types=slurm.types,
            max_nodes=kubernetes.max_nodes_per_cell,
            registry=registry,
        )
    scale = {group.name for group in cell.groups if group.rack_scale}
    for job in jobs(plan, kubernetes, cell, queues):
        yield f"examples/{job.file}.yaml", render("kubernetes/job.yaml.j2", cell=cell, job=job, registry=registry)
        if kubernetes.dra and job.word == "domain" and job.group in scale:
            name = f"compute-domain-{job.group}"
            own = replace(job, name=name)
            yield (
                f"examples/{name}.yaml",
                render("kubernetes/compute-domain.yaml.j2", cell=cell, job=own, registry=registry),
            )


def _networks(plan: Plan, kubernetes: Kubernetes, cell: CellView, spaces: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Files of the network operator."""
    rails, sriov = rail_views(plan, kubernetes, cell), kubernetes.rails.network == "sriov"
    yield _file(
        "50-network-operator.yaml",
        cell,
        rails=rails,
        sriov=sriov,
        registry=kubernetes.image_registry,
        release=RELEASE,
        driver=DRIVER,
    )
    mtu = kubernetes.rails.mtu_bytes
    yield _file(
        "51-rails.yaml",
        cell,
        rails=rails,
        sriov=sriov,
        namespaces=spaces,
        functions=functions(kubernetes),
        mtu_bytes=mtu,
    )
    yield _file("52-address-pools.yaml", cell, rails=rails, block=kubernetes.rails.addresses_per_node)


def _federation(
    plan: Plan, kubernetes: Kubernetes, stage: int, stood: pl.DataFrame, parts: pl.DataFrame
) -> Iterator[tuple[str, bytes]]:
    """Files of the manager cluster; none while one cell stands alone."""
    made = federation.divisions(plan, stood)
    if sum(len(division.cells) for division in made) < 2:  # noqa: PLR2004 - several
        return
    queues = federation.queues(plan, kubernetes, made, stood, parts)
    view = CellView(
        name="federation",
        pool="",
        index=0,
        number=0,
        stage=plan.spec.stages[stage].name,
        cluster=plan.spec.name,
        prefix=kubernetes.label_prefix,
        groups=cell_groups(plan, kubernetes, stood),
        nodes=pl.DataFrame(),
    )
    yield _file("00-namespaces.yaml", view, namespaces=sorted({queue.namespace for queue in queues}))
    yield _file("20-kueue-flavors.yaml", view, priorities=kubernetes.priorities)
    yield _file("20-multikueue.yaml", view, divisions=made)
    yield _file("21-kueue-queues.yaml", view, queues=queues, cohorts=federation.cohorts(plan, made))


def _own_spaces(kubernetes: Kubernetes) -> Iterator[str]:
    """Namespaces of what is written besides queues."""
    if kubernetes.slinky:
        yield "slurm"
    if kubernetes.network_operator:
        yield "nvidia-network-operator"
    if kubernetes.metal3:
        yield kubernetes.metal3.namespace


def _serving(queues: Sequence[QueueView], group: str) -> list[str]:
    """Namespaces of the queues that hand out a group."""
    return sorted({queue.namespace for queue in queues if group in [flavor.name for flavor in queue.flavors]})


def _file(name: str, cell: CellView, **values: object) -> tuple[str, bytes]:
    """A file and its text, from the template of its name."""
    return name, render(f"kubernetes/{name}.j2", cell=cell, **values)
