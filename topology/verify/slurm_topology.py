"""The topology files of a rendered folder, in the one shape that `scontrol show topoconf` has.

A topology is a mapping: `topology` (its name), `cluster_default`, and one of `block`, `tree`, `flat`.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

Topology = dict[str, Any]
Expand = Callable[[str], list[str]]

PROBE = "probe-"
_HOSTLISTS = frozenset({"nodes", "children"})


def read_topologies(folder: Path) -> list[Topology]:
    """The topologies that `folder` defines in topology.yaml, else in topology.conf; none without either."""
    if (folder / "topology.yaml").exists():
        return list(YAML(typ="safe", pure=True).load((folder / "topology.yaml").read_text()) or [])
    conf = folder / "topology.conf"
    return [from_conf(conf.read_text())] if conf.exists() else []


def from_conf(text: str) -> Topology:
    """The one topology of a topology.conf; it has no name there, so it is called `default`."""
    lines = [dict(re.findall(r"(\w+)=(\S+)", line)) for line in text.splitlines()]
    blocks = [{"block": line["BlockName"], "nodes": line["Nodes"]} for line in lines if "BlockName" in line]
    switches = [
        {"switch": line["SwitchName"]}
        | {key.lower(): line[word] for key, word in (("nodes", "Nodes"), ("children", "Switches")) if word in line}
        for line in lines
        if "SwitchName" in line
    ]
    sizes = [int(size) for line in lines for size in line.get("BlockSizes", "").split(",") if size]
    shape = {"block": {"block_sizes": sizes, "blocks": blocks}} if blocks else {"tree": {"switches": switches}}
    return {"topology": "default", "cluster_default": True, **shape}


def find_topology(topologies: list[Topology], name: str | None) -> Topology | None:
    """The topology of a partition that asks for `name`; without a name the first default one."""
    if name is None:
        return next((entry for entry in topologies if entry.get("cluster_default")), None)
    return next((entry for entry in topologies if entry.get("topology") == name), None)


def kind(topology: Topology) -> str:
    """block, tree or flat."""
    return next((word for word in ("block", "tree") if word in topology), "flat")


def groups(topology: Topology) -> list[tuple[str, str]]:
    """Name and hostlist of each block or leaf group: what Slurm tries to keep a job within."""
    if kind(topology) == "block":
        return [(block["block"], block["nodes"]) for block in topology["block"]["blocks"]]
    switches = topology["tree"]["switches"] if kind(topology) == "tree" else []
    return [(switch["switch"], switch["nodes"]) for switch in switches if switch.get("nodes")]


def probes(folder: Path) -> str:
    """Partition lines for the topologies of `folder` that no partition asks for, so that jobs can be tried there.

    Such a partition is called `probe-` and the name of its topology, and has all nodes of its groups.
    """
    asked = {name for conf in folder.glob("*.conf") for name in re.findall(r"(?i)\btopology=(\S+)", conf.read_text())}
    idle = [entry for entry in read_topologies(folder) if entry["topology"] not in asked and groups(entry)]
    lines = [(entry["topology"], ",".join(hostlist for _, hostlist in groups(entry))) for entry in idle]
    return "".join(f"PartitionName={PROBE}{name} Nodes={nodes} Topology={name}\n" for name, nodes in lines)


def differences(wrote: Any, has: Any, expand: Expand, place: str = "topology.yaml") -> Iterator[str]:  # noqa: ANN401 -- parsed YAML
    """Where what Slurm has differs from what was written; hostlists are compared as sets of names.

    Slurm drops a key it does not know without a word, so every key of either side counts. Nulls, `false`
    and empty mappings stand for absence, because Slurm fills them in.
    """
    if isinstance(wrote, dict) and isinstance(has, dict):
        for key in sorted({*_keys_with_values(wrote), *_keys_with_values(has)}):
            here = f"{place}.{key}"
            if key in _HOSTLISTS and wrote.get(key) and has.get(key):
                if wrote[key] != has[key] and set(expand(wrote[key])) != set(expand(has[key])):
                    yield f"{here}: wrote {wrote[key]}, Slurm has {has[key]}"
            else:
                yield from differences(wrote.get(key), has.get(key), expand, here)
    elif isinstance(wrote, list) and isinstance(has, list):
        if len(wrote) != len(has):
            yield f"{place}: wrote {len(wrote)} entries, Slurm has {len(has)}"
        for index, (ours, theirs) in enumerate(zip(wrote, has, strict=False)):
            yield from differences(ours, theirs, expand, f"{place}[{index}]")
    elif wrote != has:
        yield f"{place}: wrote {wrote!r}, Slurm has {has!r}"


def _keys_with_values(mapping: dict[str, Any]) -> list[str]:
    return [key for key, value in mapping.items() if value]
