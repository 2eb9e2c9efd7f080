"""Rules of partitions and Slurm clusters."""

from collections.abc import Iterator, Mapping
from typing import Any

from topology.findings import Finding
from topology.rules import found

Data = Mapping[str, Any]


def slurm_rules(data: Data) -> Iterator[Finding]:
    """Findings of groups, partitions and defaults that Slurm clusters do not have as one expects."""
    slurm: Data = data.get("slurm", {})
    homes: dict[str, str] = {}  # group: its Slurm cluster
    for i, cluster in enumerate(slurm.get("clusters", ())):
        for j, group in enumerate(cluster["compute"]):
            home = homes.setdefault(group, cluster["name"])
            if home != cluster["name"]:
                message = f"group '{group}' is in two Slurm clusters, '{home}' and '{cluster['name']}'"
                yield found("S341", message, ("slurm", "clusters", i, "compute", j), "keep one")
    if "clusters" in slurm:
        for i, group in enumerate(data["compute"]):
            if group["name"] not in homes:
                message = f"no Slurm cluster has group '{group['name']}'"
                yield found("S344", message, ("compute", i), "add it to the compute of a Slurm cluster")
    yield from _partitions(slurm, homes)


def _partitions(slurm: Data, homes: Mapping[str, str]) -> Iterator[Finding]:
    defaults: dict[str, str] = {}  # Slurm cluster: its default partition
    for i, partition in enumerate(slurm.get("partitions", ())):
        path, name = ("slurm", "partitions", i), partition["name"]
        spread = list(dict.fromkeys(homes.get(group, "") for group in partition["compute"])) if homes else [""]
        if len(spread) > 1:
            where = " and ".join(f"'{home}'" if home else "none" for home in spread)
            message = f"partition '{name}' spreads over the Slurm clusters {where}"
            yield found("S342", message, (*path, "compute"), "write one partition for each Slurm cluster")
        elif partition.get("default", False):
            first = defaults.setdefault(spread[0], name)
            if first != name:
                message = f"partitions '{first}' and '{name}' are both the default"
                yield found("S343", message, (*path, "default"), "keep one default")
