"""The files of every slurmctld of every stage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import polars as pl

from topology.artifacts.artifact import Artifact, register
from topology.artifacts.render import render
from topology.artifacts.slurm.clusters import Controller, controllers
from topology.artifacts.slurm.entries import Topology
from topology.artifacts.slurm.topologies import topologies
from topology.plan import Plan, names

FILES = ("slurm.conf", "nodes.conf", "partitions.conf", "gres.conf", "cgroup.conf")
YAML_TOPOLOGY = "26.05"  # the release that takes topology.yaml; 24.11 takes topology.conf only

register(
    "slurm",
    (
        "stages/{word}/slurm/{word}/{slurm.conf|nodes.conf|partitions.conf|gres.conf|cgroup.conf}",
        "stages/{word}/slurm/{word}/{topology.yaml|topology.conf}",
    ),
)


@dataclass(frozen=True, slots=True)
class NodeLine:
    """Alike nodes of one group and hall."""

    hosts: str
    sockets: int
    cores: int
    threads: int
    memory_mb: int
    gres_type: str
    gpus: int
    features: str


@dataclass(frozen=True, slots=True)
class PartitionLine:
    """A partition and its nodes here."""

    name: str
    hosts: str
    default: str
    max_time: str
    topology: str


@dataclass(frozen=True, slots=True)
class GresLine:
    """GPUs of some nodes; no hosts means all of them."""

    hosts: str
    gres_type: str
    files: str


@dataclass(frozen=True, slots=True)
class SlurmView:
    """Everything the templates print for one slurmctld."""

    name: str
    stage: str
    node_count: int
    controllers: tuple[str, ...]
    topology_plugin: str  # "" where topology.yaml says it
    imex_channels: int  # 0 without rack-scale NVLink
    nodes: tuple[NodeLine, ...]
    partitions: tuple[PartitionLine, ...]
    gres: tuple[GresLine, ...]
    topologies: tuple[Topology, ...]


def artifacts(plan: Plan, stages: Sequence[int]) -> Iterator[Artifact]:
    """Slurm files of the given stages, in stage order."""
    for stage in stages:
        for controller in controllers(plan, stage):
            view = slurm_view(plan, stage, controller)
            folder = PurePosixPath("stages", view.stage, "slurm", view.name)
            topology = "topology.yaml" if plan.spec.slurm.release == YAML_TOPOLOGY else "topology.conf"
            for file in (*FILES, topology):
                text = render(f"slurm/{file}.j2", view=view, cluster=plan.spec.name)
                yield Artifact(folder / file, text)


def slurm_view(plan: Plan, stage: int, controller: Controller) -> SlurmView:
    """What one slurmctld of one stage is told."""
    slurm = plan.spec.slurm
    made, used = topologies(plan, controller)
    by_yaml = slurm.release == YAML_TOPOLOGY
    nodes = _node_lines(plan, controller)
    return SlurmView(
        name=controller.name,
        stage=plan.spec.stages[stage].name,
        node_count=controller.nodes.height,
        controllers=slurm.controllers,
        topology_plugin="" if by_yaml else f"topology/{made[0].kind}",
        imex_channels=slurm.imex_channels if _rack_scale(plan, controller) else 0,
        nodes=nodes,
        partitions=_partition_lines(plan, controller, used if by_yaml else {}),
        gres=_gres_lines(nodes),
        topologies=made if by_yaml else made[:1],
    )


def _rack_scale(plan: Plan, controller: Controller) -> bool:
    groups = [plan.spec.compute[index] for index in controller.nodes["group"].unique()]
    return any(plan.catalog.racks[group.rack].nvlink for group in groups)


def _node_lines(plan: Plan, controller: Controller) -> tuple[NodeLine, ...]:
    folded = names.fold(controller.nodes, names.node_template(plan.spec.names), ["group", "hall_name"])
    lines = []
    for group, hall, hosts in folded.iter_rows():
        node = plan.catalog.nodes[plan.catalog.racks[plan.spec.compute[group].rack].node]
        cores = (node.sockets, node.cores_per_socket, node.threads_per_core, node.memory_mb)
        features = f"{node.gres_type},{plan.spec.compute[group].name},{hall}"
        lines.append(NodeLine(hosts, *cores, node.gres_type, node.gpus, features))
    return tuple(lines)


def _partition_lines(plan: Plan, controller: Controller, used: dict[str, str]) -> tuple[PartitionLine, ...]:
    """Lines of the partitions; while the spec's default one has no node yet, the first is the default."""
    index = {group.name: at for at, group in enumerate(plan.spec.compute)}
    lines = []
    first = next((p for p in controller.partitions if p.default), controller.partitions[0])
    for partition in controller.partitions:
        mine = controller.nodes.filter(pl.col("group").is_in([index[name] for name in partition.compute]))
        hosts = names.fold(mine, names.node_template(plan.spec.names))["hosts"][0]
        default = "YES" if partition is first else "NO"
        topology = used.get(partition.name, "")
        lines.append(PartitionLine(partition.name, hosts, default, partition.max_time, topology))
    return tuple(lines)


def _gres_lines(nodes: tuple[NodeLine, ...]) -> tuple[GresLine, ...]:
    """One line for all where every node has the same GPUs, else one per line of nodes."""
    kinds = {(line.gres_type, line.gpus) for line in nodes}
    return tuple(
        GresLine("" if len(kinds) == 1 else line.hosts, line.gres_type, f"/dev/nvidia[0-{line.gpus - 1}]")
        for line in (nodes[:1] if len(kinds) == 1 else nodes)
    )
