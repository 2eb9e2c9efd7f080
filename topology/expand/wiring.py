"""Tables of fabrics, switches, appliances and cables, from designs and seats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.expand import demand, networks
from topology.expand.compute import Compute
from topology.expand.fabrics import _clos
from topology.expand.fabrics.core import CoreDesign
from topology.expand.networks import Networks
from topology.expand.origins import Origins
from topology.expand.seating import Items, Seats
from topology.plan import tables

U32 = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Wired:
    """Switches and appliances with their seats, and where each fabric's rows begin."""

    rows: Mapping[int, _clos.Rows]
    switches: pl.DataFrame  # columns of `switches`, with hall, row_number and position for `rack`
    appliances: pl.DataFrame  # likewise
    boxes: pl.DataFrame  # every box in a network rack: its place, size, draw, stage and origin


def wire(nets: Networks, all_: Compute, items: Sequence[Items], seats: Sequence[Seats], origins: Origins) -> Wired:
    """Switches in row order: fabrics as in the spec, then plane, tier, island, group and index."""
    rows: dict[int, _clos.Rows] = {}
    switches, appliances, boxes = [], [], []
    pairs = iter(zip(items, seats, strict=True))
    first = count = 0
    for index, fabric in enumerate(nets.spec.fabrics):
        origin = origins.of(fabric.path)
        if index in nets.cores:
            made = _core_switches(nets.cores[index])
            stage = min(joined.stage.min() for joined in networks.core_rows(nets, nets.cores[index], rows))
            own = _clos.Rows(index, origin, first, np.full(len(made.tier), stage, np.uint16))
        else:
            design = nets.designs[index]
            made = _clos.switches(design, design.ask.units)
            own = _clos.Rows(index, origin, first, nets.switch_stages(design, all_))
            if fabric.managers:
                item, seat = next(pairs)
                appliances.append(_appliances(own, count, fabric.managers.product, seat))
                boxes.append(_boxes(nets, item, seat, np.full(len(seat.u), own.stage.min(), np.uint16), origin))
                count += len(seat.u)
        rows[index] = own
        place = {name: np.zeros(len(own.stage), np.uint32) for name in ("hall", "row", "position", "u")}
        for tier in (_clos.CORE,) if index in nets.cores else (_clos.LEAF, _clos.SPINE, _clos.CORE):
            mask = made.tier == tier
            item, seat = next(pairs)
            for name, column in place.items():
                column[mask] = getattr(seat, name)
            boxes.append(_boxes(nets, item, seat, own.stage[mask], origin))
        switches.append(_switches(own, made, place))
        first += len(own.stage)
    return Wired(rows, _stack(switches), _stack(appliances), _stack(boxes))


def _stack(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(frames) if frames else pl.DataFrame()


def _switches(rows: _clos.Rows, made: _clos.Switches, place: Mapping[str, U32]) -> pl.DataFrame:
    count = len(rows.stage)
    return pl.DataFrame(
        {
            "switch": np.arange(rows.first_switch, rows.first_switch + count, dtype=np.uint32),
            "fabric": np.full(count, rows.fabric, np.uint16),
            "plane": made.plane + 1,
            "tier": tables.codes(made.tier, tables.TIERS),
            "island": made.island + 1,
            "group": made.group + 1,
            "index": made.index + 1,
            "hall": place["hall"],
            "row_number": place["row"],
            "position": place["position"],
            "u": place["u"],
            "stage": rows.stage,
            "origin": np.full(count, rows.origin, np.uint16),
        }
    )


def _core_switches(design: CoreDesign) -> _clos.Switches:
    index = np.arange(design.switches, dtype=np.uint32)
    zero = np.zeros_like(index)
    return _clos.Switches(zero, zero + np.uint32(_clos.CORE), zero, zero, index, zero, zero)


def _appliances(rows: _clos.Rows, first: int, product: str, seat: Seats) -> pl.DataFrame:
    """Appliances stand from the fabric's first stage on: without a subnet manager no link comes up."""
    count = len(seat.u)
    return pl.DataFrame(
        {
            "appliance": np.arange(first, first + count, dtype=np.uint32),
            "fabric": np.full(count, rows.fabric, np.uint16),
            "index": np.arange(1, count + 1, dtype=np.uint32),
            "product": [product] * count,
            "hall": seat.hall,
            "row_number": seat.row,
            "position": seat.position,
            "u": seat.u,
            "stage": np.full(count, rows.stage.min(), np.uint16),
            "origin": np.full(count, rows.origin, np.uint16),
        }
    )


def _boxes(nets: Networks, item: Items, seat: Seats, stages: NDArray[np.uint16], origin: int) -> pl.DataFrame:
    catalog = nets.catalog
    product = catalog.switches.get(item.box.slug) or catalog.appliances[item.box.slug]
    count = len(seat.u)
    return pl.DataFrame(
        {
            "hall": seat.hall,
            "row_number": seat.row,
            "position": seat.position,
            "height_u": np.full(count, product.height_u, np.int64),
            "power_w": np.full(count, product.power_max_w, np.int64),
            "power_typical_w": np.full(count, product.power_typical_w or product.power_max_w, np.int64),
            "weight_kg": pl.repeat(product.weight_kg, count, dtype=pl.Float64, eager=True),
            "stage": stages.astype(np.uint32),
            "origin": np.full(count, origin, np.uint32),
        }
    )


def cables(nets: Networks, all_: Compute, nics: pl.DataFrame, wired: Wired, stages: int) -> pl.DataFrame:
    """Every cable, fabrics as in the spec, hops from the nodes up."""
    frames = list(networks.cables(nets, all_, nics, wired.rows))
    if not frames:
        return tables.CABLES.empty()
    made = pl.concat(frames, rechunk=False)
    number = pl.int_range(made.height, dtype=pl.UInt32, eager=True).alias("cable")
    stage = pl.when(pl.col("stage") < stages).then(pl.col("stage"))
    return made.with_columns(number, stage)


def fabrics(nets: Networks, origins: Origins) -> pl.DataFrame:
    """One row per fabric with the shape it was given; a core fabric has one tier, the core."""
    made = []
    for index, fabric in enumerate(nets.spec.fabrics):
        row = {
            "fabric": index,
            "name": fabric.name,
            "kind": fabric.kind,
            "protocol": fabric.protocol,
            "switch": fabric.switch,
            "origin": origins.of(fabric.path),
        }
        made.append(row | (_CORE_SHAPE if index in nets.cores else _shape(nets, index)))
    schema = {column.name: column.dtype for column in tables.FABRICS.columns}
    return pl.DataFrame(made, schema=schema)


_CORE_SHAPE = {
    "groups": [],
    "unit_slots": 0,
    "planes": 1,
    "tiers": 1,
    "islands": 1,
    **dict.fromkeys(("island_units", "pod_units", "leaf_groups", "group_units", "group_nodes"), 0),
    **dict.fromkeys(("leaf_down", "leaf_up", "spine_down", "spine_up", "core_down", "core_up"), 0),
}


def _shape(nets: Networks, index: int) -> dict[str, object]:
    design = nets.designs[index]
    shape, leaves = design.shape, design.shape.leaves
    return {
        "groups": [group.index for group in demand.members(design.ask.fabric, nets.groups)],
        "unit_slots": design.ask.unit_slots,
        "planes": design.ask.fabric.planes,
        "tiers": shape.tiers,
        "islands": _clos.count(design, design.ask.units).islands,
        "island_units": shape.island_units,
        "pod_units": shape.pod_runs * leaves.run_units,
        "leaf_groups": leaves.groups,
        "group_units": leaves.run_units,
        "group_nodes": leaves.group_nodes,
        "leaf_down": leaves.down,
        "leaf_up": leaves.up,
        "spine_down": shape.spine_down,
        "spine_up": shape.spine_up,
        "core_down": shape.core_down,
        "core_up": shape.core_up,
    }
