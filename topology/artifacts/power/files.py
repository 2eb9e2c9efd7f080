"""The files under power/."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from topology.artifacts.artifact import Artifact, register
from topology.artifacts.power import diagram, schedules
from topology.artifacts.power.arithmetic import sizing_steps
from topology.artifacts.render import render
from topology.catalog.battery_units import capacity_of
from topology.plan import Plan
from topology.views.banks import PlannedBanks, planned_banks, smoothing

FOLDER = PurePosixPath("power")
TABLES = {
    "feeds.csv": schedules.feed_schedule,
    "panels.csv": schedules.panel_schedule,
    "levels.csv": schedules.level_loads,
    "failures.csv": schedules.failure_table,
}

register("power", ("power/{feeds.csv|panels.csv|levels.csv|failures.csv|one-line.md|batteries.md}",))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One entry of the sizing sheet."""

    name: str
    product: str
    units: str
    binding: str
    load: str
    arithmetic: tuple[str, ...]
    swing: tuple[str, ...]
    beside: tuple[tuple[str, str, str], ...]  # units, MW, MWh of other counts


def artifacts(plan: Plan, stages: Sequence[int]) -> Iterator[Artifact]:
    """Schedules, the diagram and the sizing sheet of the whole design; none without a power tree."""
    del stages
    if plan.feeds.height:
        for name, table in TABLES.items():
            yield Artifact(FOLDER / name, table(plan).write_csv().encode())
    if plan.power_nodes.height or plan.sources.height:
        text = render("power/one-line.md.j2", diagram=diagram.one_line(plan), cluster=plan.spec.name)
        yield Artifact(FOLDER / "one-line.md", text)
    if plan.batteries.height:
        sheets = [sheet(each) for each in planned_banks(plan)]
        yield Artifact(FOLDER / "batteries.md", render("power/batteries.md.j2", sheets=sheets, cluster=plan.spec.name))


def sheet(each: PlannedBanks) -> Sheet:
    """The arithmetic of one entry, and the same product in the counts it is compared with."""
    counts = sorted({each.sizing.units, *each.entry.compare})
    return Sheet(
        each.entry.name,
        f"{each.product.manufacturer} {each.product.model}",
        f"{each.sizing.units:,} in {len(each.sizing.per_bank)}",
        each.sizing.binding,
        f"{each.load_w / 1e6:,.1f} MW",
        tuple(str(line) for line in sizing_steps(each)),
        _swing(each),
        tuple(_comparison(count, each) for count in counts),
    )


def _swing(each: PlannedBanks) -> tuple[str, ...]:
    if each.swing is None:
        return ()
    after = smoothing(each.swing, each.sizing.units, each.product, each.window)
    years = "no cycle life is published" if after.life_years is None else f"{after.life_years:,.1f} years by cycles"
    return (
        "swing flat" if after.flat else "swing not flat",
        f"{after.full_cycles_per_day:,.2f} full cycles a day",
        years,
    )


def _comparison(count: int, each: PlannedBanks) -> tuple[str, str, str]:
    have = capacity_of(count, each.product)
    return f"{count:,}", f"{have.power_w / 1e6:,.1f}", f"{have.energy_wh / 1e6:,.1f}"
