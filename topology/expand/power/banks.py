"""Battery banks of the spec: the load they carry, their sizes, and their pads on the site."""

from collections.abc import Mapping
from dataclasses import asdict

import polars as pl

from topology.catalog.battery_units import MOST_UNITS, Sizing, capacity_of
from topology.catalog.model import Battery, Catalog
from topology.expand.geometry import battery_pads
from topology.expand.origins import Origins
from topology.expand.power.sizing import sizing
from topology.expand.rules import found, refused
from topology.findings import Finding, FindingsError, did_you_mean
from topology.plan import tables
from topology.spec.model import BatteryBanks, ClusterSpec, Power
from topology.spec.swing import Swing, training_swing

Rows = list[dict[str, object]]

_FIGURES = {  # of the spec, by the need that they make
    "power": "power_mw, or the load that the bank is attached to",
    "ride-through": "ride_through_s, soc and reserve_soc",
    "hold": "hold_s and soc",
    "swing": "period_s of power.workload, soc and reserve_soc",
    "step": "ramp_limit_mw_per_s of power.workload, soc and reserve_soc",
}


def size_banks(
    spec: ClusterSpec, catalog: Catalog, power_nodes: pl.DataFrame, racks: pl.DataFrame, origins: Origins
) -> Mapping[str, pl.DataFrame]:
    """Tables of batteries, of bank sizings and of bank needs; entries of one level share its load equally.

    Raises:
        FindingsError: a product is not in the catalogue, or no number of units that a site can hold meets a need.
    """
    power = spec.power or Power()
    kinds = [level.kind for level in power.levels]
    it_w = float(racks["power_w"].cast(pl.UInt64).sum())
    banks: Rows = []
    sizings: Rows = []
    needs: Rows = []
    pads: list[tuple[int, Battery]] = []
    wrong = [entry for entry in power.batteries if entry.product not in catalog.batteries]
    if wrong:
        raise FindingsError(_unknown(entry, catalog) for entry in wrong)
    for entry in power.batteries:
        product, level = catalog.batteries[entry.product], kinds.index(entry.attach)
        sharing = sum(other.attach == entry.attach for other in power.batteries)
        load_w, swing = _load_w(spec, power_nodes, level, it_w) / sharing, None
        if power.workload is not None:
            swing = training_swing(power.workload, it_w / sharing, _in_rack_j(catalog, racks) / sharing)
        size = _sizing(entry, product, load_w, swing)
        common = {"name": entry.name, "origin": origins.of(entry.path)}
        sizings.append(common | {"load_w": load_w, "spare_units": size.spare} | _swing_columns(swing))
        needs += [asdict(need) | {"need": need.name} | common for need in size.needs]
        of_bank = common | {"product": product.slug, "level": level, "binding": size.binding}
        for number, units in enumerate(size.per_bank, 1):
            stage = _first_stage(spec, len(banks) + 1)
            banks.append(of_bank | asdict(capacity_of(units, product)) | {"bank": number, "stage": stage})
            pads.append((units, product))
    placed = [bank | pad for bank, pad in zip(banks, battery_pads(spec.halls, pads), strict=True)]
    made = ((tables.BATTERIES, placed), (tables.BANK_SIZINGS, sizings), (tables.BANK_NEEDS, needs))
    return {table.name: _numbered(table, rows) for table, rows in made}


def _numbered(table: tables.Table, rows: Rows) -> pl.DataFrame:
    """A table of some rows, numbered in their order."""
    number = table.columns[0].name
    return pl.DataFrame([row | {number: at} for at, row in enumerate(rows)], schema=table.empty().schema)


def _unknown(entry: BatteryBanks, catalog: Catalog) -> Finding:
    help_ = did_you_mean(entry.product, catalog.batteries)
    return found("C401", f"no battery '{entry.product}' in the catalogue", (*entry.path, "product"), help_)


def _sizing(entry: BatteryBanks, product: Battery, load_w: float, swing: Swing | None) -> Sizing:
    try:
        size = sizing(entry, product, load_w, swing)
    except ValueError:
        raise refused(
            "B301",
            f"bank {entry.name} has no energy between soc {entry.soc:g} and reserve_soc {entry.reserve_soc:g}",
            (*entry.path, "reserve_soc"),
            f"write reserve_soc below {entry.soc:g}",
        ) from None
    counts = {size.binding: size.units} | {need.name: need.units or 0 for need in size.needs}
    largest = max(counts, key=counts.__getitem__)
    if counts[largest] > MOST_UNITS:
        raise refused(
            "B307",
            f"bank {entry.name} would take more than {MOST_UNITS:,} units of {product.slug}; the need is {largest}",
            entry.path,
            f"check {_FIGURES[largest]}, and power_w and energy_wh of the product",
        )
    return size


def _swing_columns(swing: Swing | None) -> dict[str, object]:
    if swing is None:
        return {}
    return {"swing_w": swing.height_w, "bank_swing_w": swing.left_w, "in_rack_j": swing.in_rack_j}


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


def _first_stage(spec: ClusterSpec, banks: int) -> int:
    """The first stage that needs so many banks in service, else the last."""
    needed = (at for at, stage in enumerate(spec.stages) if stage.needs and stage.needs.banks >= banks)
    return next(needed, len(spec.stages) - 1)
