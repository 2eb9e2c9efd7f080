"""The floor plan: halls where they stand, their rows as runs of alike racks, battery pads beside them.

Context: a site has up to tens of thousands of racks, and people compare two of its plans side by side.
Choice: neighbours that are alike are one rectangle, a line of text each, in the coordinates of their row;
so a rack that moves changes two or three lines, and a hall that moves changes one. Price: a single rack
inside a run has no tooltip of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from topology.artifacts.pictures import places
from topology.artifacts.pictures.batteries import Pad, Unit, battery_pads, battery_units
from topology.artifacts.pictures.drawing import PER_M, plural, shorten, spans, units
from topology.artifacts.pictures.legend import LegendEntry, Swatch, lay_out, swatches
from topology.artifacts.pictures.places import WALL_M, Rectangle
from topology.artifacts.pictures.runs import runs
from topology.plan import Plan, names
from topology.spec.model import Hall

LEAST_M = 24.0  # a site narrower than this is drawn with room beside it, so that words fit
LETTERS = 90  # letters across the picture
LONGER_SIDE_PX = 1600
BARS_M = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of alike racks within its row."""

    kind: str  # class of the style sheet: s0 for compute racks of the first stage, n0 for network racks
    x: str
    width: str
    tip: str


@dataclass(frozen=True, slots=True)
class HallRow:
    """A row of a hall."""

    key: str
    number: str
    y: str  # of its southern edge, in the hall
    kept: str  # class of its free positions
    runs: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class HallPlan:
    """A hall: its walls, its caption and its rows."""

    x: str
    y: str
    wall: tuple[str, str, str, str]  # x, y, width, height
    caption: str
    caption_y: str
    caption_font: str
    tip: str
    width: str
    depth: str
    pitch: str  # pattern of its positions
    label_y: str
    rows: tuple[HallRow, ...]


@dataclass(frozen=True, slots=True)
class Floor:
    """Everything that the template lays out; coordinates are text, in units of the picture."""

    box: tuple[str, str, str, str]
    pixels: tuple[str, str]
    font: str
    row_font: str
    stroke: str
    title: str
    title_xy: tuple[str, str]
    facts: str
    facts_xy: tuple[str, str]
    note: str
    note_xy: tuple[str, str]
    swatches: tuple[Swatch, ...]
    legend: tuple[LegendEntry, ...]
    pitches: tuple[tuple[str, str], ...]  # name and width of the pattern of each position pitch
    halls: tuple[HallPlan, ...]
    units: tuple[Unit, ...]
    pads: tuple[Pad, ...]
    bar: tuple[str, str, str, str, str, str]  # x, y, width, height, y of the label, label


def floor_plan(plan: Plan) -> Floor:
    """The site's plan as the template draws it; north is up."""
    halls = plan.spec.halls
    floors, as_given = places.hall_floors(plan.halls)
    pads = places.rectangles(plan.batteries)
    outer = places.around([_with_walls(floor) for floor in floors] + list(pads))
    width = max(outer.width, LEAST_M)
    font = max(width, outer.height * 0.6) / LETTERS
    legend, legend_height = lay_out(_words(plan), width, font)
    top = -(outer.y + outer.height) - 2.4 * font
    head = 5.2 * font + legend_height
    box = Rectangle(outer.x - 2 * font, top - head, width + 4 * font, outer.height + head + 2.4 * font + 5 * font)
    scale = LONGER_SIDE_PX / max(box.width, box.height)
    at = Rectangle(outer.x, top - head + 2.2 * font, 0, 0)
    return Floor(
        box=(units(box.x), units(box.y), units(box.width), units(box.height)),
        pixels=(f"{box.width * scale:.0f}", f"{box.height * scale:.0f}"),
        font=units(font),
        row_font=units(min(0.75 * font, *(0.9 * depth for depth in plan.halls["rack_depth_m"]))),
        stroke=units(0.08 * font),
        title=plan.spec.name,
        title_xy=(units(at.x), units(at.y)),
        facts=_facts(plan.racks, plan),
        facts_xy=(units(at.x), units(at.y + 1.7 * font)),
        note="" if as_given else "Halls overlap where the spec puts them (origin_m); they are drawn apart.",
        note_xy=(units(at.x), units(-outer.y + 4.2 * font)),
        swatches=swatches(plan, min(font, LEAST_M / 30) * PER_M),
        legend=tuple(entry.at(outer.x, at.y + 2.8 * font, PER_M) for entry in legend),
        pitches=tuple((_pitch(pitch), units(pitch)) for pitch in sorted({hall.position_pitch_m for hall in halls})),
        halls=tuple(_halls(plan, floors, font)),
        units=tuple(battery_units(plan)),
        pads=tuple(battery_pads(plan, pads, font)),
        bar=_bar(outer, width, font),
    )


def _pitch(pitch_m: float) -> str:
    return f"pitch{round(pitch_m * 1000)}"


def _with_walls(floor: Rectangle) -> Rectangle:
    return Rectangle(floor.x - WALL_M, floor.y - WALL_M, floor.width + 2 * WALL_M, floor.height + 2 * WALL_M)


def _facts(racks: pl.DataFrame, plan: Plan) -> str:
    """Racks, GPUs and power of some racks, in words."""
    by_role = dict(racks.group_by("role").len().iter_rows())
    gpus = int(_with_gpus(plan, racks)["gpus"].sum())
    power_mw = float(racks["power_w"].cast(pl.UInt64).sum()) / 1e6
    compute, network = by_role.get("compute", 0), by_role.get("network", 0)
    return (
        f"{gpus:,} GPUs · {compute:,} compute and {network:,} network racks · {power_mw:,.1f} MW at catalogue maximum"
    )


def _short(racks: pl.DataFrame, plan: Plan) -> str:
    """The same in as few words as a caption has room for."""
    gpus = int(_with_gpus(plan, racks)["gpus"].sum())
    power_mw = float(racks["power_w"].cast(pl.UInt64).sum()) / 1e6
    figures = [f"{gpus:,} GPUs"] if gpus else []
    return " · ".join([*figures, f"{power_mw:,.1f} MW", f"{racks.height:,} {plural('rack', racks.height)}"])


def _caption_font(floor: Rectangle, floors: tuple[Rectangle, ...], font: float) -> float:
    """Size of a hall's caption that does not reach the hall north of it, metres."""
    above = [
        other.y - floor.y - floor.height - 2 * WALL_M
        for other in floors
        if other.y > floor.y and other.x < floor.x + floor.width and floor.x < other.x + other.width
    ]
    return max(min([font, *(gap / 1.5 for gap in above)]), font / 4)


def _with_gpus(plan: Plan, racks: pl.DataFrame) -> pl.DataFrame:
    """Racks with the GPUs of each."""
    per_rack = plan.nvlink_domains.group_by("rack").agg(pl.col("gpus").cast(pl.UInt64).sum())
    return racks.join(per_rack, on="rack", how="left", maintain_order="left").with_columns(pl.col("gpus").fill_null(0))


def _halls(plan: Plan, floors: tuple[Rectangle, ...], font: float) -> Iterator[HallPlan]:
    racks = _with_gpus(plan, plan.racks.with_columns(name=names.labels(plan, "racks")))
    totals = (
        pl.col("name").first().alias("first_name"),
        pl.col("name").last().alias("last_name"),
        pl.col("power_w").cast(pl.UInt64).sum(),
        pl.col("gpus").sum(),
        pl.col("x_m").first(),
    )
    every = runs(racks, ("role", "design", "group", "stage"), totals).partition_by("row", as_dict=True)
    rows = plan.rows.partition_by("hall", as_dict=True)
    alone = LEAST_M if len(floors) == 1 else 0.0  # room beside a hall that no other one takes
    for at, (hall, floor, depth) in enumerate(zip(plan.spec.halls, floors, plan.halls["rack_depth_m"], strict=True)):
        here = plan.racks.filter(pl.col("hall") == at)
        tip = f"{hall.name}: {_facts(here, plan)}"
        letter = _caption_font(floor, floors, font)
        yield HallPlan(
            x=units(floor.x),
            y=units(-floor.y),
            wall=(
                units(-WALL_M),
                units(-floor.height - WALL_M),
                units(floor.width + 2 * WALL_M),
                units(floor.height + 2 * WALL_M),
            ),
            caption=shorten(f"{hall.name} · {_short(here, plan)}", floor.width + 2 * WALL_M + alone, letter),
            caption_y=units(-floor.height - WALL_M - 0.4 * letter),
            caption_font=units(letter),
            tip=tip,
            width=units(floor.width),
            depth=units(depth),
            pitch=_pitch(hall.position_pitch_m),
            label_y=units(-depth / 2 + 0.3 * min(0.75 * font, 0.9 * depth)),
            rows=tuple(
                HallRow(
                    key=f"{hall.name}-row{row['number']:02}",
                    number=str(row["number"]),
                    y=units(-(row["number"] - 1) * hall.row_pitch_m),
                    kept="kept" if row["network"] else "free",
                    runs=tuple(_stretches(plan, hall, every.get((row["row"],)))),
                )
                for row in rows[at,].iter_rows(named=True)
            ),
        )


def _stretches(plan: Plan, hall: Hall, found: pl.DataFrame | None) -> Iterator[Stretch]:
    if found is None:
        return
    stages = [stage.name for stage in plan.spec.stages]
    for run in found.iter_rows(named=True):
        stage = "x" if run["stage"] is None else str(run["stage"])
        what = f"network {plural('rack', run['racks'])}"
        if run["role"] == "compute":
            group = plan.spec.compute[run["group"]].name
            what = f"{run['design']} of {group}, {run['gpus']:,} GPUs"
        where = spans(list(range(run["first"], run["last"] + 1)))
        named = run["first_name"] if run["racks"] == 1 else f"{run['first_name']} to {run['last_name']}"
        when = "in no stage" if run["stage"] is None else f"stage {stages[run['stage']]}"
        yield Stretch(
            kind=("s" if run["role"] == "compute" else "n") + stage,
            x=units(run["x_m"] - hall.origin_m[0]),
            width=units(run["racks"] * hall.position_pitch_m),
            tip=f"{where}: {run['racks']:,} x {what}, {when}, {run['power_w'] / 1000:,.1f} kW, {named}",
        )


def _words(plan: Plan) -> list[tuple[str, str]]:
    """Class and words of each entry of the legend, stages first."""
    there = {stage for (stage,) in plan.racks.select("stage").unique().iter_rows()}
    words = [(f"s{at}", stage.name) for at, stage in enumerate(plan.spec.stages)]
    words += [("sx", "in no stage")] if None in there else []
    words += [("nx", "network racks: hatched")] if (plan.racks["role"] == "network").any() else []
    words += [("kept", "row kept for network racks")] if plan.rows["network"].any() else []
    words += [("free", "free position")]
    return words + ([("pad", "battery pad")] if plan.batteries.height else [])


def _bar(outer: Rectangle, width: float, font: float) -> tuple[str, str, str, str, str, str]:
    metres = max((bar for bar in BARS_M if bar <= width / 5), default=BARS_M[0])
    y = -outer.y + 1.6 * font
    return units(outer.x), units(y), units(metres), units(0.3 * font), units(y + 1.6 * font), f"{metres:,} m"
