"""Battery banks of the spec with their sizes, the load they carry, and their pads on the site."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from topology.catalog.battery_units import Sizing, capacity_of
from topology.catalog.model import Battery, Catalog
from topology.expand.geometry import battery_pads
from topology.expand.origins import Origins
from topology.expand.power.sizing import sizing
from topology.expand.rules import refused
from topology.findings import did_you_mean
from topology.plan import tables
from topology.spec.model import BatteryBanks, ClusterSpec
from topology.spec.swing import Swing, training_swing


@dataclass(frozen=True, slots=True)
class SizedBanks:
    """One entry of the spec: its product, what it carries, and its size."""

    entry: BatteryBanks
    product: Battery
    level: int
    load_w: float
    swing: Swing | None
    sizing: Sizing


def size_banks(spec: ClusterSpec, catalog: Catalog, power_nodes: pl.DataFrame, racks: pl.DataFrame) -> list[SizedBanks]:
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
        made.append(SizedBanks(entry, product, level, load, swing, sized))
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


def frames(spec: ClusterSpec, entries: Sequence[SizedBanks], origins: Origins) -> dict[str, pl.DataFrame]:
    """Tables of batteries, a row per bank; of bank sizings, a row per entry; and of bank needs, some rows per entry."""
    banks = [(each, number, units) for each in entries for number, units in enumerate(each.sizing.per_bank, 1)]
    have = [capacity_of(units, each.product) for each, _, units in banks]
    needs = [(each, need) for each in entries for need in each.sizing.needs]
    swings = [each.swing for each in entries]
    return {
        "batteries": tables.BATTERIES.frame(
            {
                "battery": list(range(len(banks))),
                "name": [each.entry.name for each, _, _ in banks],
                "bank": [number for _, number, _ in banks],
                "product": [each.product.slug for each, _, _ in banks],
                "level": [each.level for each, _, _ in banks],
                "units": [units for _, _, units in banks],
                "power_w": [capacity.power_w for capacity in have],
                "energy_wh": [capacity.energy_wh for capacity in have],
                "binding": [each.sizing.binding for each, _, _ in banks],
                **battery_pads(spec.halls, [(units, each.product) for each, _, units in banks]),
                "stage": [_first_stage(spec, count) for count in range(1, len(banks) + 1)],
                "origin": [origins.of(each.entry.path) for each, _, _ in banks],
            }
        ),
        "bank_sizings": tables.BANK_SIZINGS.frame(
            {
                "bank_sizing": list(range(len(entries))),
                "name": [each.entry.name for each in entries],
                "load_w": [each.load_w for each in entries],
                "swing_w": [swing and swing.height_w for swing in swings],
                "bank_swing_w": [swing and swing.left_w for swing in swings],
                "in_rack_j": [swing and swing.in_rack_j for swing in swings],
                "spare_units": [each.sizing.spare for each in entries],
                "origin": [origins.of(each.entry.path) for each in entries],
            }
        ),
        "bank_needs": tables.BANK_NEEDS.frame(
            {
                "bank_need": list(range(len(needs))),
                "name": [each.entry.name for each, _ in needs],
                "need": [need.name for _, need in needs],
                "power_w": [need.power_w for _, need in needs],
                "energy_wh": [need.energy_wh for _, need in needs],
                "window": [need.window for _, need in needs],
                "units": [need.units for _, need in needs],
                "origin": [origins.of(each.entry.path) for each, _ in needs],
            }
        ),
    }


def _first_stage(spec: ClusterSpec, banks: int) -> int:
    """The first stage that needs so many banks in service, else the last."""
    needed = (at for at, stage in enumerate(spec.stages) if stage.needs and stage.needs.banks >= banks)
    return next(needed, len(spec.stages) - 1)
