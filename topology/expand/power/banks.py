"""Battery banks of the spec with their sizes, the load they carry, and their pads on the site."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import polars as pl

from topology.catalog.model import Battery, Catalog
from topology.expand.batteries import Sizing, Swing, carried, sizing, training_swing
from topology.expand.origins import Origins
from topology.expand.rules import refused
from topology.findings import did_you_mean
from topology.plan import Plan, tables
from topology.spec.model import BatteryBanks, ClusterSpec

CLEAR_M = 20.0  # between the halls and the first row of pads; assumed: no public layout gives it


@dataclass(frozen=True, slots=True)
class Banked:
    """One entry of the spec: its product, what it carries, and its size."""

    entry: BatteryBanks
    product: Battery
    level: int
    load_w: float
    swing: Swing | None
    sized: Sizing

    @property
    def window(self) -> float:
        """Share of the energy that may be used while the grid is there to refill it."""
        return self.entry.soc - self.entry.reserve_soc


def banked(spec: ClusterSpec, catalog: Catalog, power_nodes: pl.DataFrame, racks: pl.DataFrame) -> list[Banked]:
    """Every entry of the spec, in order; entries of one level share its load equally.

    Raises:
        FindingsError: a product is not in the catalogue, or no number of units meets a need.
    """
    power = spec.power
    if power is None:
        return []
    kinds = [level.kind for level in power.levels]
    it_w = float(racks["power_w"].cast(pl.UInt64).sum())
    made = []
    for entry in power.batteries:
        if entry.product not in catalog.batteries:
            raise refused(
                "C401",
                f"no battery '{entry.product}' in the catalogue",
                (*entry.path, "product"),
                did_you_mean(entry.product, catalog.batteries),
            )
        product = catalog.batteries[entry.product]
        level = kinds.index(entry.attach)
        together = sum(other.attach == entry.attach for other in power.batteries)
        load = _load_w(spec, power_nodes, level, it_w) / together
        swing = None
        if power.workload is not None:
            swing = training_swing(power.workload, it_w / together, _in_rack_j(catalog, racks) / together)
        try:
            sized = sizing(entry, product, load, swing)
        except ValueError:
            raise refused(
                "B301",
                f"bank {entry.name} has no energy between soc {entry.soc:g} and reserve_soc {entry.reserve_soc:g}",
                (*entry.path, "reserve_soc"),
                f"write reserve_soc below {entry.soc:g}",
            ) from None
        made.append(Banked(entry, product, level, load, swing, sized))
    return made


def _load_w(spec: ClusterSpec, power_nodes: pl.DataFrame, level: int, it_w: float) -> float:
    """Power through a level; at the top the whole facility, with its cooling."""
    through = float(power_nodes.filter(pl.col("level") == level)["load_w"].sum())
    power = spec.power
    if level or power is None:
        return through
    return it_w * spec.site.pue if power.cooling_mw is None else through + power.cooling_mw * 1e6


def _in_rack_j(catalog: Catalog, racks: pl.DataFrame) -> float:
    """Energy of the capacitors in the power shelves of all racks, joules."""
    counts = racks.filter(pl.col("design") != "")["design"].value_counts()
    return float(sum((catalog.racks[slug].storage_j or 0) * count for slug, count in counts.iter_rows()))


def frame(spec: ClusterSpec, every: Sequence[Banked], origins: Origins) -> pl.DataFrame:
    """One row per bank. Pads stand south of the halls and no wider than these: units side by side in rows."""
    rows: list[dict[str, object]] = []
    west = min((hall.origin_m[0] for hall in spec.halls), default=0.0)
    east = max((hall.origin_m[0] + hall.positions * hall.position_pitch_m for hall in spec.halls), default=0.0)
    x, y = west, min((hall.origin_m[1] for hall in spec.halls), default=0.0) - CLEAR_M
    deepest = 0.0  # of the pads that begin at y
    for each in every:
        product = each.product
        one_m, deep_m = product.width_m + product.spacing_m, product.length_m + product.spacing_m
        for number, units in enumerate(each.sized.per_bank, 1):
            side_by_side = min(units, max(1, int((east - west) / one_m)))
            length, width = side_by_side * one_m, ceil(units / max(side_by_side, 1)) * deep_m
            if x > west and x + length > east:
                x, y, deepest = west, y - deepest, 0.0
            rows.append(
                {
                    "battery": len(rows),
                    "name": each.entry.name,
                    "bank": number,
                    "product": product.slug,
                    "level": each.level,
                    "units": units,
                    "power_w": units * product.power_w,
                    "energy_wh": units * product.energy_wh,
                    "binding": each.sized.binding,
                    "x_m": x,
                    "y_m": y - width,
                    "length_m": length,
                    "width_m": width,
                    "stage": _first_stage(spec, len(rows) + 1),
                    "origin": origins.of(each.entry.path),
                }
            )
            x, deepest = x + length, max(deepest, width)
    return pl.DataFrame(rows, schema={column.name: column.dtype for column in tables.BATTERIES.columns})


def _first_stage(spec: ClusterSpec, banks: int) -> int:
    """The first stage that needs so many banks in service, else the last."""
    needed = (at for at, stage in enumerate(spec.stages) if stage.needs and stage.needs.banks >= banks)
    return next(needed, len(spec.stages) - 1)


def shortest_s(plan: Plan) -> float | None:
    """Shortest time that any entry carries its load with all its units, seconds; None without batteries."""
    every = banked(plan.spec, plan.catalog, plan.power_nodes, plan.racks)
    return min((carried(each.sized, each.product, each.window, each.load_w).all_s for each in every), default=None)
