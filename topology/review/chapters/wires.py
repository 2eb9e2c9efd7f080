"""Cables and switches in lines: both plugs of a cable, and what happens by fabric, tier and pod."""

from collections.abc import Iterator

import polars as pl

from topology.diff.cabling import Cabling
from topology.diff.matching import Rows
from topology.plan import Plan
from topology.plan.names import Labels
from topology.review.amounts import count, plural
from topology.review.document import Name, Words
from topology.review.folding import spans
from topology.review.review import Review
from topology.views.cable_ends import port_name


def plugs(plan: Plan, rows: Rows) -> list[tuple[str, str]]:
    """Both ends of some cables as `device port`."""
    labels, made = Labels(plan), []
    for row in plan.cables[rows].iter_rows(named=True):
        table, device, card = row["a_table"], row["a"], ""
        if table == "nics":
            nic = plan.nics.row(device, named=True)
            table, device, card = "nodes", nic["node"], f"{nic['role']}{nic['index']}"
        a = f"{labels.of(table)[device]} {port_name(card, row['a_cage'], row['a_port'])}"
        made.append((a, f"{labels.of('switches')[row['b']]} {port_name('', row['b_cage'], row['b_port'])}"))
    return made


def switch_lines(review: Review) -> Iterator[Words]:
    """Switches that come and go, by fabric, plane and tier."""
    diff = review.delta.table("switches")
    for plan, rows, sign in ((review.plans[1], diff.added, "+"), (review.plans[0], diff.removed, "−")):
        fabrics = plan.fabrics["name"]
        counted = plan.switches[rows].group_by("fabric", "plane", "tier").len().sort("fabric", "plane", "tier")
        for fabric, plane, tier, number in counted.iter_rows():
            yield (
                Name(fabrics[fabric]),
                f" plane {plane}: {sign}{plural(number, f'{tier} switch', f'{tier} switches')}",
            )


def pod_lines(cabling: Cabling) -> Iterator[Words]:
    """Cables by fabric, plane and hop, with the pods at their upper end."""
    for word, (plan, rows) in cabling.by_change().items():
        if word == "other rate":
            continue  # nobody has to go there
        fabrics = plan.fabrics["name"]
        cables = plan.cables.select("fabric", "plane", "hop", "b")[rows]
        upper = cables.with_columns(plan.switches["group", "tier"][cables["b"]].get_columns())
        counted = upper.group_by("fabric", "plane", "hop").agg(
            pl.len(), pl.col("group").unique().sort(), pl.col("tier").first()
        )
        words = {
            (fabric, word): group for fabric, word, group in plan.tiers["fabric", "word", "group_word"].iter_rows()
        }
        for fabric, plane, hop, number, groups, tier in counted.sort("fabric", "plane", "hop").iter_rows():
            what = words[fabric, tier]
            yield (Name(fabrics[fabric]), f" plane {plane} {hop}: {count(number)} {word}, {what} {_spans(groups)}")


def _spans(groups: list[int]) -> str:
    said = spans(groups)
    return said if said.count(",") < 8 else f"{count(len(groups))} of {groups[0]}–{groups[-1]}"  # noqa: PLR2004
