"""Halls, rows, racks and what stands in them, as tables."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.expand.geometry import hall_floors, rack_positions
from topology.expand.groups import SizedGroup
from topology.expand.nodes import PlacedNodes
from topology.expand.origins import Origins
from topology.expand.scaleup import Domains, domain_columns
from topology.expand.wiring import Wired
from topology.plan import tables
from topology.spec.model import ClusterSpec

U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]


def place_key(hall: NDArray[np.integer], row: NDArray[np.integer], position: NDArray[np.integer]) -> U64:
    """One number per place, in the order of halls, rows and positions."""
    hall, row, position = (column.astype(np.uint64) for column in (hall, row, position))
    return hall << np.uint64(40) | row << np.uint64(20) | position


@dataclass(frozen=True, slots=True)
class Racks:
    """The table of racks and the place of each, for look-ups by place."""

    frame: pl.DataFrame
    keys: U64

    def at(self, hall: NDArray[np.integer], row: NDArray[np.integer], position: NDArray[np.integer]) -> U32:
        """Row numbers of the racks at these places."""
        return np.searchsorted(self.keys, place_key(hall, row, position)).astype(np.uint32)

    def mounted(self, boxes: pl.DataFrame, table: tables.Table, stages: int) -> pl.DataFrame:
        """The table of switches or appliances, with racks instead of places."""
        if not boxes.height:
            return table.empty()
        rack = self.at(*(boxes[name].to_numpy() for name in ("hall", "row_number", "position")))
        columns = {name: boxes[name] for name in boxes.columns}
        stage = stage_series(boxes["stage"].to_numpy(), stages)
        return table.frame(columns | {"rack": pl.Series(rack), "stage": stage})


@dataclass(frozen=True, slots=True)
class SiteTables:
    """Everything that does not depend on fabrics."""

    spec: ClusterSpec
    groups: Sequence[SizedGroup]
    placed: PlacedNodes
    origins: Origins

    def halls(self) -> pl.DataFrame:
        """One row per hall of the spec."""
        halls = self.spec.halls
        limits = [hall.rack_limit for hall in halls]
        return tables.HALLS.frame(
            {
                "hall": list(range(len(halls))),
                "name": [hall.name for hall in halls],
                "rows": [hall.rows for hall in halls],
                "positions": [hall.positions for hall in halls],
                "limit_u": [limit.height_u for limit in limits],
                "limit_power_w": [None if x.power_kw is None else round(x.power_kw * 1000) for x in limits],
                "limit_weight_kg": [limit.weight_kg for limit in limits],
                **hall_floors(halls),
                "origin": [self.origins.of(hall.path) for hall in halls],
            }
        )

    def rows(self) -> pl.DataFrame:
        """One row per row of every hall, empty ones too."""
        halls = self.spec.halls
        count = [hall.rows for hall in halls]
        numbers = [np.arange(1, hall.rows + 1) for hall in halls]
        network = [np.isin(number, hall.network_rows) for number, hall in zip(numbers, halls, strict=True)]
        return tables.ROWS.frame(
            {
                "row": np.arange(sum(count), dtype=np.uint32),
                "hall": np.repeat(np.arange(len(halls)), count),
                "number": np.concatenate(numbers),
                "network": np.concatenate(network),
                "origin": np.repeat([self.origins.of(hall.path) for hall in halls], count),
            }
        )

    def row_of(self, hall: NDArray[np.integer], number: NDArray[np.integer]) -> U32:
        """Row number in the table of rows, of row `number` of `hall`."""
        starts = np.cumsum([0, *(hall.rows for hall in self.spec.halls)], dtype=np.int64)[:-1]
        row: U32 = (starts[hall] + number - 1).astype(np.uint32)
        return row

    def units(self, cell_of: NDArray[np.integer]) -> pl.DataFrame:
        """One row per scalable unit, with its cell; -1 means none."""
        placed = self.placed
        origin = np.array([self.origins.of(group.path) for group in self.spec.compute], np.uint32)
        return tables.UNITS.frame(
            {
                "unit": np.arange(len(placed.unit_group), dtype=np.uint32),
                "group": placed.unit_group,
                "number": placed.unit_number + 1,
                "hall": placed.unit_hall,
                "row": self.row_of(placed.unit_hall, placed.unit_row),
                "position": placed.unit_position,
                "cell": pl.Series(cell_of).replace(-1, None),
                "stage": self._stage(placed.unit_stage),
                "origin": origin[placed.unit_group],
            }
        )

    def racks(self, wired: Wired) -> Racks:
        """Compute and network racks together, in the order of their places."""
        compute = self._compute_racks()
        network = self._network_racks(wired)
        frame = pl.concat([compute, network], how="diagonal").sort("hall", "row_number", "position")
        place = [frame[name].to_numpy() for name in ("hall", "row_number", "position")]
        keys = place_key(*place)
        positions = np.array([hall.positions for hall in self.spec.halls])[frame["hall"].to_numpy()]
        number = (frame["row_number"].to_numpy().astype(np.int64) - 1) * positions + frame["position"].to_numpy()
        row = self.row_of(frame["hall"].to_numpy(), frame["row_number"].to_numpy())
        columns = {name: frame[name] for name in frame.columns}
        columns |= {
            "row": pl.Series(row),
            "number": pl.Series(number),
            "rack": pl.Series(np.arange(frame.height)),
            **{name: pl.Series(metres) for name, metres in rack_positions(self.spec.halls, *place).items()},
            "stage": self._stage(frame["stage"].to_numpy()),
        }
        return Racks(tables.RACKS.frame(columns), keys)

    def _compute_racks(self) -> pl.DataFrame:
        placed = self.placed
        unit_racks = np.array([group.group.unit_racks for group in self.groups], np.uint32)
        each = unit_racks[placed.unit_group]
        unit = np.repeat(np.arange(len(each), dtype=np.uint32), each)
        starts = np.cumsum(each, dtype=np.uint32) - each
        within = np.arange(len(unit), dtype=np.uint32) - starts[unit]
        nodes = np.bincount(starts[placed.node_unit] + placed.node_rack, minlength=len(unit))
        group = placed.unit_group[unit]
        origin = np.array([self.origins.of(group.path) for group in self.spec.compute], np.uint32)

        def less(full: Sequence[float], one: Sequence[float]) -> NDArray[np.float64]:
            """A rack's figure less that of each node it lacks."""
            slots = np.array([each.rack.nodes for each in self.groups])
            left: NDArray[np.float64] = (
                np.array(full, float)[group] - (slots[group] - nodes) * np.array(one, float)[group]
            )
            return left

        designs = [each.rack for each in self.groups]
        boxes = [each.node for each in self.groups]
        parts = [sum(part.count * part.height_u for part in design.parts) for design in designs]
        weight = less(
            [float("nan") if d.weight_kg is None else d.weight_kg for d in designs],
            [b.weight_kg or 0 for b in boxes],
        )
        return pl.DataFrame(
            {
                "hall": placed.unit_hall[unit].astype(np.uint32),
                "row_number": placed.unit_row[unit],
                "position": placed.unit_position[unit] + within,
                "role": pl.repeat("compute", len(unit), eager=True),
                "design": pl.Series([design.slug for design in designs]).gather(group),
                "group": group,
                "unit": unit,
                "height_u": np.array([design.height_u for design in designs], np.int64)[group],
                "used_u": np.array(parts)[group] + nodes * np.array([box.height_u for box in boxes])[group],
                "power_w": less([d.power_max_w for d in designs], [b.power_max_w for b in boxes]).astype(np.int64),
                "power_typical_w": less(
                    [d.power_typical_w or d.power_max_w for d in designs],
                    [
                        b.power_typical_w or b.power_max_w if d.power_typical_w else b.power_max_w
                        for d, b in zip(designs, boxes, strict=True)
                    ],
                ).astype(np.int64),
                "weight_kg": pl.Series(weight).fill_nan(None),
                "stage": placed.unit_stage[unit].astype(np.uint32),
                "origin": origin[group],
            }
        )

    def _network_racks(self, wired: Wired) -> pl.DataFrame:
        """One row per rack that switches or appliances stand in; it is there from its first box's stage on."""
        heights = np.array([hall.rack_limit.height_u for hall in self.spec.halls], np.int64)
        boxes = wired.boxes
        if not boxes.height:
            return pl.DataFrame()
        return (
            boxes.group_by("hall", "row_number", "position", maintain_order=True)
            .agg(
                pl.col("height_u", "power_w", "power_typical_w", "weight_kg").sum(),
                stage=pl.col("stage").min(),
                origin=pl.col("origin").first(),
                whole=pl.col("weight_kg").is_not_null().all(),
            )
            .with_columns(
                role=pl.lit("network"),
                design=pl.lit(""),
                used_u=pl.col("height_u"),
                weight_kg=pl.when("whole").then("weight_kg"),
            )
            .drop("whole")
            .pipe(lambda frame: frame.with_columns(height_u=pl.Series(heights[frame["hall"].to_numpy()])))
        )

    def nodes(self, scaleup: Domains, racks: Racks, locality: NDArray[np.int64]) -> pl.DataFrame:
        """One row per node that is there."""
        placed = self.placed
        unit = placed.node_unit
        origin = np.array([self.origins.of(group.path) for group in self.spec.compute], np.uint32)
        products = pl.Series([group.node.slug for group in self.groups], dtype=pl.String)
        return tables.NODES.frame(
            {
                "node": np.arange(len(unit), dtype=np.uint32),
                "group": placed.unit_group[unit],
                "unit": unit,
                "rack": self._rack_of(racks, np.arange(len(unit))),
                "slot": placed.node_slot + 1,
                "product": products.gather(placed.unit_group[unit]),
                "place": placed.node_place,
                "domain": scaleup.of_node,
                "locality": pl.Series(locality).replace(-1, None),
                "stage": self._stage(placed.unit_stage[unit]),
                "origin": origin[placed.unit_group[unit]],
            }
        )

    def domains(self, scaleup: Domains, racks: Racks) -> pl.DataFrame:
        """One row per NVLink domain."""
        unit = self.placed.node_unit[scaleup.first_node]
        origin = np.array([self.origins.of(group.path) for group in self.spec.compute], np.uint32)
        return tables.NVLINK_DOMAINS.frame(
            {
                "rack": self._rack_of(racks, scaleup.first_node),
                "stage": self._stage(self.placed.unit_stage[unit]),
                "origin": origin[self.placed.unit_group[unit]],
                **domain_columns(self.groups, self.placed, scaleup),
            }
        )

    def _rack_of(self, racks: Racks, node: NDArray[np.intp]) -> U32:
        placed = self.placed
        unit = placed.node_unit[node]
        return racks.at(
            placed.unit_hall[unit], placed.unit_row[unit], placed.unit_position[unit] + placed.node_rack[node]
        )

    def _stage(self, stage: NDArray[np.integer]) -> pl.Series:
        """Stages with null for what no stage adds."""
        return stage_series(stage, len(self.spec.stages))


def stage_series(stage: NDArray[np.integer], stages: int) -> pl.Series:
    """Stage numbers as a column: `stages`, the number after the last, becomes null."""
    series = pl.Series("stage", stage.astype(np.uint16))
    beyond = bool(len(stage)) and int(stage.max()) >= stages
    return series.to_frame().select(pl.when(pl.col("stage") < stages).then("stage"))["stage"] if beyond else series
