"""What one stage's stack deploys: coarse resources, each with the digest of all its records.

A resource is what people name and approve: a scalable unit, a pod of a fabric, a bank. Its records
stay in the tables; the stack's state holds their digest and their counts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from topology.artifacts.pulumi.facts import counts, facts
from topology.views.record_tables import Records
from topology.views.records import Register, digests

KINDS: Mapping[str, str] = {  # first word of an owner: what it is
    "power": "feed-group",
    "bank": "battery-bank",
    "core": "fabric-core",
    "pod": "fabric-pod",
    "unit": "scalable-unit",
}
ORDER = {word: place for place, word in enumerate(KINDS)}  # each needs only what comes before it


@dataclass(frozen=True, slots=True)
class Resource:
    """One deployed piece of a stage."""

    name: str  # unit-h100-0001
    kind: str
    digest: str  # of its records
    counts: Mapping[str, int]  # of its records by table, and GPUs
    facts: Mapping[str, str | float]  # what a reviewer wants to know of it
    after: tuple[str, ...]  # resources of the same stage with the upper ends of its cables and feeds, and its racks
    aliases: tuple[str, ...]  # names it had before

    def document(self) -> dict[str, object]:
        """The resource as inventory/<stage>.json has it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "digest": self.digest,
            "counts": dict(self.counts),
            "facts": dict(self.facts),
            "after": list(self.after),
            "aliases": list(self.aliases),
        }


def resources(register: Register, stage: int, renamed: Mapping[str, str]) -> tuple[Resource, ...]:
    """Resources that a stage adds, in an order in which they can be made.

    `renamed` gives for a name of today the one it had when it was last deployed.
    """
    whole = register.stage(stage)
    after, counted, known = _upper_ends(whole), counts(whole), facts(whole)
    made = [
        Resource(
            name=owner,
            kind=KINDS[owner.partition("-")[0]],
            digest=each,
            counts=counted.get(owner, {}),
            facts=known.get(owner, {}),
            after=after.get(owner, ()),
            aliases=tuple(earlier_names(owner, renamed)),
        )
        for owner, each in digests(whole).items()
    ]
    return tuple(sorted(made, key=lambda resource: _place(resource.name)))


def earlier_names(owner: str, renamed: Mapping[str, str]) -> list[str]:
    """Names that a resource had when what it is named after had another name.

    >>> earlier_names("unit-h100-0001", {"h100": "hopper"})
    ['unit-hopper-0001']
    """
    words = "|".join([*KINDS, "slurm", "kubernetes"])
    found = []
    for now, then in sorted(renamed.items()):
        match = re.match(rf"({words})-{re.escape(now)}(?=-|$)", owner)
        if match:
            found.append(f"{match.group(1)}-{then}{owner[match.end() :]}")
    return found


def _upper_ends(whole: Records) -> dict[str, tuple[str, ...]]:
    """For each owner the others that hold upper ends of its cables, panels of its feeds, racks of its boxes."""
    pointing = (
        ("cables", "b_device", "switches"),
        ("feeds", "panel", "power_nodes"),
        ("switches", "rack", "racks"),
        ("appliances", "rack", "racks"),
    )
    ends = pl.concat(_pairs(whole[table], column, whole[other]) for table, column, other in pointing)
    found: dict[str, list[str]] = {}
    for owner, upper in ends.unique().sort("owner", "upper").iter_rows():
        if _place(upper) < _place(owner):
            found.setdefault(owner, []).append(upper)
    return {owner: tuple(names) for owner, names in found.items()}


def _pairs(lower: pl.DataFrame, column: str, upper: pl.DataFrame) -> pl.DataFrame:
    """Owners whose `column` names something of `upper`, with each owner of such a thing."""
    joined = lower.select("owner", name=column).join(upper.select("name", upper="owner"), on="name")
    found = joined.group_by("owner").agg(pl.col("upper").unique()).explode("upper")
    return found.select(pl.col("owner", "upper").cast(pl.String))


def _place(owner: str) -> tuple[int, str]:
    """Sort key of the order in which resources can be made."""
    return ORDER[owner.partition("-")[0]], owner
