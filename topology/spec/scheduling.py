"""Rules of what schedulers have: Slurm clusters, partitions, pools of Kubernetes cells, addresses of their rails."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any

from topology.findings import Finding, Path
from topology.rules import found

Data = Mapping[str, Any]

_PARTS_S = (3600, 60, 1)  # hours, minutes, seconds
_LONGEST_S = 2**31 - 60  # slurmctld 26.05 rounds up to minutes in 32 bits: beyond, it refuses or takes another time
_LONGEST = "24855-03:13:08"  # the same in days


def slurm_rules(data: Data) -> Iterator[Finding]:
    """Findings of groups, partitions and defaults that Slurm clusters do not have as one expects."""
    slurm: Data = data.get("slurm", {})
    clusters: Sequence[Data] = slurm.get("clusters", ())
    homes = _homes(clusters)
    yield from _in_two("S341", "Slurm clusters", clusters, ("slurm", "clusters"))
    if "clusters" in slurm:
        for i, group in enumerate(data["compute"]):
            if group["name"] not in homes:
                message = f"no Slurm cluster has group '{group['name']}'"
                yield found("S344", message, ("compute", i), "add it to the compute of a Slurm cluster")
    yield from _partitions(slurm, homes)
    yield from _times(slurm)


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


def _times(slurm: Data) -> Iterator[Finding]:
    for i, partition in enumerate(slurm.get("partitions", ())):
        written = partition.get("max_time", "INFINITE")
        if written != "INFINITE" and _seconds(written) > _LONGEST_S:
            message = f"max_time is {written}; Slurm counts up to {_LONGEST}"
            help_ = "write INFINITE, or a shorter time such as 7-00:00:00"
            yield found("S348", message, ("slurm", "partitions", i, "max_time"), help_)


def _seconds(written: str) -> int:
    """Seconds of a time as Slurm reads it: behind days come hours; one number alone is minutes, two are minutes first.

    >>> _seconds("7-00:00:00"), _seconds("90"), _seconds("90:30"), _seconds("1:30:00")
    (604800, 5400, 5430, 5400)
    """
    days, dash, rest = written.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if not dash and len(parts) < len(_PARTS_S):
        parts.insert(0, 0)
    return int(days or 0) * 86_400 + sum(part * each for part, each in zip(parts, _PARTS_S, strict=False))


def pool_rules(data: Data) -> Iterator[Finding]:
    """Findings of groups in two pools, of pools that take the name of another, and of address ranges that are none."""
    given: Data = data.get("kubernetes", {})
    pools: Sequence[Data] = given.get("pools", ())
    yield from _in_two("S345", "pools", pools, ("kubernetes", "pools"))
    alone = {group["name"] for group in data["compute"]} - _homes(pools).keys()
    for i, pool in enumerate(pools):
        if pool["name"] in alone:
            message = f"pool '{pool['name']}' has the name of a group that has cells of its own"
            help_ = f"rename the pool, or add {pool['name']} to its compute"
            yield found("S346", message, ("kubernetes", "pools", i, "name"), help_)
    yield from _addresses(given)


def _addresses(given: Data) -> Iterator[Finding]:
    cidr = given.get("rails", {}).get("cidr")
    if cidr is None:
        return
    path = ("kubernetes", "rails", "cidr")
    try:
        IPv4Network(cidr)
    except ValueError as error:
        loose = _loose(cidr)
        help_ = f"write {loose}" if loose else "write four numbers up to 255 and a prefix length, as in 10.0.0.0/8"
        yield found("S347", f"{cidr} is no IPv4 network: {str(error).removeprefix(f'{cidr} ')}", path, help_)


def _loose(cidr: str) -> str:
    """The network that an address with a prefix length lies in; empty when it is no address."""
    try:
        return str(IPv4Network(cidr, strict=False))
    except ValueError:
        return ""


def _homes(things: Sequence[Data]) -> dict[str, str]:
    """The name of the first thing that has a group, by the group."""
    return {group: thing["name"] for thing in reversed(things) for group in thing["compute"]}


def _in_two(code: str, noun: str, things: Sequence[Data], path: Path) -> Iterator[Finding]:
    """Findings of groups that two of the things have."""
    homes = _homes(things)
    for i, thing in enumerate(things):
        for j, group in enumerate(thing["compute"]):
            if homes[group] != thing["name"]:
                message = f"group '{group}' is in two {noun}, '{homes[group]}' and '{thing['name']}'"
                yield found(code, message, (*path, i, "compute", j), "keep one")
