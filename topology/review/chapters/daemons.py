"""Every slurmctld of a side, as its files have it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from topology.artifacts.slurm import files as slurm
from topology.plan import Plan
from topology.review.side import Side

_SETTING = re.compile(r"^([A-Za-z]+)=(.*)$", re.MULTILINE)
_PARTITION = re.compile(r"^PartitionName=(\S+) ", re.MULTILINE)
_COMMENT = re.compile(rb"^#.*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Slurmctld:
    """One slurmctld as its files have it."""

    settings: Mapping[str, str]  # of slurm.conf
    partitions: tuple[str, ...]
    blocks: int
    nodes: int
    body: bytes  # every file without its comments


def daemons(side: Side, plan: Plan) -> dict[str, Slurmctld]:
    """Every slurmctld of the last stage by name; none where files cannot be made."""
    if not plan.stages.height or not rendered(side):
        return {}
    held: dict[str, dict[str, bytes]] = {}
    for path, data in _files(side, plan).items():
        folder, name = PurePosixPath(path).parts[-2:]
        held.setdefault(folder, {})[name] = data
    made = {}
    for name, every in held.items():
        conf, partitions = every["slurm.conf"].decode(), every["partitions.conf"].decode()
        first = re.match(r"# \S+ ([\d,]+) nodes", conf)
        blocks = sum(data.count(b"- block: ") + data.count(b"BlockName=") for data in every.values())
        body = b"".join(_COMMENT.sub(b"", every[file]) for file in sorted(every))
        settings = dict(_SETTING.findall(conf))
        nodes = int(first[1].replace(",", "")) if first else 0
        made[name] = Slurmctld(settings, tuple(_PARTITION.findall(partitions)), blocks, nodes, body)
    return made


def rendered(side: Side) -> bool:
    """Whether Slurm's files can be made: an overload or a short supply does not keep anyone from reading them."""
    return side.plan is not None and not side.faulty("S", "C", "K", "L")


def _files(side: Side, plan: Plan) -> Mapping[str, bytes]:
    """Slurm's files of the last stage."""
    last = plan.spec.stages[-1].name
    if side.built is not None:
        return side.texts(path for path in side.artifacts if path.startswith(f"stages/{last}/slurm/"))
    return {str(each.path): each.data for each in slurm.artifacts(plan, [len(plan.spec.stages) - 1])}
