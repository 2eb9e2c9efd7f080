"""What one stage's stack deploys: coarse resources, each with the digest of all its records.

A resource is what people name and approve: a scalable unit, a pod of a fabric, a bank. Its records
stay in the tables; the stack's state holds their digest and their counts.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from topology.plan.records import Records, Register, by_owner, digest

KINDS: Mapping[str, str] = {  # first word of an owner: what it is
    "power": "feed-group",
    "bank": "battery-bank",
    "core": "fabric-core",
    "pod": "fabric-pod",
    "unit": "scalable-unit",
}
ORDER = {word: place for place, word in enumerate(KINDS)}  # each needs only what comes before it
COUNTED = ("racks", "nodes", "switches", "appliances", "cables", "feeds", "power_nodes", "sources")


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
    after = _upper_ends(whole)
    made = [
        Resource(
            name=owner,
            kind=KINDS[owner.partition("-")[0]],
            digest=digest(records),
            counts=_counts(records),
            facts=_FACTS[owner.partition("-")[0]](records),
            after=after.get(owner, ()),
            aliases=tuple(earlier_names(owner, renamed)),
        )
        for owner, records in by_owner(whole)
    ]
    return tuple(sorted(made, key=lambda resource: _place(resource.name)))


def stage_digest(parts: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over names and digests of everything a stage deploys, in any order."""
    return hashlib.sha256("".join(f"{name} {each}\n" for name, each in sorted(parts)).encode()).hexdigest()


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


def _counts(records: Records) -> dict[str, int]:
    counts = {table: records[table].height for table in COUNTED if table in records}
    if "nodes" in records:
        counts["gpus"] = int(records["nodes"]["gpus"].sum())
    return counts


def _upper_ends(whole: Records) -> dict[str, tuple[str, ...]]:
    """For each owner the others that hold upper ends of its cables, panels of its feeds, racks of its boxes."""
    switches, devices, racks = (
        whole[table].select("name", upper="owner") for table in ("switches", "power_nodes", "racks")
    )
    ends = pl.concat(
        [
            whole["cables"].select("owner", name="b_device").join(switches, on="name"),
            whole["feeds"].select("owner", name="panel").join(devices, on="name"),
            *(whole[table].select("owner", name="rack").join(racks, on="name") for table in ("switches", "appliances")),
        ]
    )
    found: dict[str, list[str]] = {}
    for owner, upper in ends.select("owner", "upper").unique().sort("owner", "upper").iter_rows():
        if _place(upper) < _place(owner):
            found.setdefault(owner, []).append(upper)
    return {owner: tuple(names) for owner, names in found.items()}


def _place(owner: str) -> tuple[int, str]:
    """Sort key of the order in which resources can be made."""
    return ORDER[owner.partition("-")[0]], owner


def _unit(records: Records) -> dict[str, str | float]:
    racks, nodes = records["racks"], records["nodes"]
    return {
        "racks": f"{racks['name'][0]} to {racks['name'][-1]}",
        "design": ", ".join(racks["design"].unique().sort()),
        "hall": ", ".join(racks["hall"].unique().sort()),
        "nvlink_domains": nodes["domain"].n_unique(),
        "power_kw": _kilo(float(racks["power_w"].sum())),
    }


def _switched(records: Records) -> dict[str, str | float]:
    switches = records.get("switches")
    cables = records.get("cables")
    facts: dict[str, str | float] = {}
    if switches is not None:
        tiers = switches.group_by("tier", "product").len().sort("tier", "product")
        facts["switches"] = ", ".join(f"{count} {tier} {product}" for tier, product, count in tiers.iter_rows())
    if cables is not None:
        hops = cables.group_by("hop", "rate_gbps").len().sort("hop", "rate_gbps")
        facts["cables"] = ", ".join(f"{count} {hop} at {rate}G" for hop, rate, count in hops.iter_rows())
    if "racks" in records:
        facts["racks"] = ", ".join(records["racks"]["name"].head(8))
    return facts


def _power(records: Records) -> dict[str, str | float]:
    facts: dict[str, str | float] = {}
    if "power_nodes" in records:
        kinds = records["power_nodes"].group_by("level", "kind", "rating_w").len().sort("level", "kind", "rating_w")
        facts["devices"] = ", ".join(f"{n} {kind} of {_kilo(watts):g} kW" for _, kind, watts, n in kinds.iter_rows())
    if "sources" in records:
        sources = records["sources"].select("name", "capacity_w")
        facts["sources"] = ", ".join(f"{name} {watts / 1e6:g} MW" for name, watts in sources.iter_rows())
    return facts


def _bank(records: Records) -> dict[str, str | float]:
    row = records["batteries"].row(0, named=True)
    return {
        "product": row["product"],
        "units": row["units"],
        "power_mw": round(row["power_w"] / 1e6, 3),
        "energy_mwh": round(row["energy_wh"] / 1e6, 3),
    }


def _kilo(watts: float) -> float:
    return round(watts / 1e3, 3)


_FACTS = {"power": _power, "bank": _bank, "core": _switched, "pod": _switched, "unit": _unit}
