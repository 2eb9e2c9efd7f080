"""Rules of the fabrics: kinds, groups, islands and the cores that join them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from topology.findings import Finding, did_you_mean
from topology.rules import found
from topology.source import YamlSource

Data = Mapping[str, Any]

_NODES = frozenset({"connects", "compute", "uplink_gbps", "planes", "sized_for", "managers"})  # of what connects nodes


@dataclass(frozen=True, slots=True)
class KindWords:
    """Keys that a spec may give a fabric of one kind, beside those of every fabric."""

    keys: frozenset[str]
    joins: bool = False  # whether it joins fabrics; others connect nodes

    @property
    def every(self) -> frozenset[str]:
        """Keys that not every fabric has."""
        return self.keys if self.joins else self.keys | _NODES


Kinds = Mapping[str, KindWords]


def fabric_rules(data: Data, source: YamlSource, kinds: Kinds) -> Iterator[Finding]:
    """Findings of the fabrics among themselves; `kinds` are the words for shapes the program has."""
    fabrics: Sequence[Data] = data["fabrics"]
    for i, fabric in enumerate(fabrics):
        if fabric["kind"] not in kinds:
            message = f"no fabric kind is called '{fabric['kind']}'"
            yield found("S331", message, ("fabrics", i, "kind"), did_you_mean(fabric["kind"], kinds))
        yield from _keys(fabric, i, source, kinds)
    yield from _groups(data, kinds)
    yield from _islands(fabrics, kinds)
    yield from _protocols(fabrics, kinds)


def _joins(fabric: Data, kinds: Kinds) -> bool:
    """Whether a fabric is of a kind that joins others."""
    return fabric["kind"] in kinds and kinds[fabric["kind"]].joins


def _keys(fabric: Data, i: int, source: YamlSource, kinds: Kinds) -> Iterator[Finding]:
    """Keys that the kind asks for, and keys that it does not have."""
    joins = _joins(fabric, kinds)
    needed = "joins" if joins else "protocol"
    if needed not in fabric:
        help_ = "add joins: [...], the fabrics whose islands it joins" if joins else "add protocol: infiniband or roce"
        yield found("S202", f"key '{needed}' is missing in fabrics[{i}]", ("fabrics", i), help_)
    others = frozenset().union(*(words.every for words in kinds.values()))
    for key in fabric:
        if fabric["kind"] in kinds and key in others - kinds[fabric["kind"]].every:
            kind = f"a {fabric['kind']}" if joins else f"a fabric of kind {fabric['kind']}"
            message = f"{kind} has no {key}"
            yield source.at_key(found("S335", message, ("fabrics", i, key), "delete the key"))
    if joins and isinstance(fabric.get("oversubscription"), Mapping):
        message = f"{fabric['kind']} '{fabric['name']}' has one oversubscription, not one for each tier"
        yield found("S335", message, ("fabrics", i, "oversubscription"), "write a number")


def _groups(data: Data, kinds: Kinds) -> Iterator[Finding]:
    """Groups that two fabrics of one role would connect; one finding per later fabric."""
    all_groups = [group["name"] for group in data["compute"]]
    taken: dict[tuple[str, str], str] = {}
    for i, fabric in enumerate(data["fabrics"]):
        if _joins(fabric, kinds):
            continue
        role = fabric.get("connects", "compute")
        groups = fabric.get("compute", all_groups)
        both = [group for group in groups if (role, group) in taken]
        if both:
            other = taken[role, both[0]]
            message = f"group '{both[0]}' is on two fabrics of role {role}, '{other}' and '{fabric['name']}'"
            help_ = "name the groups of each fabric under compute, every group once"
            yield found("S332", message, ("fabrics", i, "compute"), help_)
        taken |= {(role, group): fabric["name"] for group in groups if (role, group) not in taken}


def _islands(fabrics: Sequence[Data], kinds: Kinds) -> Iterator[Finding]:
    by_name = {fabric["name"]: fabric for fabric in fabrics}
    joined: dict[str, str] = {}
    for i, core in enumerate(fabrics):
        for j, name in enumerate(core.get("joins", ()) if _joins(core, kinds) else ()):
            path = ("fabrics", i, "joins", j)
            target = by_name.get(name, core)
            if name in joined:
                message = f"fabric '{name}' is joined by two cores, '{joined[name]}' and '{core['name']}'"
                yield found("S333", message, path, "delete one")
            elif name in by_name and _joins(target, kinds):
                yield found(
                    "S333",
                    f"core '{core['name']}' joins the core '{name}'",
                    path,
                    "name fabrics with islands",
                )
            elif name in by_name and "islands" not in target:
                message = f"core '{core['name']}' joins '{name}', which has no islands"
                may = target["kind"] not in kinds or "islands" in kinds[target["kind"]].keys
                add = f"add islands: {{units: ...}} to '{name}', or" if may else f"{target['kind']} has none:"
                yield found("S333", message, path, f"{add} delete the core")
            joined.setdefault(name, core["name"])
    for i, fabric in enumerate(fabrics):
        if "islands" in fabric and not _joins(fabric, kinds) and fabric["name"] not in joined:
            message = f"no core joins the islands of '{fabric['name']}'"
            help_ = f"add a fabric of kind core with joins: [{fabric['name']}]"
            yield found("S333", message, ("fabrics", i, "islands"), help_)


def _protocols(fabrics: Sequence[Data], kinds: Kinds) -> Iterator[Finding]:
    """Fabrics that a core cannot join, because they speak another protocol than it or its first."""
    spoken = {fabric["name"]: fabric["protocol"] for fabric in fabrics if "protocol" in fabric}
    for i, core in enumerate(fabrics):
        if not _joins(core, kinds):
            continue
        own = core.get("protocol")
        for j, name in enumerate(core.get("joins", ())):
            own = own or spoken.get(name)
            if own and spoken.get(name, own) != own:
                message = f"core '{core['name']}' speaks {own} and '{name}' speaks {spoken[name]}"
                yield found("S334", message, ("fabrics", i, "joins", j), "give each protocol a core of its own")
