"""Rules of halls, stages and the power tree."""

from collections.abc import Iterator, Mapping
from typing import Any

from topology.findings import Finding
from topology.rules import found

Data = Mapping[str, Any]


def network_rows(data: Data) -> Iterator[Finding]:
    """Findings of network rows that their hall does not have."""
    for i, hall in enumerate(data["halls"]):
        for j, row in enumerate(hall.get("network_rows", ())):
            if row > hall["rows"]:
                message = f"row {row} of hall '{hall['name']}', which has {hall['rows']}"
                yield found("S311", message, ("halls", i, "network_rows", j), f"write 1 to {hall['rows']}")


def unstaged_groups(data: Data) -> Iterator[Finding]:
    """Findings of groups that no stage adds."""
    for i, group in enumerate(data["compute"] if "stages" in data else ()):
        name = group["name"]
        if not any(name in stage["add"] for stage in data["stages"]):
            kind = next(kind for kind in ("gpus", "racks", "units") if kind in group)
            help_ = f"add it to a stage, as in add: {{{name}: {{{kind}: {group[kind]}}}}}"
            yield found("S322", f"no stage adds group '{name}'", ("compute", i), help_)


def power_loops(data: Data) -> Iterator[Finding]:
    """Findings of levels that come twice on the way from the source down."""
    kinds = [level["kind"] for level in data.get("power", {}).get("levels", ())]
    for i, kind in enumerate(kinds):
        if kind in kinds[:i]:
            loop = " → ".join([*kinds[kinds.index(kind) : i], kind])
            yield found("S314", f"the power tree has a loop: {loop}", ("power", "levels", i), "name each kind once")
