"""Rules of pools of Kubernetes cells, and of the addresses of their rails."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from topology.findings import Finding
from topology.rules import found

Data = Mapping[str, Any]


def pool_rules(data: Data) -> Iterator[Finding]:
    """Findings of groups in two pools, of pools that take the name of another, and of address ranges that are none."""
    given: Data = data.get("kubernetes", {})
    homes: dict[str, str] = {}  # group: its pool
    for i, pool in enumerate(given.get("pools", ())):
        for j, group in enumerate(pool["compute"]):
            home = homes.setdefault(group, pool["name"])
            if home != pool["name"]:
                message = f"group '{group}' is in two pools, '{home}' and '{pool['name']}'"
                yield found("S345", message, ("kubernetes", "pools", i, "compute", j), "keep one")
    alone = {group["name"] for group in data["compute"]} - homes.keys()
    for i, pool in enumerate(given.get("pools", ())):
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
