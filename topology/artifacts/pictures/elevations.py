"""Racks of a hall from the front: each kind of rack once, each kind of row as the run of its racks.

Rows of a hall are mostly alike, and so are the racks in them. Alike rows are one strip with the row
numbers at its head; alike neighbours are one rack with their positions at its head.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from topology.artifacts.pictures.drawing import length, plural, shorten, spans
from topology.artifacts.pictures.kinds import Feed, RackKind, kinds, with_kinds
from topology.artifacts.pictures.runs import runs
from topology.plan import Plan

U_PX = 11.0
RACK_PX = 210.0
NUMBERS_PX = 16.0  # rack units beside the rack, on both sides
STRIPE_PX = 10.0  # feed A at the left, B at the right
SLOT_PX = RACK_PX + 2 * (NUMBERS_PX + STRIPE_PX) + 34.0
LINE_PX = 12.0
FONT_PX = 8.0
PER_LINE = 6  # racks side by side before the strip goes on below
MARGIN_PX = 24.0
HEAD_PX = 62.0
LEAST_SLOTS = 3  # so that the words at the top fit

Shown = Mapping[str, tuple[RackKind, int]]  # kinds of a hall by their text, and how many of each stand there


@dataclass(frozen=True, slots=True)
class BoxShape:
    """A box of a rack, its label and tooltip."""

    role: str
    y: str
    height: str
    label_y: str
    label: str
    tip: str


@dataclass(frozen=True, slots=True)
class Stripe:
    """Feed A or B: how much of what its breakers carry all day the rack may draw."""

    side: str
    letter: str
    letter_x: str
    letter_y: str
    x: str
    y: str
    height: str
    filled_y: str
    filled: str
    tip: str


@dataclass(frozen=True, slots=True)
class Elevation:
    """A kind of rack; 0, 0 is the floor at the left edge of the rack."""

    key: str
    top: str
    height: str
    boxes: tuple[BoxShape, ...]
    units: tuple[tuple[str, str], ...]  # number and y of every rack unit
    stripes: tuple[Stripe, ...]
    facts: tuple[tuple[str, str], ...]  # line and y, below the floor


@dataclass(frozen=True, slots=True)
class Use:
    """A run of racks of one kind, where it stands in the picture."""

    key: str
    x: str
    y: str
    head_y: str
    title: str
    positions: str
    positions_y: str


@dataclass(frozen=True, slots=True)
class Strip:
    """Rows of a hall that hold the same racks at the same positions."""

    title: str
    y: str
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class HallRows:
    """All rows of a hall that hold racks."""

    name: str
    title: str
    facts: str
    width: str
    height: str
    kinds: tuple[Elevation, ...]
    strips: tuple[Strip, ...]


def elevations(plan: Plan) -> Iterator[HallRows]:
    """One picture per hall that holds racks, in the spec's order."""
    racks = with_kinds(plan)
    every = kinds(plan, racks)
    rows = runs(racks, ("kind",), ()).join(plan.rows.select("row", "number"), on="row", maintain_order="left")
    folded = (
        rows.group_by("hall", "number", maintain_order=True)
        .agg("kind", "first", "last", "racks")
        .group_by("hall", "kind", "first", "last", "racks", maintain_order=True)
        .agg(pl.col("number"))
    )
    counts = racks.group_by("hall", "kind", maintain_order=True).len()
    for at, hall in enumerate(plan.spec.halls):
        count = dict(counts.filter(pl.col("hall") == at).select("kind", "len").iter_rows())
        if count:
            shown = {kind: (every[kind], racks_) for kind, racks_ in count.items()}
            yield _hall(f"{plan.spec.name}, hall {hall.name}", plan.halls.row(at, named=True), folded, shown)


def _hall(title: str, hall: dict[str, Any], folded: pl.DataFrame, shown: Shown) -> HallRows:
    y, strips = HEAD_PX, []
    for row in folded.filter(pl.col("hall") == hall["hall"]).iter_rows(named=True):
        strip, y = _strip(row, shown, y)
        strips.append(strip)
    widest = max(min(len(strip.uses), PER_LINE) for strip in strips)
    racks = sum(count for _, count in shown.values())
    return HallRows(
        name=hall["name"],
        title=title,
        facts=f"{racks:,} racks of {len(shown)} {plural('kind', len(shown))}; switches stand where the "
        "plan puts them, boxes of a compute rack are stacked: their rack units are the maker's",
        width=length(max(widest, LEAST_SLOTS) * SLOT_PX + 2 * MARGIN_PX),
        height=length(y + MARGIN_PX),
        kinds=tuple(_elevation(kind, count, hall) for kind, count in shown.values()),
        strips=tuple(strips),
    )


def _strip(row: dict[str, Any], shown: Shown, y: float) -> tuple[Strip, float]:
    """One strip below `y`, and where the next may begin."""
    numbers = sorted(row["number"])
    title = f"{plural('row', len(numbers))} {spans(numbers)}"
    uses, top = [], y + 1.6 * LINE_PX
    found = list(zip(row["kind"], row["first"], row["last"], row["racks"], strict=True))
    for start in range(0, len(found), PER_LINE):
        line = found[start : start + PER_LINE]
        tallest = max(shown[kind][0].height_u for kind, *_ in line) * U_PX
        floor = top + 2.6 * LINE_PX + tallest
        for column, (kind, first, last, racks) in enumerate(line):
            rack = shown[kind][0]
            x = MARGIN_PX + column * SLOT_PX + NUMBERS_PX + STRIPE_PX
            head = floor - rack.height_u * U_PX - 1.7 * LINE_PX
            where = f"{plural('position', racks)} {spans(list(range(first, last + 1)))}"
            uses.append(
                Use(
                    rack.key,
                    length(x),
                    length(floor),
                    length(head),
                    shorten(f"{racks:,} x {rack.title}", SLOT_PX - 10, FONT_PX * 1.15),
                    where,
                    length(head + LINE_PX),
                )
            )
        top = floor + 6 * LINE_PX
    return Strip(title, length(y + LINE_PX), tuple(uses)), top


def _elevation(kind: RackKind, count: int, limit: dict[str, Any]) -> Elevation:
    return Elevation(
        key=kind.key,
        top=length(-kind.height_u * U_PX),
        height=length(kind.height_u * U_PX),
        boxes=tuple(
            BoxShape(
                role=box.role,
                y=length(-(box.u - 1 + box.height_u) * U_PX + 0.5),
                height=length(box.height_u * U_PX - 1),
                label_y=length(-(box.u - 1 + box.height_u / 2) * U_PX + FONT_PX * 0.36),
                label=shorten(box.label, RACK_PX - 10, FONT_PX),
                tip=box.tip,
            )
            for box in kind.boxes
        ),
        units=tuple((str(u), length(-(u - 0.5) * U_PX + 2.2)) for u in range(1, kind.height_u + 1)),
        stripes=tuple(_stripe(feed, kind.height_u * U_PX) for feed in kind.feeds),
        facts=tuple((line, length((place + 1) * LINE_PX)) for place, line in enumerate(_facts(kind, count, limit))),
    )


def _stripe(feed: Feed, height: float) -> Stripe:
    outside = NUMBERS_PX + 1.5
    filled = height * min(feed.load_w / feed.capacity_w, 1.0) if feed.capacity_w else 0.0
    x = -outside - STRIPE_PX if feed.side == "A" else RACK_PX + outside
    return Stripe(
        side=feed.side.lower(),
        letter=feed.side,
        letter_x=length(x + STRIPE_PX / 2),
        letter_y=length(-height - 3),
        x=length(x),
        y=length(-height),
        height=length(height),
        filled_y=length(-filled),
        filled=length(filled),
        tip=_feed(feed),
    )


def _feed(feed: Feed) -> str:
    return (
        f"{feed.side}: {feed.circuits} x {feed.breaker_a:g} A, "
        f"{feed.load_w / 1000:,.1f} of {feed.capacity_w / 1000:,.1f} kW"
    )


def _facts(kind: RackKind, count: int, limit: dict[str, Any]) -> Iterator[str]:
    """Lines below a rack: its feeds, its power and weight against what the floor takes, how many there are."""
    yield from (_feed(feed) for feed in kind.feeds)
    power, weight = limit["limit_power_w"], limit["limit_weight_kg"]
    most = "" if power is None else f", limit {power / 1000:,.0f} kW"
    yield f"{kind.power_w / 1000:,.1f} kW at catalogue maximum{most}"
    heavy = "weight not published" if kind.weight_kg is None else f"{kind.weight_kg:,.0f} kg"
    yield heavy + ("" if weight is None else f", limit {weight:,.0f} kg")
    yield f"{count:,} in this hall"
