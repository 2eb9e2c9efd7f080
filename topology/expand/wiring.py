"""Tables of fabrics, tiers, switches, appliances, localities and cables: one pass over the fabrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.catalog.model import Appliance, Catalog, Switch
from topology.expand.fabrics import U32, Endpoints, FabricDesign, Links, LocalityLevel, Switches, SwitchPorts, words
from topology.expand.mounting import BatchKey, MountPoints
from topology.expand.networks import APPLIANCES, Networks
from topology.expand.nodes import PlacedNodes
from topology.expand.origins import Origins
from topology.plan import tables
from topology.spec.model import Managers

Stages = NDArray[np.uint16]
Points = Mapping[BatchKey, MountPoints]
PLACE = ("hall", "row", "position", "u")


@dataclass(frozen=True, slots=True)
class FabricRows:
    """Where the rows of a fabric begin, and the first stage of each of its switches."""

    design: FabricDesign
    fabric: int
    origin: int
    first_switch: int
    first_appliance: int
    first_locality: int
    stage: Stages
    localities: tuple[LocalityLevel, ...]


@dataclass(frozen=True, slots=True)
class Wired:
    """Switches and appliances with their mount points."""

    switches: pl.DataFrame  # columns of `switches`, with hall, row_number and position for `rack`
    appliances: pl.DataFrame  # likewise
    boxes: pl.DataFrame  # every box in a network rack: its place, size, draw, stage and origin


def fabric_rows(nets: Networks, placed: PlacedNodes, origins: Origins) -> list[FabricRows]:
    """Rows of every fabric, in the order of the spec."""
    stages = {
        design.demand.fabric.name: nets.switch_stages(design, placed) for design in nets.designs if design.demand.groups
    }
    for design in nets.designs:
        if design.demand.joined:  # what joins fabrics is there with the first of their switches
            first = min(int(stages[joined.demand.fabric.name].min()) for joined in design.demand.joined)
            stages[design.demand.fabric.name] = np.full(sum(design.count(0)), first, np.uint16)
    rows: list[FabricRows] = []
    switch = appliance = locality = 0
    for index, design in enumerate(nets.designs):
        fabric = design.demand.fabric
        stage = stages[fabric.name]
        near = design.localities()
        rows.append(FabricRows(design, index, origins.of(fabric.path), switch, appliance, locality, stage, near))
        switch += len(stage)
        appliance += fabric.managers.count if fabric.managers else 0
        locality += sum(level.count for level in near)
    return rows


def wire(catalog: Catalog, rows: Sequence[FabricRows], points: Points) -> Wired:
    """Switches in row order: fabrics as in the spec, then plane, tier, island, group and index."""
    switches, appliances, boxes = [], [], []
    for own in rows:
        managers = own.design.demand.fabric.managers
        if managers:
            at = points[own.fabric, APPLIANCES]
            appliances.append(_appliances(own, managers, at))
            stages = np.full(managers.count, own.stage.min(), np.uint16)
            boxes.append(_boxes(catalog.appliances[managers.product], own, at, stages))
        made = own.design.switches(own.design.demand.units)
        place = {name: np.zeros(len(own.stage), np.uint32) for name in PLACE}
        for number, tier in enumerate(own.design.tiers()):
            mask, at = made.tier == number, points[own.fabric, tier.word]
            for name, column in place.items():
                column[mask] = getattr(at, name)
            boxes.append(_boxes(own.design.demand.switch, own, at, own.stage[mask]))
        switches.append(_switches(own, made, place))
    return Wired(_stack(switches), _stack(appliances), _stack(boxes))


def _stack(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(frames) if frames else pl.DataFrame()


def _switches(own: FabricRows, made: Switches, place: Mapping[str, U32]) -> pl.DataFrame:
    count = len(own.stage)
    tier = [tier.word for tier in own.design.tiers()]
    return pl.DataFrame(
        {
            "switch": np.arange(own.first_switch, own.first_switch + count, dtype=np.uint32),
            "fabric": np.full(count, own.fabric, np.uint16),
            "plane": made.plane + 1,
            "tier": pl.Series(tier, dtype=pl.Enum(words("TIERS"))).gather(made.tier),
            "island": made.island + 1,
            "group": made.group + 1,
            "index": made.index + 1,
            "product": own.design.demand.fabric.switch,
            "piece": tables.codes(made.piece, tables.PIECES),
            "piece_number": made.piece_number + 1,
            "hall": place["hall"],
            "row_number": place["row"],
            "position": place["position"],
            "u": place["u"],
            "stage": own.stage,
            "origin": np.full(count, own.origin, np.uint16),
        }
    )


def _appliances(own: FabricRows, managers: Managers, at: MountPoints) -> pl.DataFrame:
    """Appliances stand from the fabric's first stage on: without a subnet manager no link comes up."""
    count = managers.count
    return pl.DataFrame(
        {
            "appliance": np.arange(own.first_appliance, own.first_appliance + count, dtype=np.uint32),
            "fabric": np.full(count, own.fabric, np.uint16),
            "index": np.arange(1, count + 1, dtype=np.uint32),
            "product": [managers.product] * count,
            "hall": at.hall,
            "row_number": at.row,
            "position": at.position,
            "u": at.u,
            "stage": np.full(count, own.stage.min(), np.uint16),
            "origin": np.full(count, own.origin, np.uint16),
        }
    )


def _boxes(product: Switch | Appliance, own: FabricRows, at: MountPoints, stages: Stages) -> pl.DataFrame:
    count = len(at.u)
    return pl.DataFrame(
        {
            "hall": at.hall,
            "row_number": at.row,
            "position": at.position,
            "height_u": np.full(count, product.height_u, np.int64),
            "power_w": np.full(count, product.power_max_w, np.int64),
            "power_typical_w": np.full(count, product.power_typical_w or product.power_max_w, np.int64),
            "weight_kg": pl.repeat(product.weight_kg, count, dtype=pl.Float64, eager=True),
            "stage": stages.astype(np.uint32),
            "origin": np.full(count, own.origin, np.uint32),
        }
    )


def cables(
    nets: Networks, placed: PlacedNodes, nics: pl.DataFrame, rows: Sequence[FabricRows], stages: int
) -> pl.DataFrame:
    """Every cable, fabrics as in the spec, hops from the nodes up."""
    hops = pl.Enum(words("HOPS"))
    by_name = {own.design.demand.fabric.name: own for own in rows}
    frames = []
    for own in rows:
        joined = [by_name[each.demand.fabric.name] for each in own.design.demand.joined]
        ends = _kept(joined) if joined else nets.node_ends(own.design, placed, nics)
        frames += [_cables(own, links, hops) for links in own.design.links(ends, _services(own))]
    if not frames:
        return tables.CABLES.empty()
    made = pl.concat(frames, rechunk=False)
    number = pl.int_range(made.height, dtype=pl.UInt32, eager=True).alias("cable")
    stage = pl.when(pl.col("stage") < stages).then(pl.col("stage"))
    return made.with_columns(number, stage)


def _kept(joined: Sequence[FabricRows]) -> Endpoints:
    """Ports that the joined fabrics keep for a core; `place` counts them through, growth to come included."""
    parts = []
    first = 0
    for own in joined:
        plane, at = own.design.kept()
        place = np.arange(first, first + len(plane), dtype=np.uint32)
        parts.append((at.switch + np.uint32(own.first_switch), at.cage, at.port, plane, own.stage[at.switch], place))
        demand = own.design.demand
        first += own.design.islands(demand.sized_units) * demand.fabric.planes * own.design.kept_ports
    row, cage, port, plane, stage, place = (np.concatenate(column) for column in zip(*parts, strict=True))
    zero = np.zeros_like(row)
    return Endpoints("switches", row, cage, port, plane, stage, zero, zero, place, zero)


def _services(own: FabricRows) -> Endpoints:
    """Ports of the fabric's service boxes, all in the first plane."""
    managers = own.design.demand.fabric.managers
    count, each = (managers.count, managers.ports) if managers else (0, 1)
    box, port = np.divmod(np.arange(count * each, dtype=np.uint32), np.uint32(each))
    zero = np.zeros_like(box)
    stage = np.full(len(box), own.stage.min(), np.uint16)
    row = box + np.uint32(own.first_appliance)
    return Endpoints("appliances", row, port + np.uint32(1), 1, zero, stage, zero, zero, zero, zero)


def _cables(own: FabricRows, links: Links, hops: pl.Enum) -> pl.DataFrame:
    """Cables of one hop, without their row numbers; each comes with the later of its ends."""
    a, b = links.a, links.b
    if isinstance(a, SwitchPorts):
        table, row, stage = "switches", a.switch + np.uint32(own.first_switch), own.stage[a.switch]
    else:
        table, row, stage = a.table, a.row, a.stage
    if links.any_order:
        stage = np.maximum(stage, own.stage[b.switch])
    return tables.CABLES.frame(
        {
            "plane": links.plane + np.uint32(1),
            "cable": 0,
            "fabric": own.fabric,
            "hop": pl.repeat(links.hop, len(row), dtype=hops, eager=True),
            "a_table": table,
            "a": row,
            "a_cage": a.cage,
            "a_port": a.port,
            "b": b.switch + np.uint32(own.first_switch),
            "b_cage": b.cage,
            "b_port": b.port,
            "rate_gbps": links.rate_gbps,
            "stage": stage,
            "origin": own.origin,
        }
    )


def fabrics(rows: Sequence[FabricRows]) -> pl.DataFrame:
    """One row per fabric, with the size of the shape it was given."""
    made = []
    for own in rows:
        demand = own.design.demand
        made.append(
            {
                "fabric": own.fabric,
                "name": demand.fabric.name,
                "kind": demand.fabric.kind,
                "protocol": demand.fabric.protocol,
                "switch": demand.fabric.switch,
                "groups": [group.index for group in demand.groups],
                "planes": demand.fabric.planes,
                "tiers": len(own.design.tiers()),
                "islands": own.design.islands(demand.units),
                "origin": own.origin,
            }
        )
    return tables.FABRICS.rows(made)


def tiers(rows: Sequence[FabricRows]) -> pl.DataFrame:
    """One row per fabric and tier, from the nodes up."""
    made = [
        {
            "fabric": own.fabric,
            "level": level,
            "word": tier.word,
            "group_word": tier.group_word,
            "down": tier.down,
            "up": tier.up,
            "kept": tier.kept,
            "taper": tier.taper,
            "rails": tier.rails,
            "origin": own.origin,
        }
        for own in rows
        for level, tier in enumerate(own.design.tiers())
    ]
    return tables.TIERS.rows(made)


def localities(rows: Sequence[FabricRows]) -> pl.DataFrame:
    """One row per locality; the top ones of a fabric lie in that of the fabric that joins them, if any."""
    joined = {each.demand.fabric.name: own.first_locality for own in rows for each in own.design.demand.joined}
    levels, numbers = [], []
    for own in rows:
        fabric, first = own.design.demand.fabric, own.first_locality
        for at, level in enumerate(own.localities):
            first += level.count
            above = joined.get(fabric.name, -1) if level.parent is None else level.parent.astype(np.int64) + first
            columns = (0 if each is None else each for each in (level.number, level.within))
            numbers.append(np.broadcast_arrays(np.zeros(level.count, np.int64), *columns, above)[1:])
            levels.append((own.fabric, at, level.word, level.tier, level.places, own.origin, fabric.name, level.count))
    if not levels:
        return tables.LOCALITIES.empty()
    names = ("fabric", "level", "word", "tier", "places", "origin", "fabric_name", "count")
    each = pl.DataFrame(levels, schema=names, orient="row")
    number, within, parent = (pl.Series(np.concatenate(column)) for column in zip(*numbers, strict=True))
    frame = each.select(pl.exclude("count").repeat_by("count").explode()).with_columns(
        locality=pl.int_range(pl.len()),
        number=number.replace(0, None),
        within=within.replace(0, None),
        parent=parent.replace(-1, None),
    )
    text = pl.format("{}-{}-{}", "fabric_name", "tier", pl.col("number").cast(pl.String).str.zfill(4))
    name = pl.coalesce(pl.format("{}-{}", text, "within"), text, "fabric_name")  # null where a part is
    return tables.LOCALITIES.frame(frame.with_columns(name=name).to_dict())


def node_localities(nets: Networks, placed: PlacedNodes, rows: Sequence[FabricRows]) -> NDArray[np.int64]:
    """Lowest locality of each node in its compute fabric; -1 for a node without one."""
    found = np.full(len(placed.node_unit), -1, np.int64)
    for own in rows:
        if own.design.demand.fabric.connects == "compute":
            unit = nets.unit_of_nodes(own.design, placed)
            mine = np.flatnonzero(unit >= 0)
            lowest = own.design.locality_of(unit[mine].astype(np.uint32), placed.node_place[mine])
            found[mine] = own.first_locality + lowest
    return found
